"""Conversions of single Python values that give what the query gives, for the types that records mostly have.

Whatever is not here goes through the query.
"""

import re
import struct
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa

from readiness_pipelines.engines.conversion import BLANK, DATE_TEXT, FALSE_TEXTS, TIME_DIGITS, TRUE_TEXTS
from readiness_pipelines.gates.record.text_numbers import (
    decimal_reader,
    double,
    integer_bounds,
    integer_reader,
    single,
)
from readiness_pipelines.gates.record.text_times import UNCONVERTED, time_reader
from readiness_pipelines.sql import duckdb_type

Convert = Callable[[Any], Any]
"""From a value that is not null to the typed value, to `UNCONVERTED`, or to `ASK` where only the query knows."""

_DATE = re.compile(DATE_TEXT)


def converter(given: type, wanted: pa.DataType) -> Convert | None:
    """How a Python value of a type becomes an Arrow type's; ``None`` where the query has to do it."""
    if given is int and pa.types.is_integer(wanted):
        low, high = integer_bounds(wanted)
        return lambda value: value if low <= value <= high else UNCONVERTED
    if given is float and pa.types.is_float32(wanted):
        return _single
    return text_converter(wanted) if given is str else None


def text_converter(wanted: pa.DataType) -> Convert | None:
    """How a text becomes an Arrow type's; ``None`` where the query has to do it."""
    if pa.types.is_string(wanted):
        return lambda text: text
    if pa.types.is_integer(wanted):
        return integer_reader(wanted)
    if pa.types.is_float64(wanted):
        return double
    if pa.types.is_float32(wanted):
        return single
    if pa.types.is_boolean(wanted):
        return _boolean
    if pa.types.is_date32(wanted):
        return _date
    if pa.types.is_decimal128(wanted):
        return decimal_reader(wanted.precision, wanted.scale)
    return time_reader(duckdb_type(wanted)) if duckdb_type(wanted) in TIME_DIGITS else None


def _single(value: float) -> Any:
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]  # by the machine's own size it would be infinity
    except OverflowError:
        return UNCONVERTED


def _boolean(text: str) -> Any:
    text = text.strip(BLANK).lower()
    return True if text in TRUE_TEXTS else False if text in FALSE_TEXTS else UNCONVERTED


def _date(text: str) -> Any:
    text = text.strip(BLANK)
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else UNCONVERTED
    except ValueError:
        return UNCONVERTED
