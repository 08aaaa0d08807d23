"""Conversions of single Python values that give what the query gives, for the types that records mostly have.

Whatever is not here goes through the query.
"""

import re
import struct
from collections.abc import Callable
from datetime import date
from typing import Any, Final

import pyarrow as pa

from readiness_pipelines.engines.conversion import DATE_TEXT, FALSE_TEXTS, FLOAT_TEXT, INTEGER_TEXT, TRUE_TEXTS

Convert = Callable[[Any], Any]
"""From a value that is not null to the typed value, or to `UNCONVERTED`."""

UNCONVERTED: Final = object()
"""Stands for a value that does not convert."""

_INTEGER = re.compile(INTEGER_TEXT, re.ASCII)
_DATE = re.compile(DATE_TEXT, re.ASCII)
_FLOAT = re.compile(FLOAT_TEXT, re.ASCII)
_LONGEST_INTEGER = 40


def converter(given: type, wanted: pa.DataType) -> Convert | None:
    """How a Python value of a type becomes an Arrow type's; ``None`` where the query has to do it."""
    if given is int and pa.types.is_integer(wanted):
        return _within(wanted)
    if given is float and pa.types.is_float32(wanted):
        return _single
    if given is not str:
        return None
    if pa.types.is_string(wanted):
        return lambda text: text
    if pa.types.is_integer(wanted):
        within = _within(wanted)
        return lambda text: within(int(text)) if _is_integer(text := text.strip(" ")) else UNCONVERTED
    if pa.types.is_float64(wanted):
        return lambda text: float(text) if _FLOAT.fullmatch(text := text.strip(" ")) else UNCONVERTED
    if pa.types.is_boolean(wanted):
        return _boolean
    if pa.types.is_date32(wanted):
        return _date
    return None


def _is_integer(text: str) -> bool:
    return len(text) <= _LONGEST_INTEGER and _INTEGER.fullmatch(text) is not None


def _within(wanted: pa.DataType) -> Convert:
    signed = pa.types.is_signed_integer(wanted)
    low = -(1 << wanted.bit_width - 1) if signed else 0
    high = (1 << wanted.bit_width - signed) - 1
    return lambda value: value if low <= value <= high else UNCONVERTED


def _single(value: float) -> Any:
    try:
        return struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return UNCONVERTED


def _boolean(text: str) -> Any:
    text = text.strip(" ").lower()
    return True if text in TRUE_TEXTS else False if text in FALSE_TEXTS else UNCONVERTED


def _date(text: str) -> Any:
    text = text.strip(" ")
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else UNCONVERTED
    except ValueError:
        return UNCONVERTED
