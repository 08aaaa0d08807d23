"""From SQL text to what the columns of its result are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import errors

from readiness_pipelines.lineage.influences import ColumnLineage, How, Influence, any_column_of, together
from readiness_pipelines.lineage.queries.scope import NameScope, Relation, same_name
from readiness_pipelines.lineage.queries.selects import ANY_FIELD, resolve
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryInput:
    """What a query may read.

    Attributes:
        table: The table.
        columns: Its columns.
    """

    table: TableId
    columns: Sequence[str]


def query_lineage(sql: str, inputs: Mapping[str, QueryInput], names: Sequence[str] | None = None) -> ColumnLineage:
    """What the columns of a DuckDB query are made of.

    Nothing is guessed: what the query does not say is "any column of" the inputs that it may come from, and
    `ColumnLineage.unresolved` says why.

    Args:
        sql: The query.
        inputs: What it may read, by the name it has in the query.
        names: The columns that DuckDB says the result has. Where the query was understood otherwise, nothing that was
            understood counts.
    """
    problems: list[str] = []
    known = {name.lower(): _relation(one) for name, one in inputs.items()}
    try:
        parsed: Any = sqlglot.parse_one(sql, read="duckdb")
        found = resolve(parsed, NameScope(ctes=known, problems=problems))
    except _STUMBLES as error:
        return unresolved_lineage(inputs, names or (), f"the query cannot be followed: {type(error).__name__}")
    columns = [(name, made) for name, made in found.columns if name != ANY_FIELD]
    several = together([found.unknown or frozenset(), *(made for name, made in found.columns if name == ANY_FIELD)])
    given = list(names) if names is not None else [name for name, _ in columns]
    if several or found.unknown is not None:
        whole = Relation(columns=columns, unknown=several)
        made = {name: whole.column(name) or frozenset() for name in given}
    elif len(columns) != len(given) or not all(
        _fits(known, name) for (known, _), name in zip(columns, given, strict=True)
    ):
        return unresolved_lineage(inputs, given, "the query was not understood as DuckDB understands it")
    else:
        made = {name: own for name, (_, own) in zip(given, columns, strict=True)}
    return ColumnLineage(columns=made, rows=found.rows, unresolved=tuple(dict.fromkeys(problems)))


_STUMBLES = (errors.SqlglotError, RecursionError, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What the parser of another's dialect may raise on what it does not know: no answer is better than a wrong one."""


def _relation(one: QueryInput) -> Relation:
    return Relation(columns=[(name, frozenset({Influence(one.table, name, How.IDENTITY)})) for name in one.columns])


def unresolved_lineage(inputs: Mapping[str, QueryInput], names: Sequence[str], why: str) -> ColumnLineage:
    """Columns that may be made of any column of any input.

    Args:
        inputs: The inputs.
        names: The columns.
        why: Why nothing more is known, for people.
    """
    anything = any_column_of(one.table for one in inputs.values())
    return ColumnLineage(columns=dict.fromkeys(names, anything), rows=anything, unresolved=(why,))


def _fits(known: str, name: str) -> bool:
    """Whether a column has the name that DuckDB gives it; names that are made of an expression are DuckDB's own."""
    return same_name(known, name) or not known.isidentifier() or not name.isidentifier()
