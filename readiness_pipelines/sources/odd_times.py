"""Rows with times that no table keeps, though a typed source can: they cannot be parsed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from readiness_pipelines.sources.json_values import as_json
from readiness_pipelines.sources.odd_values import odd_values
from readiness_pipelines.sources.rows import row_batch
from readiness_pipelines.sources.unify import as_text


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
    whys: dict[int, dict[str, None]] = {}
    for place in read:
        for found in odd_values(batch.column(place)):
            for row in np.flatnonzero(found.odd).tolist():
                whys.setdefault(row, {})[f"{batch.schema.names[place]} {found.why}"] = None
                if found.numbers is not None:
                    numbers.setdefault(row, {})[place] = str(found.numbers[row])
    if not whys:
        return None
    rows = sorted(whys)
    written = {place: _written(batch.column(place), pa.array(rows, pa.int64())) for place in read}
    texts: list[str | None] = [None] * batch.num_rows
    reasons: list[str | None] = [None] * batch.num_rows
    names = batch.schema.names
    for at, row in enumerate(rows):
        texts[row] = as_json(
            {names[place]: numbers.get(row, {}).get(place, values[at]) for place, values in written.items()}
        )
        reasons[row] = f"row {first + row + 1}: {'; '.join(whys[row])}"
    odd = np.zeros(batch.num_rows, dtype=bool)
    odd[rows] = True
    kept = pa.array(np.arange(batch.num_rows), mask=odd)
    columns = [_taken(column, kept) if place in written else column for place, column in enumerate(batch.columns)]
    return OddTimes(columns=columns, texts=texts, reasons=reasons)


def rows_without_odd_times(
    batch: pa.RecordBatch, names: Sequence[str], *, read: Sequence[int], places: range
) -> pa.Table:
    """A batch's rows as `row_batch` gives them; those with such times cannot be parsed.

    Args:
        batch: Rows of a source.
        names: What its columns are called.
        read: The places of the columns that are read.
        places: The rows' places in the source.
    """
    odd = odd_times(batch, read=read, first=places.start)
    return row_batch(
        odd.columns if odd else batch.columns,
        names,
        places=places,
        unreadable=odd.texts if odd else None,
        reasons=odd.reasons if odd else None,
    )


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
