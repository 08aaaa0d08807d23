"""Quoting, and the types of one engine."""

import duckdb
import pyarrow as pa


def identifier(name: str) -> str:
    """Quote a column or table name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text value for SQL."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_types(schema: pa.Schema, connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """DuckDB's names for the types of an Arrow schema, in order."""
    if not schema.names:
        return ()
    return tuple(str(kind) for kind in connection.from_arrow(schema.empty_table()).types)
