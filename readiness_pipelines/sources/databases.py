"""Databases that a query reads: SQLite, Postgres and DuckDB, each behind the same three methods."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa

from readiness_pipelines.errors import DeclarationError, LandingError, ReadinessError
from readiness_pipelines.masking import quoted_text
from readiness_pipelines.sources.records import values_to_table
from readiness_pipelines.sql import identifier, utc_connection

BUCKET_SECONDS = 900
"""All zones' offsets are whole quarters of an hour, so that each lies in one window of any calendar."""
ROWS_PER_BATCH = 50_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMES = ("sqlite", "postgresql", "duckdb")


class SourceDatabase(Protocol):
    """One database, opened to be read."""

    def read(self, query: str) -> Iterator[pa.Table]:
        """The rows of a query; at least one table, which may be empty."""
        ...

    def between(self, cursor: str, start: datetime, end: datetime) -> str:
        """The condition that a column lies in a time."""
        ...

    def bucket(self, cursor: str) -> str:
        """The count of `BUCKET_SECONDS` from 1970 to a column's time."""
        ...


@contextmanager
def open_database(url: str, *, name: str) -> Iterator[SourceDatabase]:
    """Open a database for reading only.

    Args:
        url: ``sqlite:///…``, ``postgresql://…`` or ``duckdb:///…``.
        name: The connection's name, which errors name in place of its URL.

    Raises:
        DeclarationError: Another kind of database, or the driver is not installed.
        LandingError: The database cannot be reached, or refuses what is asked.
    """
    scheme = re.split(r"[:+]", url, maxsplit=1)[0]
    try:
        match scheme:
            case "sqlite":
                with closing(sqlite3.connect(f"file:{_path(url)}?mode=ro", uri=True)) as connection:
                    connection.execute("BEGIN")
                    yield _Sqlite(connection)
            case "duckdb":
                with utc_connection(_path(url), read_only=True) as opened:
                    yield _DuckDb(opened)
            case "postgresql" | "postgres":
                with closing(_adbc().connect(re.sub(r"^[a-z]+(\+\w+)?://", "postgresql://", url))) as opened:
                    with opened.cursor() as cursor:
                        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                        cursor.execute("SET LOCAL TimeZone = 'UTC'")
                    yield _Postgres(opened)
                    opened.rollback()
            case _:
                raise DeclarationError(
                    f"connection {name!r} is of a kind of database that cannot be read: {scheme}",
                    way_out=f"use one of {', '.join(_SCHEMES)}, or read it in a Function(…)",
                )
    except ReadinessError:
        raise
    except Exception as error:  # each driver has a tree of errors of its own
        raise LandingError(
            f"connection {name!r} cannot be read: {_without_secrets(error, url)}",
            way_out=f"check the query, and the setting connections.{name}",
        ) from None


def _path(url: str) -> str:
    """The path of ``sqlite:///relative`` and ``sqlite:////absolute``."""
    path = unquote(url.split("://", 1)[1].removeprefix("/").split("?", 1)[0])
    if not Path(path).is_file():
        raise LandingError(f"there is no database {path}")
    return path


def _without_secrets(error: Exception, url: str) -> str:
    message = (str(error).strip().splitlines() or [type(error).__name__])[0]
    parts = urlsplit(url)
    for secret in (url, parts.netloc, parts.password, unquote(parts.password or "")):
        if secret:
            message = message.replace(secret, "…")
    return quoted_text(message)


def _adbc() -> Any:
    try:
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415  # an extra
    except ImportError:
        raise DeclarationError(
            "the library that reads Postgres is not installed", way_out="pip install 'readiness-pipelines[sql]'"
        ) from None
    return dbapi


class _Sqlite:
    """SQLite, whose values have types of their own, whatever their column's is."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.text_factory = _decoded

    def read(self, query: str) -> Iterator[pa.Table]:
        found = self._connection.execute(query)
        names = [column[0] for column in found.description]
        rows = found.fetchmany(ROWS_PER_BATCH)
        yield values_to_table(names, zip(*rows, strict=True) if rows else [[] for _ in names])
        while rows := found.fetchmany(ROWS_PER_BATCH):
            yield values_to_table(names, zip(*rows, strict=True))

    def between(self, cursor: str, start: datetime, end: datetime) -> str:
        first, last = (moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.000") for moment in (start, end))
        return f"{_sqlite_time(cursor)} >= '{first}' AND {_sqlite_time(cursor)} < '{last}'"

    def bucket(self, cursor: str) -> str:
        return f"CAST(strftime('%s', {_sqlite_time(cursor)}) AS INTEGER) / {BUCKET_SECONDS}"


def _decoded(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _sqlite_time(cursor: str) -> str:
    """A column's time in UTC, whether it is text or seconds from 1970."""
    column, shape = identifier(cursor), "'%Y-%m-%d %H:%M:%f'"
    return (
        f"CASE typeof({column}) WHEN 'text' THEN strftime({shape}, {column}) "
        f"ELSE strftime({shape}, {column}, 'unixepoch') END"
    )


class _DuckDb:
    """DuckDB."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def read(self, query: str) -> Iterator[pa.Table]:
        reader = self._connection.sql(query).to_arrow_reader(ROWS_PER_BATCH)
        yield reader.schema.empty_table()
        for batch in reader:
            yield pa.Table.from_batches([batch])

    def between(self, cursor: str, start: datetime, end: datetime) -> str:
        return _between(cursor, start, end)

    def bucket(self, cursor: str) -> str:
        return f"floor(epoch(CAST({identifier(cursor)} AS TIMESTAMPTZ)) / {BUCKET_SECONDS})::BIGINT"


class _Postgres:
    """Postgres, through ADBC."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def read(self, query: str) -> Iterator[pa.Table]:
        with self._connection.cursor() as cursor:
            schema = cursor.adbc_execute_schema(query)
            # Types that ADBC does not know would come as the bytes of Postgres' own protocol.
            columns = ", ".join(
                f"CAST({identifier(field.name)} AS text) AS {identifier(field.name)}"
                if _is_foreign(field)
                else identifier(field.name)
                for field in schema
            )
            unique = len(set(schema.names)) == len(schema.names)
            cursor.execute(f"SELECT {columns} FROM (\n{query}\n) AS q" if schema.names and unique else query)
            reader = cursor.fetch_record_batch()
            yield reader.schema.empty_table()
            for batch in reader:
                yield pa.Table.from_batches([batch])

    def between(self, cursor: str, start: datetime, end: datetime) -> str:
        return _between(cursor, start, end)

    def bucket(self, cursor: str) -> str:
        return f"floor(extract(epoch FROM CAST({identifier(cursor)} AS timestamptz)) / {BUCKET_SECONDS})::bigint"


def _is_foreign(field: pa.Field) -> bool:
    named = (field.metadata or {}).get(b"ADBC:postgresql:typname", b"")
    opaque = isinstance(field.type, pa.BaseExtensionType)
    return opaque or (pa.types.is_binary(field.type) and named not in (b"", b"bytea"))


def _between(cursor: str, start: datetime, end: datetime) -> str:
    first, last = (f"TIMESTAMPTZ '{moment.astimezone(UTC).isoformat()}'" for moment in (start, end))
    return f"{identifier(cursor)} >= {first} AND {identifier(cursor)} < {last}"


def bucket_start(bucket: int) -> datetime:
    """When a bucket begins."""
    return _EPOCH + timedelta(seconds=bucket * BUCKET_SECONDS)
