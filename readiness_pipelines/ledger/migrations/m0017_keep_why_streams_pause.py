"""Since when a process that reads a stream takes no messages, and why."""

from sqlalchemy import Column, Connection, Text, text
from sqlalchemy.schema import CreateColumn

from readiness_pipelines.ledger.times import UtcDateTime


def migrate(connection: Connection) -> None:
    """Add the columns."""
    for column in (Column("paused_since", UtcDateTime), Column("paused", Text)):
        defined = CreateColumn(column).compile(dialect=connection.dialect)
        connection.execute(text(f"ALTER TABLE ledger_streams ADD COLUMN {defined}"))
