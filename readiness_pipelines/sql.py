"""Quoting, and DuckDB as we open it."""

from functools import cache, lru_cache
from typing import Any

import duckdb
import pyarrow as pa

SETTINGS = {
    "default_order": "ASC",
    "default_null_order": "NULLS_LAST",
    "ieee_floating_point_ops": True,
    "integer_division": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
"""What every connection is opened with, beside its time zone."""


def identifier(name: str) -> str:
    """Quote a column or table name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text value for SQL."""
    return "'" + text.replace("'", "''") + "'"


def utc_connection(database: str = ":memory:", **options: Any) -> duckdb.DuckDBPyConnection:
    """Open DuckDB so that nothing but the data decides what a query says: the one place where it is opened.

    Neither the host's time zone nor what a version of DuckDB takes for its default, nor an extension that is loaded
    because a query seems to want it.

    Args:
        database: A file; by default in memory.
        options: What `duckdb.connect` takes.
    """
    config = {**SETTINGS, **options.pop("config", {})}
    connection = duckdb.connect(database, config=config, **options)
    # For its cursors too, which would have the host's: a session's own setting is not theirs.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def use_utc(connection: duckdb.DuckDBPyConnection) -> None:
    """Let a connection that somebody else opened read and write times in UTC."""
    ((zone,),) = connection.execute("SELECT current_setting('TimeZone')").fetchall()
    if zone != "UTC":
        connection.execute("SET TimeZone = 'UTC'")


def lock_connection(connection: duckdb.DuckDBPyConnection, *folders: str) -> None:
    """Leave a connection no files but those in some folders, no extensions to load, and no setting to change.

    Args:
        connection: The connection, with its settings made.
        folders: Absolute paths of the folders.
    """
    allowed = ", ".join(literal(folder.rstrip("/") + "/") for folder in folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def locked_connection(*folders: str) -> duckdb.DuckDBPyConnection:
    """Open DuckDB in memory for values that are at hand; see `utc_connection` and `lock_connection`.

    Args:
        folders: Absolute paths of the only folders whose files it reaches; none by default.
    """
    connection = utc_connection()
    lock_connection(connection, *folders)
    return connection


@lru_cache(maxsize=256)
def duckdb_type(kind: pa.DataType) -> str:
    """DuckDB's name for an Arrow type."""
    (name,) = probe_connection().from_arrow(pa.schema([("x", kind)]).empty_table()).types
    return str(name)


def probe_connection() -> duckdb.DuckDBPyConnection:
    """A connection for probing what DuckDB makes of a type or expression; a new one for each call, on one database."""
    return _database().cursor()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Opening a database for each probe would cost more than the probe."""
    return locked_connection()
