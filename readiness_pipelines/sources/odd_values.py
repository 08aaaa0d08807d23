"""Which values are times that no table keeps: outside of the years 1 to 9999, or finer than a microsecond."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY_SECONDS = 86_400
_ENDLESS = -(2**63) + 1
"""The engine takes it, and its opposite, for an infinite time."""
_FIRST = int(datetime(1, 1, 1, tzinfo=UTC).timestamp())
_MICROSECOND = 1_000
"""Nanoseconds."""
_BEYOND = "is not a time that a table can hold (of the years 1 to 9999)"
_FINER = "is finer than a microsecond, which is what a table can hold"
_LAST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
_LISTS = (pa.ListType, pa.LargeListType, pa.FixedSizeListType, pa.ListViewType, pa.LargeListViewType)


@dataclass(frozen=True, slots=True, kw_only=True)
class OddValues:
    """Values of a column that are such times, or have some within them.

    Attributes:
        odd: Which values these are: one flag a row.
        why: What is odd about them.
        numbers: All values of the column as numbers; ``None`` where the times lie within records, lists or maps.
    """

    odd: np.ndarray
    why: str
    numbers: pa.Array | None


def odd_values(column: pa.Array) -> Iterator[OddValues]:
    """What a column has of such times; one entry for each kind of them and place within records, lists and maps."""
    if not _has_times(column.type):
        return
    column = _plain(column)
    kind = column.type
    if isinstance(kind, pa.StructType):
        for inner in column.flatten():
            for found in odd_values(inner):
                yield OddValues(odd=found.odd, why=found.why, numbers=None)
        return
    if isinstance(kind, _LISTS):
        for found in odd_values(column.flatten()):
            lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
            odd = np.zeros(len(column), dtype=bool)
            odd[np.repeat(np.arange(len(column)), lengths)[found.odd]] = True
            yield OddValues(odd=odd, why=found.why, numbers=None)
        return
    least, most = _bounds(kind)
    numbers = column.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64())
    ends = pc.min_max(numbers).as_py()
    if ends["min"] is None:
        return
    if ends["min"] < least or ends["max"] > most:
        odd = pc.or_(pc.less(numbers, least), pc.greater(numbers, most))
        yield OddValues(odd=pc.fill_null(odd, False).to_numpy(zero_copy_only=False), why=_BEYOND, numbers=numbers)
    if getattr(kind, "unit", "") == "ns":
        values = pc.fill_null(numbers, 0).to_numpy()
        finer = (values % _MICROSECOND != 0) & (values >= least) & (values <= most)
        if finer.any():
            yield OddValues(odd=finer, why=_FINER, numbers=numbers)


def _has_times(kind: pa.DataType) -> bool:
    """Whether a type is of times that may be odd, or has some within it."""
    if isinstance(kind, pa.BaseExtensionType):
        return _has_times(kind.storage_type)
    if isinstance(kind, pa.StructType):
        return any(_has_times(kind.field(place).type) for place in range(kind.num_fields))
    if isinstance(kind, pa.MapType):
        return _has_times(kind.key_type) or _has_times(kind.item_type)
    if isinstance(kind, _LISTS) or pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _has_times(kind.value_type)
    finest = pa.types.is_time64(kind) and kind.unit == "ns"
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind) or finest)


def _plain(column: pa.Array) -> pa.Array:
    """The same values without what only says how they are kept; a map as a list of records."""
    while True:
        kind = column.type
        if isinstance(kind, pa.BaseExtensionType):
            column = column.storage
        elif pa.types.is_dictionary(kind):
            column = column.dictionary_decode()
        elif pa.types.is_run_end_encoded(kind):
            column = pc.run_end_decode(column)
        elif isinstance(kind, pa.MapType):
            return column.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)])))
        else:
            return column


def _bounds(kind: pa.DataType) -> tuple[int, int]:
    """The first and the last number of a type that is such a time."""
    if pa.types.is_date32(kind):
        return _FIRST // _DAY_SECONDS, _LAST // _DAY_SECONDS
    if pa.types.is_date64(kind):
        return _FIRST * 1_000, _LAST * 1_000
    if kind.unit == "ns":
        return _ENDLESS + 1, -_ENDLESS - 1
    return _FIRST * _UNITS[kind.unit], (_LAST + 1) * _UNITS[kind.unit] - 1
