"""Texts as numbers, exactly as the query reads them; see `text_times` for what is given where it does not convert."""

import re
import struct
from collections.abc import Callable
from decimal import Decimal
from math import isinf
from typing import Any

import pyarrow as pa

from readiness_pipelines.engines.conversion import BLANK, FLOAT_TEXT, INTEGER_TEXT, decimal_text
from readiness_pipelines.gates.record.text_times import ASK, UNCONVERTED

_INTEGER = re.compile(INTEGER_TEXT)
_FLOAT = re.compile(FLOAT_TEXT, re.ASCII)  # else `i` is the Turkish letters beside it too, to Python alone
_LONGEST_INTEGER = 40
_LEAST_SINGLE, _MOST_SINGLE = 2.0**-126, 2.0**127
_ROUNDED_OFF = (1 << 29) - 1
"""The bits of a double that a single has not."""
_HALFWAY = 1 << 28


def integer_bounds(wanted: pa.DataType) -> tuple[int, int]:
    """The least and the greatest number of an integer type."""
    signed = pa.types.is_signed_integer(wanted)
    low = -(1 << wanted.bit_width - 1) if signed else 0
    return low, (1 << wanted.bit_width - signed) - 1


def integer_reader(wanted: pa.DataType) -> Callable[[str], Any]:
    """How a text becomes an integer."""
    low, high = integer_bounds(wanted)

    def read(text: str) -> Any:
        bare = text.strip(BLANK)
        if not _INTEGER.fullmatch(bare):
            return UNCONVERTED
        if len(bare) > _LONGEST_INTEGER or (bare is not text and bare[0] == "-"):
            return ASK  # of "-0 " the query makes no unsigned number
        value = int(bare)
        return value if low <= value <= high else UNCONVERTED

    return read


def double(text: str) -> Any:
    """A text as a double: both round to the nearest."""
    text = text.strip(BLANK)
    if not _FLOAT.fullmatch(text):
        return UNCONVERTED
    value = float(text)
    return UNCONVERTED if isinf(value) and not text[-1].isalpha() else value  # of digits it is lost, and not meant


def single(text: str) -> Any:
    """A text as a float of 32 bits: by way of the double, where that does not round a tie that was none."""
    text = text.strip(BLANK)
    if not _FLOAT.fullmatch(text):
        return UNCONVERTED
    value = float(text)
    if value == 0 and not text.strip("+-0."):
        return value
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    if not _LEAST_SINGLE <= abs(value) < _MOST_SINGLE or bits & _ROUNDED_OFF == _HALFWAY:
        return ASK
    return struct.unpack("f", struct.pack("f", value))[0]


def decimal_reader(precision: int, scale: int) -> Callable[[str], Any]:
    """How a text becomes a decimal with so many digits, so many of them after the point."""
    like = re.compile(f"{BLANK}*(?:{decimal_text(scale)}){BLANK}*")
    whole = precision - scale
    before = f"(0|[1-9][0-9]{{0,{whole - 1}}})" if whole else "(0)"
    plain = re.compile(f"([+-]?){before}" + (f"(?:[.]([0-9]{{1,{scale}}}))?" if scale else "()"))

    def read(text: str) -> Any:
        found = plain.fullmatch(text)
        if not found:
            return ASK if like.fullmatch(text) else UNCONVERTED
        sign, digits, after = found.groups()
        value = Decimal(f"{digits}.{(after or '').ljust(scale, '0')}" if scale else digits)
        return value.copy_negate() if sign == "-" and value else value

    return read
