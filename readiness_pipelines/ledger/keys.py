"""How tables and batches are named in the ledger's rows, and found there."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Table, tuple_

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.names import TableId

NAMED_AT_ONCE = 5_000
"""So many batches are named in one query: databases bound how many values one may be given."""


def batch_key(ref: BatchRef) -> dict[str, str]:
    """The columns that name a batch."""
    return {"table_name": str(ref.table), "batch": ref.batch}


def is_batch(table: Table, ref: BatchRef) -> ColumnElement[bool]:
    """The condition for the rows of a batch."""
    return is_table(table, ref.table) & (table.c.batch == ref.batch)


def is_table(table: Table, name: TableId) -> ColumnElement[bool]:
    """The condition for the rows of a table."""
    return table.c.table_name == str(name)


def among_batches(table: Table, refs: Collection[BatchRef]) -> Iterator[ColumnElement[bool]]:
    """Conditions for the rows of some batches, each for as many as a query may name."""
    wanted = sorted((str(ref.table), ref.batch) for ref in refs)
    for start in range(0, len(wanted), NAMED_AT_ONCE):
        yield tuple_(table.c.table_name, table.c.batch).in_(wanted[start : start + NAMED_AT_ONCE])


def in_tables(table: Table, names: Collection[TableId]) -> ColumnElement[bool]:
    """The condition for the rows of some tables."""
    return table.c.table_name.in_(sorted(map(str, names)))


def table_of(row: Any) -> TableId:
    """The table that a row names."""
    return TableId.parse(row.table_name)


def batch_of(row: Any) -> BatchRef:
    """The batch that a row names."""
    return BatchRef(table_of(row), row.batch)


def new_number(result: CursorResult[Any]) -> int:
    """The number that the database gave to a new row."""
    return int((result.inserted_primary_key or (0,))[0])
