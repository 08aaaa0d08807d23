"""Quoting, and the types of one engine."""

from functools import lru_cache

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
    connection = duckdb.connect()
    (name,) = connection.from_arrow(pa.schema([("x", kind)]).empty_table()).types
    connection.close()
    return str(name)
