"""The columns of changes, as a schema to build on."""

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines.columns import CHANGE_OPS


class ChangeColumns(pa.DataFrameModel):
    """What each change has beside the columns of its table; a schema of changes is built on it.

    The table's own columns are nullable in it: a delete has its key, and of the rest what the database wrote down; a
    truncate has none. For each column of the key there is one more, named ``before_`` and its name, nullable: an update
    that changes the key has the old one there.

    Attributes:
        change_op: ``snapshot``, ``insert``, ``update``, ``delete``, ``truncate``, or ``tombstone``.
        change_position: Its place in the database's log, as text that sorts by it; a tombstone has none.
        change_at: When the database made it.
        change_table: The table, as ``schema.table``.
        change_transaction: The transaction that it was part of.
        change_unchanged: Large columns that an update did not touch, as a JSON list: they are null in its row.

    Example:
        class CustomerChange(ChangeColumns):
            id: arrow.int64() = pa.Field(nullable=True)
            before_id: arrow.int64() = pa.Field(nullable=True)
            name: arrow.string() = pa.Field(nullable=True)
    """

    change_op: arrow.string() = pa.Field(isin=CHANGE_OPS)
    change_position: arrow.string() = pa.Field(nullable=True)
    change_at: arrow.timestamp("us", "UTC") = pa.Field(nullable=True)
    change_table: arrow.string() = pa.Field(nullable=True)
    change_transaction: arrow.string() = pa.Field(nullable=True)
    change_unchanged: arrow.string() = pa.Field(nullable=True)
