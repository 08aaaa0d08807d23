"""The values that the fuzzer's columns are drawn from: few, so that rules are kept and broken, and at the edges."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from readiness_pipelines_tests.conformance.strategies import TEXTS

BERLIN = "Europe/Berlin"
_RECORD = pa.struct([("x", pa.int64()), ("y", pa.string())])
TYPED: tuple[pa.DataType, ...] = (
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float32(), pa.float64(), pa.decimal128(10, 2), pa.decimal128(38, 0), pa.string(), pa.bool_()),
    *(pa.date32(), pa.time64("us"), pa.timestamp("us"), pa.timestamp("us", tz="UTC"), pa.timestamp("us", tz=BERLIN)),
    *(pa.timestamp("ms"), pa.list_(pa.int64())),
)
UNTYPED: tuple[pa.DataType, ...] = (pa.binary(), _RECORD)
"""Types that Pandera does not know on Arrow: columns without a declared type."""

_NUMBERS = [0.0, -0.0, 0.1, 0.5, 1.0, -1.5, 2.0, 3.0, float("inf"), float("-inf"), float("nan")]
_TIMES = [
    datetime.fromisoformat(text)
    for text in (
        *("2024-02-29 23:30", "2024-03-01 00:30", "2024-03-31 01:30", "2024-10-27 00:30"),
        "2024-10-27 01:10",  # in Berlin earlier than the one before, by the clocks, which were set back
        *("2024-12-31 23:59:59.500", "1969-12-31 12:00"),
    )
]


def values_of(kind: pa.DataType) -> Sequence[Any]:
    """The values of a type, without null."""
    if pa.types.is_integer(kind):
        signed = pa.types.is_signed_integer(kind)
        least, most = (-(1 << kind.bit_width - 1) if signed else 0), (1 << kind.bit_width - signed) - 1
        wanted = [0, 1, 2, 3, 100, least, most, *([-1, -7] if signed else [7])]
        return [*wanted, 2**53, 2**53 + 1] if kind.bit_width == pa.int64().bit_width else wanted
    if pa.types.is_floating(kind):
        large = [1e38, 16_777_217.0] if kind == pa.float32() else [1e308, 9_007_199_254_740_993.0]
        return [*_NUMBERS, *large]
    if pa.types.is_decimal(kind):
        digits = ["0", "1", "-1", "2", "3", "7"]
        return [Decimal(text) for text in (digits if kind.scale == 0 else [*digits, "0.10", "0.50", "99999999.99"])]
    if pa.types.is_boolean(kind):
        return [True, False]
    if pa.types.is_date(kind):
        return [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(1, 1, 1), date(9999, 12, 31)]
    if pa.types.is_time(kind):
        return [time(0), time(7, 30), time(12), time(23, 59, 59, 999_999)]
    if pa.types.is_timestamp(kind):
        return [at.replace(tzinfo=UTC) if kind.tz else at for at in _TIMES]
    if pa.types.is_list(kind):
        return [[], [1], [1, 2, 3], [None, 1], [7, 7]]
    if pa.types.is_struct(kind):
        return [{"x": 1, "y": "a"}, {"x": None, "y": "b"}, {"x": 2, "y": None}]
    if pa.types.is_binary(kind):
        return [b"", b"a", b"\x00\xff", b"\xc3"]
    return [*TEXTS, "\u00a0a", "ß", "İ", "12", "-3"]


def literals_of(kind: pa.DataType) -> Sequence[Any]:
    """The values that expressions compare with: not -0.0, which Arrow's sets take for another number than 0.0."""
    return [value for value in values_of(kind) if repr(value) != "-0.0"]


def literal_of(kind: pa.DataType, value: Any) -> str:
    """A value as Python source, for an expression over a column of a type."""
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else f"float({str(value)!r})"  # noqa: PLR0124
    if isinstance(value, datetime) and value.tzinfo:
        zone = kind.tz if pa.types.is_timestamp(kind) and kind.tz else "UTC"
        return f"{value.astimezone(ZoneInfo(zone)).replace(tzinfo=None)!r}.replace(tzinfo=ZoneInfo({zone!r}))"
    return repr(value)
