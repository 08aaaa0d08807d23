"""Waiting for what must become so: also on a machine that is slow and busy, and never without end."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

LONGEST_SECONDS = 300.0
"""What has not become so by then never does; a machine that is ten times slower than usual needs less."""


def wait_until(holds: Callable[[], bool], what: Callable[[], object] | str = "", *, every: float = 0.05) -> None:
    """Wait until something holds.

    Args:
        holds: Whether it holds by now; an error that it raises ends the wait.
        what: What is said where it never does; where it is a function, of then.
        every: Seconds between looks.

    Raises:
        AssertionError: It does not hold after a time that is enough for any machine.
    """
    ends = time.monotonic() + LONGEST_SECONDS
    while not holds():
        assert time.monotonic() < ends, f"not so after {LONGEST_SECONDS:g} s: {what() if callable(what) else what}"
        time.sleep(every)


def wait_for_room(unit: Literal["day", "hour"], seconds: float) -> datetime:
    """The time, with some of the day or the hour left: where there is less, the next one is waited for.

    For what reads the machine's clock more than once, and where the answers must be of one day or one hour.
    """
    now = datetime.now(UTC)
    begun = now.replace(minute=0, second=0, microsecond=0)
    length = timedelta(hours=1)
    if unit == "day":
        begun, length = begun.replace(hour=0), timedelta(days=1)
    left = (begun + length - now).total_seconds()
    if left < seconds:
        time.sleep(left + 0.01)
    return datetime.now(UTC)
