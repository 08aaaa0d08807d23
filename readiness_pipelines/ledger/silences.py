"""Silences: times in which nobody is notified about some tables."""

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from sqlalchemy import Connection, insert, select

from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger.tables import SILENCES
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A time in which nobody is notified about some tables: ``tables`` is a pattern such as ``shop.*``."""

    id: int
    tables: str
    begins_at: datetime
    ends_at: datetime
    who: str
    why: str

    def covers(self, table: TableId, at: datetime) -> bool:
        """Whether it silences a table at a time."""
        return self.begins_at <= at < self.ends_at and fnmatchcase(str(table), self.tables)


def add_silence(
    connection: Connection, tables: str, *, begins_at: datetime, ends_at: datetime, who: str, why: str
) -> None:
    """Keep a silence.

    Raises:
        LedgerError: No reason, or an end that is not after the beginning.
    """
    if not why.strip() or ends_at <= begins_at:
        raise LedgerError(
            f"the silence of {tables} has no reason, or ends before it begins", way_out='--reason "…" --for 2h'
        )
    values = {"tables": tables, "begins_at": begins_at, "ends_at": ends_at, "who": who, "why": why}
    connection.execute(insert(SILENCES).values(**values))


def silences(connection: Connection) -> tuple[Silence, ...]:
    """All silences, oldest first."""
    return tuple(
        Silence(id=r.id, tables=r.tables, begins_at=r.begins_at, ends_at=r.ends_at, who=r.who, why=r.why)
        for r in connection.execute(select(SILENCES).order_by(SILENCES.c.id))
    )
