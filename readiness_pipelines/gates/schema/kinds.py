"""The kinds of values that an expression works on: what decides whether engines treat them alike."""

import struct
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pyarrow as pa


class Kind(StrEnum):
    """A kind of values."""

    NULL = "nothing"
    FLAG = "conditions"
    WHOLE = "integers"
    FLOAT = "64-bit floats"
    SINGLE = "floats of less than 64 bits"
    DECIMAL = "decimals"
    TEXT = "texts"
    BYTES = "bytes"
    DATE = "dates"
    TIME = "times of day"
    NAIVE = "times without a zone"
    UTC = "times in UTC"
    ZONED = "times in another zone"
    OTHER = "other values"


NUMBERS = frozenset({Kind.WHOLE, Kind.FLOAT, Kind.DECIMAL})
FLOATS = frozenset({Kind.FLOAT, Kind.SINGLE})
INSTANTS = frozenset({Kind.UTC, Kind.ZONED})

EXACT_WHOLE = 2**53
"""Beyond it, whole numbers and floats are compared as floats by some and exactly by others."""


def kind_of_type(kind: pa.DataType) -> Kind:
    """The kind of a column."""
    if pa.types.is_float64(kind):
        return Kind.FLOAT
    if pa.types.is_floating(kind):
        return Kind.SINGLE
    if pa.types.is_timestamp(kind):
        return Kind.NAIVE if kind.tz is None else Kind.UTC if kind.tz == "UTC" else Kind.ZONED
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return Kind.TEXT
    for belongs, found in (
        (pa.types.is_boolean, Kind.FLAG),
        (pa.types.is_integer, Kind.WHOLE),
        (pa.types.is_decimal, Kind.DECIMAL),
        (pa.types.is_date, Kind.DATE),
        (pa.types.is_time, Kind.TIME),
        (pa.types.is_null, Kind.NULL),
        (pa.types.is_binary, Kind.BYTES),
        (pa.types.is_large_binary, Kind.BYTES),
    ):
        if belongs(kind):
            return found
    return Kind.OTHER


def kind_of_value(value: Any) -> Kind:
    """The kind of a constant."""
    if isinstance(value, datetime):
        return Kind.NAIVE if value.tzinfo is None else Kind.UTC
    for types, found in (
        (type(None), Kind.NULL),
        (bool, Kind.FLAG),
        (int, Kind.WHOLE),
        (float, Kind.FLOAT),
        (Decimal, Kind.DECIMAL),
        (str, Kind.TEXT),
        (bytes, Kind.BYTES),
        (date, Kind.DATE),
        (time, Kind.TIME),
    ):
        if isinstance(value, types):
            return found
    return Kind.OTHER


def is_exact_single(value: Any) -> bool:
    """Whether a number is what a 32-bit float says of it."""
    try:
        return bool(struct.unpack("f", struct.pack("f", value))[0] == value)
    except (OverflowError, struct.error):
        return False
