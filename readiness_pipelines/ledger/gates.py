"""Gates: what each version of a table's gate demands."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

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
    """Keep a gate of a table; once is enough."""
    # The dialect of the database alone: Postgres's takes longer to load than all that a small ledger is asked.
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_new  # noqa: PLC0415
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_new  # type: ignore[assignment]  # noqa: PLC0415
    row = {"table_name": str(table), **asdict(gate)}
    connection.execute(insert_new(GATES).values(row).on_conflict_do_nothing())


def gates_of(connection: Connection, table: TableId) -> tuple[GateRecord, ...]:
    """The gates of a table, by first use."""
    query = select(GATES).where(is_table(GATES, table)).order_by(GATES.c.first_used_at)
    return tuple(
        GateRecord(version=row.version, declaration=row.declaration, first_used_at=row.first_used_at)
        for row in connection.execute(query)
    )
