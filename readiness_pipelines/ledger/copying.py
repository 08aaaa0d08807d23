"""What a ledger knows of some tables, copied into another one that has nothing of them yet."""

from collections.abc import Collection
from contextlib import nullcontext

from sqlalchemy import Connection, Table, insert, select

from readiness_pipelines.ledger.guards import unguarded
from readiness_pipelines.ledger.keys import in_tables
from readiness_pipelines.ledger.tables import (
    APPEND_ONLY,
    BATCHES,
    CLAIMS,
    CONTENTS,
    DECISION_VALUES,
    DECISIONS,
    ERASED_PERSONS,
    EVENT_TIMES,
    FINDINGS,
    GATES,
    PROFILES,
    SHAPES,
    TRAIL,
)
from readiness_pipelines.names import TableId

_COPIED: tuple[Table, ...] = (
    BATCHES,
    TRAIL,
    GATES,
    DECISIONS,
    DECISION_VALUES,
    FINDINGS,
    SHAPES,
    CLAIMS,
    CONTENTS,
    PROFILES,
    EVENT_TIMES,
)
"""All that a delivery looks at, but for attempts: what is under way is of the ledger that is copied."""

_ROWS_AT_ONCE = 1_000


def copy_tables(source: Connection, target: Connection, tables: Collection[TableId]) -> None:
    """Copy what is known of some tables; numbers stay, because decisions and verdicts name each other by them.

    Args:
        source: The ledger that knows them.
        target: A new one, in a transaction.
        tables: The tables, with what lies beside them.
    """
    for table in _COPIED:
        # Numbers have gaps where rows are of other tables: the guard would refuse them.
        with unguarded(target, table.name) if table in APPEND_ONLY else nullcontext():
            found = source.execute(select(table).where(in_tables(table, tables)).order_by(*table.primary_key))
            for rows in found.mappings().partitions(_ROWS_AT_ONCE):
                target.execute(insert(table), [dict(row) for row in rows])
    # The register is an input of every batch.
    for rows in source.execute(select(ERASED_PERSONS)).mappings().partitions(_ROWS_AT_ONCE):
        target.execute(insert(ERASED_PERSONS), [dict(row) for row in rows])
