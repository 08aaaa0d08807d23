"""Which rows of a batch are others than they should be, without a value of any of them."""

from collections.abc import Sequence

import duckdb

from readiness_pipelines.lakehouse import UNDIGESTED
from readiness_pipelines.sql import identifier

CLOSE = 1e-9
"""Floating-point numbers that differ by less than this part of themselves are the same: sums depend on the order."""

SHOWN_COLUMNS = 4

_BOTH = "m._row IS NOT NULL AND t._row IS NOT NULL"


def different_rows(made: duckdb.DuckDBPyRelation, there: duckdb.DuckDBPyRelation) -> str:
    """How the rows of a batch in a table differ from those that were made again; "" where they do not.

    Args:
        made: The rows, made again; rows are told apart by ``_row``.
        there: The rows in the table, of the same connection. Columns that were not made must be null in it.

    Returns:
        ``2 are missing, 3 differ in amount, status``.
    """
    columns = [name for name in there.columns if name not in {"_row", *UNDIGESTED}]
    kinds = dict(zip(there.columns, map(str, there.types), strict=True))
    own = {name.lower() for name in made.columns}
    different = [_differs(name, kinds[name], made=name.lower() in own) for name in columns]
    cells = "".join(f", count(*) FILTER ({_BOTH} AND {one})" for one in different)
    made.create_view("rows_made_again")
    found = there.query(
        "rows_in_the_table",
        f"SELECT count(*) FILTER (t._row IS NULL), count(*) FILTER (m._row IS NULL), "
        f"count(*) FILTER ({_BOTH} AND ({' OR '.join(different) or 'false'})){cells} "
        "FROM rows_made_again m FULL JOIN rows_in_the_table t ON m._row = t._row",
    )
    assert found is not None  # noqa: S101  # a query gives rows
    missing, strange, changed, *by_column = found.fetchall()[0]
    return _text(missing, strange, changed, [name for name, rows in zip(columns, by_column, strict=True) if rows])


def _text(missing: int, strange: int, different: int, columns: Sequence[str]) -> str:
    parts = []
    if missing:
        parts.append(f"{missing:,} are missing")
    if strange:
        parts.append(f"{strange:,} should not be there")
    if different:
        more = f" and {len(columns) - SHOWN_COLUMNS} more columns" if len(columns) > SHOWN_COLUMNS else ""
        parts.append(f"{different:,} differ in {', '.join(columns[:SHOWN_COLUMNS])}{more}")
    return ", ".join(parts)


def _differs(name: str, kind: str, *, made: bool) -> str:
    """SQL for whether a cell is another one."""
    there = f"t.{identifier(name)}"
    if not made:
        return f"({there} IS NOT NULL)"
    again = f"CAST(m.{identifier(name)} AS {kind})"
    if kind not in {"FLOAT", "DOUBLE"}:
        return f"({again} IS DISTINCT FROM {there})"
    near = f"abs({again} - {there}) <= {CLOSE} * greatest(abs({again}), abs({there}))"
    return f"({again} IS DISTINCT FROM {there} AND NOT coalesce({near}, false))"
