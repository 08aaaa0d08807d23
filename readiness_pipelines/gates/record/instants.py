"""Times with a zone as what they are in a batch: instants."""

from datetime import UTC, datetime
from typing import Any


def instant(value: Any) -> Any:
    """A value; a time with a zone in UTC.

    Python compares two times of one zone by what its clocks show, and takes a time within an hour that the clocks
    repeat or leave out for another one than any of another zone. In UTC no hour is repeated.

    Raises:
        OverflowError: In UTC it would be before year 1, or after 9999.
    """
    zoned = isinstance(value, datetime) and value.tzinfo is not None and value.tzinfo is not UTC
    return value.astimezone(UTC) if zoned else value
