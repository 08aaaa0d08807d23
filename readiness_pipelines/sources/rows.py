"""Rows of one file: tables with their place in the file, and the lines that could not be parsed."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

ROWS_PER_BATCH = 50_000
BYTES_PER_BATCH = 32 << 20
_CELLS_PER_BATCH = 2_000_000


class Filling:
    """How full a batch of rows is, by their count, their cells and their text: none of them may take all memory."""

    def __init__(self, columns: int) -> None:
        self._most_rows = rows_per_batch(columns)
        self._rows = 0
        self._bytes = 0

    def add(self, size: int) -> bool:
        """Count a row with so much text; whether the batch is full with it, and the next one begins."""
        self._rows += 1
        self._bytes += size
        full = self._rows >= self._most_rows or self._bytes >= BYTES_PER_BATCH
        if full:
            self._rows = self._bytes = 0
        return full


def rows_per_batch(columns: int) -> int:
    """Rows that are made one batch: fewer where there are many columns."""
    return max(1, min(ROWS_PER_BATCH, _CELLS_PER_BATCH // max(columns, 1)))


class FileRows(Protocol):
    """A file that was examined and can be read.

    Attributes:
        schema: Its columns as they arrive; names may repeat or be blank.
    """

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""
        ...

    def batches(self) -> Iterator[pa.Table]:
        """Its rows: the schema's columns in their order, then ``_row`` (from 0), ``_unreadable`` and its reason."""
        ...


def row_batch(
    columns: Sequence[pa.Array | pa.ChunkedArray],
    names: Sequence[str],
    *,
    places: Sequence[int] | pa.Array,
    unreadable: Sequence[str | None] | None = None,
    reasons: Sequence[str | None] | None = None,
) -> pa.Table:
    """One table of a file's rows.

    Args:
        columns: One array per column.
        names: Their names.
        places: Place of each row in the file, from 0.
        unreadable: Raw text of the rows that could not be parsed; ``None`` where all could.
        reasons: Why they could not.
    """
    rows = len(places)
    nothing = pa.nulls(rows, pa.string())
    return pa.table(
        [
            *columns,
            pa.arange(places.start, places.stop) if isinstance(places, range) else pa.array(places, pa.int64()),
            nothing if unreadable is None else pa.array(unreadable, pa.string()),
            nothing if reasons is None else pa.array(reasons, pa.string()),
        ],
        names=[*names, "_row", "_unreadable", "_unreadable_reason"],
    )


def text_schema(names: Iterable[str]) -> pa.Schema:
    """Columns that are all text."""
    return pa.schema([(name, pa.string()) for name in names])


def without_blank_end(tables: Iterator[pa.Table], delimiter: str) -> Iterator[pa.Table]:
    """Rows without those after the last one that has a value.

    Args:
        tables: As `row_batch` makes them, in any order of their places.
        delimiter: What a line of a blank row, which has too many or too few fields, consists of.
    """
    last, waiting = -1, list[pa.Table]()
    for table in tables:
        blank = _blank_rows(table, delimiter)
        if blank is None:
            last = max(last, pc.max(_places(table)).as_py() or 0) if table.num_rows else last
        else:
            valued = pc.max(_places(table.filter(pc.invert(blank)))).as_py()
            last = last if valued is None else max(last, valued)
            held = pc.and_(blank, pc.greater(_places(table), last))
            if (kept := table.filter(held)).num_rows:
                waiting.append(kept)
                table = table.filter(pc.invert(held))  # noqa: PLW2901  # what is left of it
        waiting, due = _split(waiting, last)
        yield from due
        if table.num_rows:
            yield table


def _split(waiting: list[pa.Table], last: int) -> tuple[list[pa.Table], list[pa.Table]]:
    """Rows that still wait for a row with a value after them, and those that have one."""
    if not waiting:
        return [], []
    after = [(table, pc.greater(_places(table), last)) for table in waiting]
    still = [table.filter(mask) for table, mask in after]
    due = [table.filter(pc.invert(mask)) for table, mask in after]
    return [table for table in still if table.num_rows], [table for table in due if table.num_rows]


def _places(table: pa.Table) -> pa.ChunkedArray:
    """The places of rows in the file, by where `row_batch` puts them: the file may have a ``_row`` of its own."""
    return table.column(table.num_columns - 3)


def _blank_rows(table: pa.Table, delimiter: str) -> pa.ChunkedArray | None:
    """Which rows have no value; ``None`` where all have one."""
    *columns, _, unreadable, _ = table.columns
    if columns and any(column.null_count == 0 for column in columns) and table.num_rows:
        return None
    blank = pc.equal(pc.utf8_trim(pc.fill_null(unreadable, ""), delimiter), "")
    for column in columns:
        blank = pc.and_(blank, column.is_null())
    return blank if pc.any(blank).as_py() else None
