"""Expressions and conditions that people write about a batch's rows, checked before they are kept."""

import json
import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from difflib import get_close_matches
from typing import Any
from uuid import uuid4

import duckdb

from readiness_pipelines.decisions.allowed_functions import FUNCTION_NAMES, OPERATORS, SYNTAX
from readiness_pipelines.decisions.sizes import calls_growing, check_sizes, named_columns, nodes
from readiness_pipelines.errors import DeclarationError, UnknownNameError, first_line
from readiness_pipelines.masking import quoted, quoted_expression
from readiness_pipelines.sql import identifier

MOST_CHARACTERS = 10_000
"""Characters that an expression may have."""

MOST_SHOWN = 200
"""Characters of an expression that an error repeats."""

_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of a text: what people read would not be what is evaluated."""


def check_column(column: str, rows: duckdb.DuckDBPyRelation) -> None:
    """Refuse a column that the rows do not have, or that is the framework's.

    Raises:
        UnknownNameError: No such column; names the nearest.
    """
    names = [name for name in rows.columns if not name.startswith("_")]
    if column not in names:
        raise UnknownNameError("column to correct", column, names)


def check_expression(text: str, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection) -> None:
    """Refuse what is not one expression over the row's own columns, made of what is listed in `allowed_functions`.

    Raises:
        DeclarationError: Such an expression, or one that DuckDB refuses.
    """
    if len(text) > MOST_CHARACTERS:
        raise DeclarationError(
            f"an expression of {len(text):,} characters is longer than {MOST_CHARACTERS:,}",
            way_out="correct cells in a file instead: readiness quarantine export",
        )
    check_characters(text, "the expression")
    try:
        # By itself, its parentheses must pair up; in parentheses, it must end where it seems to.
        _parsed(text, text, engine)
        tree = _parsed(f"({text})", text, engine)
        _check_tree(text, tree, rows.columns)
        if calls_growing(tree):
            check_sizes(_shown(text), tree, _longest(rows, named_columns(tree)))
        rows.project(f"({text})").limit(0).fetchall()
    except (duckdb.Error, RecursionError) as error:
        raise _refused(text, error) from error


def names_column(text: str, column: str, engine: duckdb.DuckDBPyConnection) -> bool:
    """Whether an expression that was checked names a column, in whatever case it is written."""
    return column in named_columns(_parsed(f"({text})", text, engine))


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
        raise _refused(str(where), error) from error
    if not count:
        raise DeclarationError(
            f"no row of the batch meets the condition {_shown(str(where))}",
            way_out="look at them: readiness quarantine rows",
        )
    if evaluating is not None:
        try:
            chosen.aggregate(f"count({evaluating})").fetchall()
        except duckdb.Error as error:
            raise _refused(evaluating, error) from error
    return int(count)


def evaluate(rows: duckdb.DuckDBPyRelation, *columns: str) -> None:
    """Compute some columns of lazy rows, so that what cannot be computed fails here.

    Raises:
        duckdb.Error: They cannot be computed.
    """
    if columns:
        rows.aggregate(", ".join(f"count({identifier(name)})" for name in columns)).fetchall()


def check_characters(text: str, what: str) -> None:
    """Refuse characters that are not text, or that show something else than what is meant.

    Args:
        text: What a person wrote.
        what: What it is, for people.

    Raises:
        DeclarationError: There is one; names it.
    """
    for place, character in enumerate(text):
        kind = unicodedata.category(character)
        if character in _DIRECTIONS or kind == "Cs" or (kind == "Cc" and character not in "\t\n\r"):
            raise DeclarationError(
                f"character {place + 1} of {what} {_shown(text)} is U+{ord(character):04X}, which people cannot read",
                way_out=f"leave it out; in an expression, write chr({ord(character)})",
            )


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


def _parsed(selected: str, text: str, engine: duckdb.DuckDBPyConnection) -> Any:
    """The one expression that is selected, as DuckDB parses it.

    Raises:
        DeclarationError: It cannot be parsed, or is more than one expression without a name.
    """
    ((tree,),) = engine.execute("SELECT json_serialize_sql($text)", {"text": f"SELECT {selected}"}).fetchall()
    parsed = json.loads(tree)
    if parsed.get("error"):
        raise DeclarationError(
            _refusal(text, str(parsed.get("error_message", "it cannot be parsed"))), way_out=_WAY_OUT
        )
    queries = [statement["node"] for statement in parsed["statements"]]
    if len(queries) != 1 or not _selects_one_value(queries[0]):
        raise DeclarationError(
            f"{_shown(text)} reads more than the row, or is more than one expression",
            way_out="use the row's own columns, without sub-queries",
        )
    return queries[0]["select_list"][0]


def _selects_one_value(node: Any) -> bool:
    """Whether a query has one expression, and no other part."""
    parts = ("modifiers", "where_clause", "group_expressions", "group_sets", "having", "sample", "qualify")
    return (
        node["type"] == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and not node["select_list"][0].get("alias")
        and node["from_table"]["type"] == "EMPTY"
        and node["aggregate_handling"] == "STANDARD_HANDLING"
        and not node["cte_map"]["map"]
        and not any(node[part] for part in parts)
    )


def _check_tree(text: str, tree: Any, columns: Sequence[str]) -> None:
    """Refuse every part that is not listed. What the list does not know is refused, not let through."""
    known = {name.lower() for name in columns}
    for node in nodes(tree):
        _check_node(text, node, known)


def _longest(rows: duckdb.DuckDBPyRelation, columns: Container[str]) -> Mapping[str, int]:
    """The characters of the longest value of some columns, by their names in lower case."""
    names = [name for name in rows.columns if name.lower() in columns]
    if not names:
        return {}
    most = ", ".join(f"max(strlen(CAST({identifier(name)} AS VARCHAR)))" for name in names)
    (found,) = rows.aggregate(most).fetchall()
    return {name.lower(): int(size or 0) for name, size in zip(names, found, strict=True)}


def _shown(text: str) -> str:
    """An expression in an error: quoted, and not longer than can be read."""
    text = quoted_expression(text)
    shown = ascii(text) if any(unicodedata.category(one) in ("Cs", "Cc", "Cf") for one in text) else repr(text)
    return shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}…"


def _check_node(text: str, node: Mapping[str, Any], columns: Container[str]) -> None:
    kind = str(node["class"])
    if kind == "SUBQUERY":
        raise DeclarationError(f"{_shown(text)} reads more than the row", way_out="use the row's own columns")
    if kind not in SYNTAX:
        raise DeclarationError(
            f"{_shown(text)} is not an expression over one row: {kind.lower().replace('_', ' ')} is not allowed",
            way_out="name the row's columns and the functions that docs/runbook.md lists",
        )
    if kind == "COLUMN_REF" and str(node["column_names"][0]).lower() not in columns:
        # The time of day is written like a column: current_date.
        raise DeclarationError(_refusal(text, f"the rows have no column {node['column_names'][0]!r}"), way_out=_WAY_OUT)
    if kind == "FUNCTION":
        _check_function(text, node)


def _check_function(text: str, node: Mapping[str, Any]) -> None:
    name = str(node["function_name"]).lower()
    of_rows = node["filter"] or node["distinct"] or node["order_bys"]["orders"]
    if name not in FUNCTION_NAMES | OPERATORS or node["schema"] or node["catalog"] or of_rows:
        near = get_close_matches(name, FUNCTION_NAMES, n=1)
        raise DeclarationError(
            f"{_shown(text)} calls the function {name!r}, which decisions may not use",
            way_out=(f"did you mean {near[0]!r}? " if near and near[0] != name else "")
            + "docs/runbook.md lists what may be called: a replay must give the same rows again",
        )


_WAY_OUT = "write an expression over the batch's columns, texts in single quotes: diag_1 = '8'"


_OF_TEXT = (
    "columns are as they arrived, and of a CSV that is text: read them as numbers, where they are some: "
    "TRY_CAST(amount AS DOUBLE) > 100"
)
_IS_OF_TEXT = re.compile(r"VARCHAR|Could not convert string|explicit (type )?cast")


def _refused(text: str, error: BaseException) -> DeclarationError:
    reason = quoted(error)
    return DeclarationError(
        _refusal(text, reason), way_out=_OF_TEXT if _IS_OF_TEXT.search(first_line(error)) else _WAY_OUT
    )


def _refusal(text: str, reason: str) -> str:
    return f"DuckDB refuses {_shown(text)}: {(reason.splitlines() or ['it says no more'])[0][:MOST_SHOWN]}"
