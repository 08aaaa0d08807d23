"""Where rows of registered persons are: in a relation, an Iceberg table, or a batch that lands."""

from collections.abc import Collection, Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa

from readiness_pipelines.delivery.erasure.matching import SubjectColumn, TableMatcher, subject_columns
from readiness_pipelines.sql import identifier

_ROWS_AT_ONCE = 50_000

RowsByBatch = Mapping[str, Collection[int]]
"""The numbers of rows, by batch."""


def rows_of_persons(
    rows: duckdb.DuckDBPyRelation, matcher: TableMatcher, named: Mapping[str, str] | None = None
) -> dict[str, set[int]]:
    """The rows of registered persons, by batch; columns that name nobody are not read.

    Args:
        rows: Rows of a table, with ``_batch`` and ``_row``.
        matcher: Tells them.
        named: What the table calls a column, by what it is called in `rows`; its own name where it is not given.
    """
    subjects = _subjects(rows, matcher, named or {})
    wanted = ["_batch", "_row", *subjects, *(["_unreadable"] if "_unreadable" in rows.columns else [])]
    found: dict[str, set[int]] = {}
    for batch in rows.project(", ".join(map(identifier, wanted))).to_arrow_reader(_ROWS_AT_ONCE):
        mask = matcher.mask(batch, subjects)
        for place in np.flatnonzero(mask).tolist():
            key = batch.column(0)[place].as_py()
            found.setdefault(key, set()).add(batch.column(1)[place].as_py())
    return found


def without_rows(rows: duckdb.DuckDBPyRelation, numbers: Collection[int]) -> duckdb.DuckDBPyRelation:
    """Rows of a batch without those of some numbers."""
    if not numbers:
        return rows
    return rows.filter(f"_row NOT IN ({', '.join(map(str, sorted(numbers)))})")


def _subjects(
    rows: duckdb.DuckDBPyRelation, matcher: TableMatcher, named: Mapping[str, str]
) -> dict[str, SubjectColumn]:
    arrow = rows.limit(0).to_arrow_table().schema
    names: Sequence[tuple[str, str]] = [(there, named.get(there, there)) for there in arrow.names]
    known = pa.schema([pa.field(name, arrow.field(there).type) for there, name in names])
    columns = {column.name: column for column in subject_columns(matcher.table, _unique(known))}
    return {there: columns[name] for there, name in names if name in columns}


def _unique(schema: pa.Schema) -> pa.Schema:
    """A schema in which each name is there once: a column may lie in two places, of two types."""
    return pa.schema({field.name: field for field in reversed(schema)}.values())
