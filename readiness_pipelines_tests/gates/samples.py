"""Batches from literals, for gate tests."""

from typing import Any

import duckdb
import pyarrow as pa


def raw_rows(
    connection: duckdb.DuckDBPyConnection, *rows: dict[str, Any], **types: pa.DataType
) -> duckdb.DuckDBPyRelation:
    """Rows as ingestion would give them: text unless a type is given; ``_row`` counts from 0."""
    names = list(dict.fromkeys(name for row in rows for name in row if not name.startswith("_")) | dict.fromkeys(types))
    columns: dict[str, pa.Array] = {
        name: pa.array([row.get(name) for row in rows], types.get(name, pa.string())) for name in names
    }
    columns["_batch"] = pa.array(["b"] * len(rows), pa.string())
    columns["_row"] = pa.array(range(len(rows)), pa.int64())
    columns["_file"] = pa.array(["f"] * len(rows), pa.string())
    for name in ("_unreadable", "_unreadable_reason"):
        columns[name] = pa.array([row.get(name) for row in rows], pa.string())
    view = f"given_{id(columns)}"
    connection.register(view, pa.table(columns))
    return connection.table(view)
