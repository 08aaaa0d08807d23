"""The ledger's tables."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    event,
    inspect,
    update,
)

METADATA = MetaData()

SCHEMA_VERSION = 3
"""Raised with every change of the tables; a ledger of a newer version is refused."""


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC, also on SQLite, which forgets zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a time without a zone: it could be any."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Put the zone back where the database lost it."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by itself only where the key is a plain INTEGER.
_ID = BigInteger().with_variant(Integer, "sqlite")


def _batch_key() -> list[Column[str]]:
    return [Column(name, String(200), primary_key=True) for name in ("path", "table_name", "batch")]


VERSION = Table("ledger_version", METADATA, Column("version", Integer, primary_key=True))

BATCHES = Table(
    "ledger_batches",
    METADATA,
    *_batch_key(),
    Column("state", String(30), nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("ingested", "published", "quarantined", "discarded")),
    Column("unreadable", BigInteger, nullable=False),
    *(Column(name, BigInteger) for name in ("raw_snapshot", "quarantine_snapshot", "published_snapshot")),
    Column("gate_version", String(64)),
    Column("run_id", String(200)),
    Column("attempt", String(64)),
    Column("reason", Text),
    Column("inputs", JSON, nullable=False),
    Column("files", JSON, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("newest_event_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
)

ATTEMPTS = Table(
    "ledger_attempts",
    METADATA,
    Column("attempt", String(64), primary_key=True),
    *(Column(name, String(200), nullable=False) for name in ("path", "table_name", "batch")),
    Column("run_id", String(200), nullable=False),
    Column("who", String(200), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", Text),
    Index("ledger_attempts_open", "ended_at"),
)

TRAIL = Table(
    "ledger_trail",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    *(Column(name, String(200), nullable=False) for name in ("path", "table_name", "batch")),
    Column("at", UtcDateTime, nullable=False),
    Column("what", String(60), nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text),
    Column("run_id", String(200)),
    Column("attempt", String(64)),
    Column("details", JSON, nullable=False),
    Index("ledger_trail_batch", "path", "table_name", "batch"),
)

GATES = Table(
    "ledger_gates",
    METADATA,
    *(Column(name, String(200), primary_key=True) for name in ("path", "table_name")),
    Column("version", String(64), primary_key=True),
    Column("declaration", JSON, nullable=False),
    Column("first_used_at", UtcDateTime, nullable=False),
)

DECISIONS = Table(
    "ledger_decisions",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    *(Column(name, String(200), nullable=False) for name in ("path", "table_name", "batch")),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("what", JSON, nullable=False),
    Index("ledger_decisions_batch", "path", "table_name", "batch"),
)

REQUESTS = Table(
    "ledger_replay_requests",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    *(Column(name, String(200), nullable=False) for name in ("path", "table_name", "batch")),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("state", String(30), nullable=False),
    Column("run_id", String(200)),
    Column("outcome", Text),
    Index("ledger_replay_requests_state", "state"),
)

WATCHED = Table(
    "ledger_watched_tables",
    METADATA,
    *(Column(name, String(200), primary_key=True) for name in ("path", "table_name")),
    Column("state", String(30), nullable=False),
    Column("watched_since", UtcDateTime, nullable=False),
    Column("looked_at", UtcDateTime, nullable=False),
)

INCIDENTS = Table(
    "ledger_incidents",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("subject", String(800), nullable=False),
    Column("state", String(30), nullable=False),
    *(Column(name, String(200), nullable=False) for name in ("kind", "severity", "path", "table_name")),
    Column("batch", String(200)),
    *(Column(name, Text, nullable=False) for name in ("promised", "seen", "way_out", "answers")),
    Column("details", JSON, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("notified_at", UtcDateTime),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", String(200)),
    Column("resolved_at", UtcDateTime),
    Column("resolved_by", String(200)),
    Index("ledger_incidents_subject", "subject"),
    Index("ledger_incidents_state", "state"),
)

INCIDENT_EVENTS = Table(
    "ledger_incident_events",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("incident", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("what", String(60), nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text),
    Index("ledger_incident_events_incident", "incident"),
)

FINDINGS = Table(
    "ledger_findings",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    *(Column(name, String(200), nullable=False) for name in ("path", "table_name", "batch")),
    *(Column(name, String(200), nullable=False) for name in ("kind", "measured")),
    Column("column_name", String(500)),
    *(Column(name, Text, nullable=False) for name in ("promised", "seen")),
    Column("details", JSON, nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
    Column("normal_at", UtcDateTime),
    Column("normal_by", String(200)),
    Column("normal_why", Text),
    Index("ledger_findings_batch", "path", "table_name", "batch"),
)

MESSAGES = Table(
    "ledger_messages",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("channel", String(200), nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("written_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("error", Text),
    Index("ledger_messages_unsent", "sent_at", "next_try_at"),
)

TOLD = Table(
    "ledger_told",
    METADATA,
    Column("channel", String(200), primary_key=True),
    Column("incident", BigInteger, primary_key=True),
    Column("what", String(100), primary_key=True),
    Column("message", BigInteger, nullable=False),
)

SILENCES = Table(
    "ledger_silences",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("tables", String(200), nullable=False),
    Column("begins_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
)

_REFUSE = "'append-only'"


def _guards(dialect: str, table: str) -> list[str]:
    """Statements that make the database itself refuse to change or delete a table's rows."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, {_REFUSE}); END"
            for verb in ("update", "delete")
        ]
    return [
        f"""
        CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION {_REFUSE}; END $$
        """,
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_append_only()
        """,
    ]


@event.listens_for(TRAIL, "after_create")
@event.listens_for(DECISIONS, "after_create")
@event.listens_for(INCIDENT_EVENTS, "after_create")
def _guard(table: Table, connection: Connection, **_options: Any) -> None:
    """What is written in the trail, and what was decided, stays."""
    for statement in _guards(connection.dialect.name, table.name):
        connection.exec_driver_sql(statement)


ADDED_COLUMNS: Mapping[int, tuple[Column[Any], ...]] = {
    2: (BATCHES.c.newest_event_at,),
    3: (INCIDENTS.c.resolved_by,),
}
"""Columns that joined a table with a version; whole tables are created where they are missing."""


def upgrade(connection: Connection, *, version: int) -> None:
    """Bring a ledger of an older version to this program's; nothing that is there changes."""
    for newer in range(version + 1, SCHEMA_VERSION + 1):
        for column in ADDED_COLUMNS.get(newer, ()):
            if column.name in {one["name"] for one in inspect(connection).get_columns(column.table.name)}:
                continue  # the whole table is newer than the ledger
            kind = column.type.compile(connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {column.name} {kind}")
    connection.execute(update(VERSION).values(version=SCHEMA_VERSION))


def create_missing(engine: Engine) -> None:
    """Create the tables that are not there yet."""
    METADATA.create_all(engine)
