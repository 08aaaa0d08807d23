"""Where rows of registered persons are: in a relation, an Iceberg table, or a batch that lands."""

from collections.abc import Collection, Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa

from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.contents import stores_of
from readiness_pipelines.delivery.erasure.matching import SubjectColumn, TableMatcher, matcher_of, subject_columns
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import RegisteredPerson
from readiness_pipelines.names import TableId
from readiness_pipelines.sql import identifier

_ROWS_AT_ONCE = 50_000

Found = Mapping[TableId, Mapping[str, frozenset[int]]]
"""The numbers of rows, by Iceberg table and batch."""


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


def rows_in_stores(
    tables: Sequence[Table], persons: Sequence[RegisteredPerson] | None, *, installation: Installation
) -> dict[TableId, dict[str, frozenset[int]]]:
    """The rows of persons in the Iceberg tables of some tables, by batch; tables without any are left out.

    Rows are found by value. A column that is published protected does not show its value: those rows are found in raw.

    Args:
        tables: The tables.
        persons: The persons; all of the register where they are not given.
        installation: Where the tables and the register are.

    Raises:
        LakehouseError: A table cannot be read.
        RegisterKeyError: The register's key is not there, or is another one.
    """
    found: dict[TableId, dict[str, frozenset[int]]] = {}
    for table in tables:
        matcher = matcher_of(table, installation, persons)
        for store in stores_of(table) if matcher else ():
            assert matcher is not None  # noqa: S101  # asked just before
            if rows := _rows_in(store, matcher, installation):
                found[store] = rows
    return found


def _rows_in(store: TableId, matcher: TableMatcher, installation: Installation) -> dict[str, frozenset[int]]:
    lakehouse = installation.lakehouse
    if not lakehouse.exists(store):
        return {}
    named: dict[str, str] = {}
    if store.is_raw or store == matcher.table.id.quarantine:
        for record in installation.ledger.batches(tables=[matcher.table.id.raw]):
            named |= {column.stored: column.name for column in record.columns}
    with installation.engine(f"a search in {store}") as engine:
        rows = rows_of_persons(lakehouse.relation(engine, store), matcher, named)
    return {batch: frozenset(numbers) for batch, numbers in rows.items()}
