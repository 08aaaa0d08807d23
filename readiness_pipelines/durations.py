"""Durations as people write them: ``26h``, ``90m``, ``2d``, ``1d12h``."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_PARTS = re.compile(r"(\d+(?:\.\d+)?)([wdhms])")
LONGEST = timedelta(days=365 * 7_000)
"""From today on, what is longer ends after the last day that a calendar has, in the year 9999."""


def parse_duration(value: object) -> object:
    """Read ``1d12h`` into a timedelta; anything but text is passed on to pydantic as it is.

    Args:
        value: Text made of numbers with a unit of ``w d h m s``, or anything pydantic takes for a timedelta.

    Raises:
        ValueError: Text that is not such a duration, or more than `LONGEST`.
    """
    found = _read(value) if isinstance(value, str) else value
    if isinstance(found, timedelta) and found > LONGEST:
        raise _too_long(value)
    return found


def _read(value: str) -> timedelta:
    text = value.strip().lower()
    parts = _PARTS.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{value!r} is not a duration: write '26h', '90m', '2d' or '1d12h'")
    try:
        return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())
    except OverflowError:  # more than a timedelta holds
        raise _too_long(value) from None


def _too_long(value: object) -> ValueError:
    return ValueError(f"{str(value)!r} is longer than any calendar: write '26h', '90m', '2d' or '1d12h'")


def format_duration(value: timedelta) -> str:
    """Write a timedelta the way `parse_duration` reads it: ``1d12h``; zero is ``0s``, less than that has a sign."""
    left = round(value.total_seconds())
    if left < 0:
        return "-" + format_duration(-value)
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        amount, left = divmod(left, seconds)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


def later(at: datetime, delay: timedelta) -> datetime:
    """A time, by a duration later; the last that a calendar has, where there is none after it.

    Args:
        at: The time: also one that somebody wrote for "never", as the end of the year 9999.
        delay: How much later.
    """
    try:
        return at + delay
    except OverflowError:
        return datetime.max.replace(tzinfo=at.tzinfo)


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
