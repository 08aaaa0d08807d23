"""Times that no table keeps, though a typed file can: outside of the years 1 to 9999, or finer than a microsecond.

Their rows cannot be parsed.
"""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OddTimes:
    """Rows of a batch that have such times.

    Attributes:
        columns: The batch's columns, those rows null.
        texts: What those rows have, as the numbers that the file holds; ``None`` for the others.
        reasons: Why they cannot be parsed.
    """

    columns: list[pa.Array]
    texts: list[str | None]
    reasons: list[str | None]


def odd_times(batch: pa.RecordBatch) -> OddTimes | None:
    """The rows with such times; ``None`` where there are none."""
    found = list(_odd_columns(batch))
    if not found:
        return None
    texts: list[str | None] = [None] * batch.num_rows
    reasons: list[str | None] = [None] * batch.num_rows
    for name, numbers, odd, why in found:
        for row in np.flatnonzero(odd):
            texts[row] = f"{texts[row]}, {name}: {numbers[row]}" if texts[row] else f"{name}: {numbers[row]}"
            reasons[row] = f"row {row + 1}: {name} {why}"
    bad = pa.array([text is not None for text in texts])
    kept = pc.if_else(bad, pa.scalar(None, pa.int64()), pa.array(np.arange(batch.num_rows)))
    return OddTimes(columns=[column.take(kept) for column in batch.columns], texts=texts, reasons=reasons)


def _odd_columns(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Array, np.ndarray, str]]:
    """Each column that has some, its numbers, which of them, and what is odd about them."""
    for field, column in zip(batch.schema, batch.columns, strict=True):
        bounds = _bounds(field.type)
        if bounds is None:
            continue
        numbers = column.cast(pa.int32() if pa.types.is_date32(field.type) else pa.int64())
        least, most = bounds
        ends = pc.min_max(numbers).as_py()
        if ends["min"] is None:
            continue
        if ends["min"] < least or ends["max"] > most:
            odd = pc.or_(pc.less(numbers, least), pc.greater(numbers, most))
            yield field.name, numbers, pc.fill_null(odd, False).to_numpy(zero_copy_only=False), _BEYOND  # Arrow's
        if getattr(field.type, "unit", "") == "ns":
            values = pc.fill_null(numbers, 0).to_numpy()
            finer = (values % _MICROSECOND != 0) & (values >= least) & (values <= most)
            if finer.any():
                yield field.name, numbers, finer, _FINER


def _bounds(kind: pa.DataType) -> tuple[int, int] | None:
    """The first and the last number of a type that is such a time."""
    if (pa.types.is_timestamp(kind) or pa.types.is_time(kind)) and kind.unit == "ns":
        return _ENDLESS + 1, -_ENDLESS - 1
    if pa.types.is_timestamp(kind):
        return _FIRST * _UNITS[kind.unit], (_LAST + 1) * _UNITS[kind.unit] - 1
    if pa.types.is_date32(kind):
        return _FIRST // _DAY_SECONDS, _LAST // _DAY_SECONDS
    if pa.types.is_date64(kind):
        return _FIRST * 1_000, _LAST * 1_000
    return None
