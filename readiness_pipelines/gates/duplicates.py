"""Equal rows, found without sorting: whole numbers in a dense range by a bitmap, everything else by grouping."""

from collections.abc import Sequence

import duckdb

from readiness_pipelines.gates.conversion import INTEGERS
from readiness_pipelines.gates.sql import identifier

BITMAP_BITS = 1 << 29
"""The widest range of whole numbers that a bitmap is tried for: 64 MB."""

SPARSE = 64
"""A bitmap is not tried where fewer than one of so many numbers in the range can occur."""


def find_duplicates(
    connection: duckdb.DuckDBPyConnection, view: str, columns: Sequence[str], *, where: str, into: str
) -> bool:
    """Make a table of the keys that occur more than once; tell whether there are any.

    Args:
        connection: The connection.
        view: The rows.
        columns: The key's columns; null equals null.
        where: SQL that the rows must meet.
        into: Name of the temporary table, with the key's columns; made only where there are duplicates.
    """
    if len(columns) == 1 and _all_differ(connection, view, columns[0], where):
        return False
    keys = ", ".join(map(identifier, columns))
    connection.execute(
        f"CREATE TEMP TABLE {into} AS SELECT {keys} FROM {view} WHERE {where} GROUP BY {keys} HAVING count(*) > 1"
    )
    ((count,),) = connection.execute(f"SELECT count(*) FROM {into}").fetchall()
    if not count:
        connection.execute(f"DROP TABLE {into}")
    return bool(count)


def _all_differ(connection: duckdb.DuckDBPyConnection, view: str, column: str, where: str) -> bool:
    """Whether a column of whole numbers is seen at once to have no two equal values. False means "not known"."""
    key = identifier(column)
    (kind,) = connection.sql(f"SELECT {key} FROM {view} LIMIT 0").types
    if str(kind) not in INTEGERS - {"HUGEINT"}:
        return False
    ((low, high, valued, rows),) = connection.execute(
        f"SELECT min({key}), max({key}), count({key}), count(*) FROM {view} WHERE {where}"
    ).fetchall()
    if rows - valued > 1 or not valued:
        return bool(rows <= 1)
    width = high - low + 1
    if width > min(BITMAP_BITS, SPARSE * valued):
        return False
    ((distinct,),) = connection.execute(
        f"SELECT bit_count(bitstring_agg({key}, {low}, {high})) FROM {view} WHERE {where}"
    ).fetchall()
    return bool(distinct == valued)


def same_key(columns: Sequence[str]) -> str:
    """SQL: whether rows ``t`` and ``d`` have the same key; null equals null."""
    return " AND ".join(f"t.{identifier(name)} IS NOT DISTINCT FROM d.{identifier(name)}" for name in columns)
