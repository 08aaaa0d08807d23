"""Backups of a ledger, before it is migrated."""

from datetime import UTC, datetime

from sqlalchemy import inspect, text

from readiness_pipelines.ledger.database import Database
from readiness_pipelines.sql import identifier

PREFIX = "ledger_"


def back_up(database: Database, *, version: int, at: datetime) -> str:
    """Copy a ledger as it is.

    Args:
        database: The ledger's database.
        version: The ledger's version.
        at: The time, which the copy is named by.

    Returns:
        Where the copy is: a file beside an SQLite database (all of the database), a schema in a Postgres one (the
        ledger's tables).

    Raises:
        LedgerError: It cannot be written, or there is one of the same time already.
    """
    moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ").lower()
    return _to_file(database, f"v{version}_{moment}") if database.file else _to_schema(database, f"v{version}_{moment}")


def _to_file(database: Database, name: str) -> str:
    assert database.file is not None  # noqa: S101  # asked just before
    copy = database.file.with_name(f"{database.file.stem}.backup_{name}{database.file.suffix}")
    with database.reading() as connection:
        connection.execute(text("VACUUM INTO :copy"), {"copy": str(copy)})
    return str(copy)


def _to_schema(database: Database, name: str) -> str:
    schema = f"{PREFIX}backup_{name}"
    with database.writing() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {identifier(schema)}")
        for table in inspect(connection).get_table_names():
            if table.startswith(PREFIX):
                copy = f"{identifier(schema)}.{identifier(table)}"
                connection.exec_driver_sql(f"CREATE TABLE {copy} AS TABLE {identifier(table)}")
    return schema
