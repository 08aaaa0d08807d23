"""Equal rows: whole numbers are first counted in runs of 64, which leaves few to group; everything else is grouped."""

from collections.abc import Sequence

import duckdb

from readiness_pipelines.gates.conversion import INTEGERS
from readiness_pipelines.gates.sql import identifier


def find_duplicates(
    connection: duckdb.DuckDBPyConnection, view: str, columns: Sequence[str], *, where: str, into: str
) -> str | None:
    """Make a table of the keys that occur more than once.

    Args:
        connection: The connection.
        view: The rows.
        columns: The key's columns; null equals null.
        where: SQL that the rows must meet.
        into: Name of the temporary table, with the key's columns; made only where there are duplicates.

    Returns:
        ``_row`` and the key of the rows to look for them in, as SQL to select from; ``None`` where all keys differ.
    """
    keys = ", ".join(map(identifier, columns))
    rows = f"(SELECT _row, {keys} FROM {view} WHERE {where})"
    if len(columns) == 1 and _is_integer(connection, view, columns[0]):
        suspects = f"{into}_suspects"
        _find_suspects(connection, rows, columns[0], into=suspects)
        rows = suspects
    connection.execute(f"CREATE TEMP TABLE {into} AS SELECT {keys} FROM {rows} GROUP BY {keys} HAVING count(*) > 1")
    ((count,),) = connection.execute(f"SELECT count(*) FROM {into}").fetchall()
    return rows if count else None


def _is_integer(connection: duckdb.DuckDBPyConnection, view: str, column: str) -> bool:
    """Whether a column holds whole numbers that fit 64 bits with a sign."""
    (kind,) = connection.sql(f"SELECT {identifier(column)} FROM {view} LIMIT 0").types
    return str(kind) in INTEGERS - {"HUGEINT", "UBIGINT"}


def _find_suspects(connection: duckdb.DuckDBPyConnection, rows: str, column: str, *, into: str) -> None:
    """Make a table of the rows whose number shares a run of 64 with a repeated one, or is missing.

    Numbers given out in order fill runs: there is one group, and one word of bits, for 64 of them. A run with as many
    rows as bits has no number twice.
    """
    key = identifier(column)
    bit = f"1::UBIGINT << ({key}::BIGINT & 63)::UBIGINT"
    connection.execute(
        f"CREATE TEMP TABLE {into}_runs AS SELECT {key}::BIGINT >> 6 AS run FROM {rows} "
        f"WHERE {key} IS NOT NULL GROUP BY run HAVING count(*) <> bit_count(bit_or({bit}))"
    )
    connection.execute(
        f"CREATE TEMP TABLE {into} AS SELECT * FROM {rows} "
        f"WHERE {key} IS NULL OR {key}::BIGINT >> 6 IN (SELECT run FROM {into}_runs)"
    )


def same_key(columns: Sequence[str]) -> str:
    """SQL: whether rows ``t`` and ``d`` have the same key; null equals null."""
    return " AND ".join(f"t.{identifier(name)} IS NOT DISTINCT FROM d.{identifier(name)}" for name in columns)
