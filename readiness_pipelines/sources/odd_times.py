"""Times that no table keeps, though a typed file can: outside of the years 1 to 9999, or finer than a microsecond.

Their rows cannot be parsed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.sources.json_values import as_json
from readiness_pipelines.sources.unify import as_text

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
        columns: The batch's columns, those that are read null in those rows.
        texts: Those rows, as JSON of the columns that are read: values as text, such times as the numbers that the file
            holds; ``None`` for the others.
        reasons: Why they cannot be parsed.
    """

    columns: list[pa.Array]
    texts: list[str | None]
    reasons: list[str | None]


def odd_times(batch: pa.RecordBatch, *, read: Sequence[int], first: int) -> OddTimes | None:
    """The rows with such times; ``None`` where there are none.

    Args:
        batch: Rows of a file.
        read: The places of the columns that are read; what the others have is nobody's loss.
        first: How many rows of the file come before.
    """
    numbers: dict[int, dict[int, str]] = {}
    whys: dict[int, list[str]] = {}
    for place in read:
        for values, odd, why in _odd_values(batch.column(place)):
            for row in np.flatnonzero(odd).tolist():
                numbers.setdefault(row, {})[place] = str(values[row])
                whys.setdefault(row, []).append(f"{batch.schema.names[place]} {why}")
    if not numbers:
        return None
    rows = sorted(numbers)
    written = {place: _written(batch.column(place), pa.array(rows, pa.int64())) for place in read}
    texts: list[str | None] = [None] * batch.num_rows
    reasons: list[str | None] = [None] * batch.num_rows
    names = batch.schema.names
    for at, row in enumerate(rows):
        texts[row] = as_json({names[place]: numbers[row].get(place, values[at]) for place, values in written.items()})
        reasons[row] = f"row {first + row + 1}: {'; '.join(whys[row])}"
    odd = np.zeros(batch.num_rows, dtype=bool)
    odd[rows] = True
    kept = pa.array(np.arange(batch.num_rows), mask=odd)
    columns = [_taken(column, kept) if place in written else column for place, column in enumerate(batch.columns)]
    return OddTimes(columns=columns, texts=texts, reasons=reasons)


def _taken(column: pa.Array, rows: pa.Array) -> pa.Array:
    """Some rows of a column; Arrow takes none of its views."""
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}.get(column.type)
    return (column if plain is None else column.cast(plain)).take(rows)


def _written(column: pa.Array, rows: pa.Array) -> list[str | None]:
    """Some rows of a column as text; times with a zone in UTC, for Arrow may not know the zone that a file names."""
    taken = _taken(column, rows)
    if pa.types.is_timestamp(taken.type) and taken.type.tz is not None:
        taken = taken.cast(pa.timestamp(taken.type.unit, "UTC"))
    try:
        found: list[str | None] = as_text(pa.chunked_array([taken])).to_pylist()
    except (OverflowError, ValueError):  # a time within it is out of Python's range: as Arrow prints it
        found = [" ".join(taken.slice(at, 1).to_string().split()) for at in range(len(taken))]
    return found


def _odd_values(column: pa.Array) -> Iterator[tuple[pa.Array, np.ndarray, str]]:
    """The numbers of a column that has such times, which of them they are, and what is odd about them."""
    bounds = _bounds(column.type)
    if bounds is None:
        return
    numbers = column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())
    least, most = bounds
    ends = pc.min_max(numbers).as_py()
    if ends["min"] is None:
        return
    if ends["min"] < least or ends["max"] > most:
        odd = pc.or_(pc.less(numbers, least), pc.greater(numbers, most))
        yield numbers, pc.fill_null(odd, False).to_numpy(zero_copy_only=False), _BEYOND  # Arrow's
    if getattr(column.type, "unit", "") == "ns":
        values = pc.fill_null(numbers, 0).to_numpy()
        finer = (values % _MICROSECOND != 0) & (values >= least) & (values <= most)
        if finer.any():
            yield numbers, finer, _FINER


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
