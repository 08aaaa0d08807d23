"""Links between the rows of what is append-only, and guards that also refuse to replace, renumber and empty.

What is there when a ledger is migrated is linked as it is: of what was done to it before, the links say nothing.
"""

from typing import Any

from sqlalchemy import JSON, ColumnClause, Connection, column, table, text

from readiness_pipelines.ledger.chain import link_rows
from readiness_pipelines.ledger.guards import unguarded
from readiness_pipelines.ledger.times import UtcDateTime

TABLES = {
    "ledger_trail": ("table_name", "batch", "at", "what", "who", "why", "run_id", "attempt", "details"),
    "ledger_decisions": ("table_name", "batch", "at", "who", "why", "verb", "content", "text"),
    "ledger_incident_events": ("incident", "at", "what", "who", "why"),
    "ledger_shapes": ("table_name", "batch", "columns", "at", "who", "why"),
    "ledger_claims": ("table_name", "module", "owner", "origin", "at", "who", "why"),
}
TYPES = {"at": UtcDateTime, "details": JSON, "content": JSON, "columns": JSON}


def migrate(connection: Connection) -> None:
    """Link the rows, put the guards of now in place of those of before, and name the table of notices by its word."""
    for name, names in TABLES.items():
        with unguarded(connection, name):
            connection.execute(text(f"ALTER TABLE {name} ADD COLUMN link VARCHAR(64) DEFAULT '' NOT NULL"))
            columns: list[ColumnClause[Any]] = [column(one, TYPES.get(one)) for one in names]
            link_rows(connection, table(name, column("id"), column("link"), *columns))
    connection.execute(text("ALTER TABLE ledger_told RENAME TO ledger_notices"))
