"""Gates: what each version of a table's gate demands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from readiness_pipelines.ledger.keys import is_table
from readiness_pipelines.ledger.tables import GATES
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRecord:
    """A gate that has judged batches of a table: its version, what it demands (as JSON), and when it was first used."""

    version: str
    declaration: Mapping[str, Any]
    first_used_at: datetime


def remember_gate(connection: Connection, table: TableId, gate: GateRecord) -> None:
    """Keep a gate of a table; of one that is known, the words for people, as they are now."""
    here = is_table(GATES, table) & (GATES.c.version == gate.version)
    known = connection.execute(select(GATES.c.declaration).where(here)).scalar_one_or_none()
    if known is not None and _as_stored(known) == _as_stored(gate.declaration):
        return
    if known is not None:
        connection.execute(update(GATES).where(here).values(declaration=gate.declaration))
        return
    # The dialect of the database alone: Postgres's takes longer to load than all that a small ledger is asked.
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_new  # noqa: PLC0415
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_new  # type: ignore[assignment]  # noqa: PLC0415
    row = {
        "table_name": str(table),
        "version": gate.version,
        "declaration": gate.declaration,
        "first_used_at": gate.first_used_at,
    }
    connection.execute(insert_new(GATES).values(row).on_conflict_do_nothing())


def _as_stored(declaration: Mapping[str, Any]) -> str:
    return json.dumps(declaration, sort_keys=True)


def gates_of(connection: Connection, table: TableId) -> tuple[GateRecord, ...]:
    """The gates of a table, by first use."""
    query = select(GATES).where(is_table(GATES, table)).order_by(GATES.c.first_used_at)
    return tuple(
        GateRecord(version=row.version, declaration=row.declaration, first_used_at=row.first_used_at)
        for row in connection.execute(query)
    )
