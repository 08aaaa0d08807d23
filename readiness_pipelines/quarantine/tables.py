"""The ledger's tables."""

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
)

METADATA = MetaData()

SCHEMA_VERSION = 1
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

_REFUSE = "'append-only'"

_GUARDS = {
    "sqlite": [
        f"CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger_trail BEGIN SELECT RAISE(ABORT, {_REFUSE}); END",
        f"CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger_trail BEGIN SELECT RAISE(ABORT, {_REFUSE}); END",
    ],
    "postgresql": [
        f"""
        CREATE OR REPLACE FUNCTION ledger_trail_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION {_REFUSE}; END $$
        """,
        """
        CREATE TRIGGER ledger_trail_append_only BEFORE UPDATE OR DELETE ON ledger_trail
        FOR EACH ROW EXECUTE FUNCTION ledger_trail_append_only()
        """,
    ],
}


@event.listens_for(TRAIL, "after_create")
def _guard_trail(_table: Table, connection: Connection, **_options: Any) -> None:
    """What is written in the trail stays: the database itself refuses to change it."""
    for statement in _GUARDS[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def create_missing(engine: Engine) -> None:
    """Create the tables that are not there yet."""
    METADATA.create_all(engine)
