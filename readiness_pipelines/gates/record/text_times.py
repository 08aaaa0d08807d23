"""Texts as times, exactly as the query reads them: what is written as most programs write it, without the query.

Each function gives the time, `UNCONVERTED` where the query would give none, or `ASK` where only the query knows.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any, Final

from readiness_pipelines.engines.conversion import BLANK, TIME_DIGITS, time_text

UNCONVERTED: Final = object()
"""Stands for a value that does not convert."""

ASK: Final = object()
"""Stands for a value of which only the query says what it becomes."""

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,6})?)?"
_PLAIN_TIME = re.compile(_CLOCK)
_PLAIN = re.compile(f"{_DAY}(?:[ T]{_CLOCK})?")
_PLAIN_ZONED = re.compile(f"{_DAY}(?:[ T]{_CLOCK}(?:Z|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)?)?")
_ENDS = ("0001", "9999")
"""Years in which an offset may lead beyond what a table keeps."""


def time_reader(wanted: str) -> Callable[[str], Any]:
    """How a text becomes one of the types in `TIME_DIGITS`."""
    like = re.compile(f"{BLANK}*(?:{time_text(wanted)}){BLANK}*")
    if wanted == "TIME":
        return lambda text: _time_of_day(text) if like.fullmatch(text) else UNCONVERTED
    if wanted.endswith("WITH TIME ZONE"):
        return lambda text: _instant(text) if like.fullmatch(text) else UNCONVERTED
    assert wanted in TIME_DIGITS  # noqa: S101  # the only types that are given
    return lambda text: _naive(text) if like.fullmatch(text) else UNCONVERTED


def _time_of_day(text: str) -> Any:
    return time.fromisoformat(text) if _PLAIN_TIME.fullmatch(text) else ASK


def _naive(text: str) -> Any:
    if not _PLAIN.fullmatch(text):
        return ASK
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # a day that no month has
        return UNCONVERTED


def _instant(text: str) -> Any:
    if not _PLAIN_ZONED.fullmatch(text) or text.startswith(_ENDS):
        return ASK
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return UNCONVERTED
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
