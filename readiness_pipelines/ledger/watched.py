"""Watched tables: their state at the last look, and since when somebody looks."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from readiness_pipelines.ledger.keys import is_table, table_of
from readiness_pipelines.ledger.tables import WATCHED
from readiness_pipelines.names import TableId


def watched_tables(connection: Connection) -> Mapping[TableId, tuple[str, datetime]]:
    """Each watched table's state at the last look, and since when it is watched."""
    return {table_of(row): (row.state, row.watched_since) for row in connection.execute(select(WATCHED))}


def keep_states(connection: Connection, states: Mapping[TableId, str], *, at: datetime) -> None:
    """Keep each table's state for the next look."""
    known = watched_tables(connection)
    for table, state in states.items():
        if table in known:
            connection.execute(update(WATCHED).where(is_table(WATCHED, table)).values(state=state, looked_at=at))
        else:
            values = {"table_name": str(table), "state": state, "watched_since": at, "looked_at": at}
            connection.execute(insert(WATCHED).values(**values))


def last_look(connection: Connection) -> datetime | None:
    """When somebody looked last at a table that promises freshness; ``None`` before the first look."""
    found: datetime | None = connection.execute(select(func.max(WATCHED.c.looked_at))).scalar()
    return found
