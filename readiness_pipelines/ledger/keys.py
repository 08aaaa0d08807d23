"""How tables and batches are named in the ledger's rows, and found there."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Table

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.names import TableId


def batch_key(ref: BatchRef) -> dict[str, str]:
    """The columns that name a batch."""
    return {"table_name": str(ref.table), "batch": ref.batch}


def is_batch(table: Table, ref: BatchRef) -> ColumnElement[bool]:
    """The condition for the rows of a batch."""
    return is_table(table, ref.table) & (table.c.batch == ref.batch)


def is_table(table: Table, name: TableId) -> ColumnElement[bool]:
    """The condition for the rows of a table."""
    return table.c.table_name == str(name)


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
