"""Expressions and conditions that people write about a batch's rows, checked before they are kept."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import duckdb

from readiness_pipelines.errors import DeclarationError, UnknownNameError


def check_column(column: str, rows: duckdb.DuckDBPyRelation) -> None:
    """Refuse a column that the rows do not have, or that is the framework's.

    Raises:
        UnknownNameError: No such column; names the nearest.
    """
    names = [name for name in rows.columns if not name.startswith("_")]
    if column not in names:
        raise UnknownNameError("column to correct", column, names)


def check_expression(text: str, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection) -> None:
    """Refuse what is not one expression over the row's own columns with the same answer every time.

    Raises:
        DeclarationError: Such an expression, or one that DuckDB refuses.
    """
    try:
        statement = _parsed(text, engine)
        selected = statement["node"]["select_list"]
        names = set(_functions(selected))
        if "" in names or len(selected) != 1 or statement["node"]["from_table"]["type"] != "EMPTY":
            raise DeclarationError(
                f"{text!r} reads more than the row", way_out="use the row's own columns, without sub-queries"
            )
        if volatile := _volatile(names, engine):
            raise DeclarationError(
                f"{text!r} gives another answer every time: {', '.join(volatile)}",
                way_out="use functions of the row's columns alone: a replay must give the same rows again",
            )
        rows.project(f"({text})").limit(0).fetchall()
    except duckdb.Error as error:
        raise _refused(text, str(error)) from error


def count_rows(
    rows: duckdb.DuckDBPyRelation,
    where: str | None,
    engine: duckdb.DuckDBPyConnection,
    *,
    evaluating: str | None = None,
) -> int:
    """How many rows meet a condition.

    Args:
        rows: The rows.
        where: The condition; ``None`` for all rows.
        engine: The relation's connection.
        evaluating: An expression to evaluate in these rows as well.

    Raises:
        DeclarationError: A condition or expression that cannot be evaluated, or a condition that no row meets.
    """
    if where is not None:
        check_expression(where, rows, engine)
    try:
        chosen = rows.filter(where or "true")
        ((count,),) = chosen.aggregate("count(*)").fetchall()
    except duckdb.Error as error:
        raise _refused(str(where), str(error)) from error
    if not count:
        raise DeclarationError(
            f"no row of the batch meets the condition {where!r}", way_out="look at them: readiness quarantine rows"
        )
    if evaluating is not None:
        try:
            chosen.aggregate(f"count({evaluating})").fetchall()
        except duckdb.Error as error:
            raise _refused(evaluating, str(error)) from error
    return int(count)


def named_view(rows: duckdb.DuckDBPyRelation) -> str:
    """Give rows a name of their own in SQL."""
    name = f"decided_{uuid4().hex[:12]}"
    rows.create_view(name)
    return name


def column_type(rows: duckdb.DuckDBPyRelation, column: str) -> str:
    """DuckDB's type of a column.

    Raises:
        KeyError: No such column.
    """
    return str(dict(zip(rows.columns, rows.types, strict=True))[column])


def _parsed(text: str, engine: duckdb.DuckDBPyConnection) -> Any:
    """The one statement that selects an expression, as DuckDB parses it."""
    ((tree,),) = engine.execute("SELECT json_serialize_sql($text)", {"text": f"SELECT ({text})"}).fetchall()
    parsed = json.loads(tree)
    if parsed.get("error"):
        raise _refused(text, str(parsed.get("error_message", "it cannot be parsed")))
    (statement,) = parsed["statements"]
    return statement


def _volatile(names: set[str], engine: duckdb.DuckDBPyConnection) -> list[str]:
    query = (
        "SELECT DISTINCT function_name FROM duckdb_functions() "
        "WHERE stability IS NOT NULL AND stability <> 'CONSISTENT' AND list_contains($names, function_name)"
    )
    return [name for (name,) in engine.execute(query, {"names": sorted(names)}).fetchall()]


def _functions(node: Any) -> Iterator[str]:
    """The functions that a parsed expression calls; "" where it holds a sub-query."""
    if isinstance(node, dict):
        if node.get("class") == "SUBQUERY":
            yield ""
        if node.get("class") in ("FUNCTION", "WINDOW"):
            yield str(node.get("function_name", ""))
        if node.get("class") == "COLUMN_REF":
            # The time of day is written like a column: current_date.
            yield str(node.get("column_names", [""])[-1])
        for inner in node.values():
            yield from _functions(inner)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for inner in node:
            yield from _functions(inner)


def _refused(text: str, error: str) -> DeclarationError:
    return DeclarationError(
        f"DuckDB refuses {text!r}: {error.splitlines()[0]}",
        way_out="write an expression over the batch's columns, texts in single quotes: diag_1 = '8'",
    )
