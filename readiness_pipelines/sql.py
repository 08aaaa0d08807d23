"""Quoting, and the types of one engine."""

from functools import cache, lru_cache

import duckdb
import pyarrow as pa


def identifier(name: str) -> str:
    """Quote a column or table name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text value for SQL."""
    return "'" + text.replace("'", "''") + "'"


@lru_cache(maxsize=256)
def duckdb_type(kind: pa.DataType) -> str:
    """DuckDB's name for an Arrow type."""
    (name,) = asked().from_arrow(pa.schema([("x", kind)]).empty_table()).types
    return str(name)


def asked() -> duckdb.DuckDBPyConnection:
    """A connection to ask DuckDB what something means; of its own for each thread and question, on one database."""
    return _database().cursor()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Opening a database for each question would cost more than the question."""
    return duckdb.connect()
