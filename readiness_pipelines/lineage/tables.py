"""What a table's columns are made of, as it is declared: transform, measure, gate."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import duckdb
import pyarrow as pa

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.contracts import Computed, GatedTable, Kpi, SchemaChange, Table
from readiness_pipelines.contracts.cleansing import FlagMissing
from readiness_pipelines.contracts.protections import SetNull
from readiness_pipelines.contracts.references import ExistsIn, NotInOtherBatches
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.delivery import gate_of, store_of, transform_result
from readiness_pipelines.gates import Gate
from readiness_pipelines.gates.schema.columns import ColumnSpec
from readiness_pipelines.gates.schema.tests import Checked, Readable, Referenced, Typed
from readiness_pipelines.installation import Installation
from readiness_pipelines.lineage.influences import (
    NOTHING,
    ColumnLineage,
    How,
    Influence,
    Influences,
    any_column_of,
    as_decision,
    as_value,
    masked,
    together,
)
from readiness_pipelines.lineage.queries.reading import QueryInput, query_lineage, unresolved_lineage
from readiness_pipelines.names import TableId
from readiness_pipelines.products import kpi_query
from readiness_pipelines.products.suppression import CELL, SUPPRESSED
from readiness_pipelines.workspaces import workspace

Schemas = Callable[[Table], pa.Schema]
"""The columns that a table publishes, with the framework's."""

_GIVEN = "input "
"""Comes before an input's name where it is a table of the empty database in which a transform is tried."""

_MEMORY_MB = 256


def declared_schema(table: Table) -> pa.Schema:
    """The columns that a table publishes, as far as its declaration names them; patterns name none.

    Raises:
        GateBuildError: Its schema cannot become a gate.
    """
    return gate_of(table).schema


def schemas_in(installation: Installation) -> Schemas:
    """The columns that tables publish: as declared, and where only the rows tell, as the lakehouse has them.

    Args:
        installation: Where the tables are.
    """

    def schema_of(table: Table) -> pa.Schema:
        declared, store = declared_schema(table), store_of(table)
        if not _is_open(table) or not installation.lakehouse.exists(store):
            return declared
        there = installation.lakehouse.schema(store)
        return pa.schema([*declared, *(field for field in there if field.name not in declared.names)])

    return schema_of


def _is_open(table: Table) -> bool:
    """Whether rows may bring columns that the declaration does not name."""
    spec = gate_of(table).spec
    return table.gating.schema_change is SchemaChange.EVOLVE or any(column.pattern for column in spec.columns)


def column_lineage(table: Table, schema_of: Schemas | None = None) -> ColumnLineage:
    """What the columns of a table are made of, and what decides which rows it has.

    A gated table's columns are made of those of its raw table, through cleansing and protections. A computed table's
    are read from the transform: its SQL, tried on no rows. What only Python knows is "any column of" the inputs.
    Rules that quarantine rows decide which there are.

    Args:
        table: The table.
        schema_of: The columns of tables; by default as they are declared.

    Raises:
        GateBuildError: A schema that cannot become a gate.
    """
    return _declared_lineage(table) if schema_of is None else _lineage(table, schema_of)


@lru_cache(maxsize=1_024)
def _declared_lineage(table: Table) -> ColumnLineage:
    return _lineage(table, declared_schema)


def _lineage(table: Table, schema_of: Schemas) -> ColumnLineage:
    gate = gate_of(table)
    names = [name for name in schema_of(table).names if name not in RESERVED_COLUMNS]
    if isinstance(table, GatedTable):
        raw = table.id.raw
        arrived = ColumnLineage(
            columns={name: frozenset({Influence(raw, name, How.IDENTITY)}) for name in _arriving(gate, names)}
        )
        return _gated(table, gate, names, arrived, anything=any_column_of([raw]))
    computed = transform_lineage(table, schema_of)
    return _gated(table, gate, names, computed, anything=any_column_of(read.table.id for read in table.reads.values()))


def known_lineage(table: Table, installation: Installation) -> ColumnLineage:
    """`column_lineage` of a table as it is in an installation; kept where only the code decides about it.

    Args:
        table: The table.
        installation: Where the tables are.

    Raises:
        GateBuildError: A schema that cannot become a gate.
        LakehouseError: The tables cannot be read.
    """
    fixed = not any(map(_is_open, (table, *(read.table for read in table.reads.values()))))
    return column_lineage(table, None if fixed else schemas_in(installation))


def _arriving(gate: Gate, names: Sequence[str]) -> Iterator[str]:
    """The columns of a source: those that are published, but for flags that the gate makes."""
    flags = {step.column for spec in gate.spec.columns for step in spec.steps if isinstance(step, FlagMissing)}
    return (name for name in names if name not in flags)


def transform_lineage(table: Computed, schema_of: Schemas) -> ColumnLineage:
    """What a computed table's columns are made of before its gate judges them.

    Args:
        table: The table.
        schema_of: The columns of tables.

    Raises:
        GateBuildError: An input's schema cannot become a gate.
    """
    found = _computed(table, schema_of)
    return _measured(table, found) if isinstance(table, Kpi) else found


def _computed(table: Computed, schema_of: Schemas) -> ColumnLineage:
    """What a transform makes its columns of."""
    schemas = {name: schema_of(read.table) for name, read in table.reads.items()}
    inputs = {name: QueryInput(table=read.table.id, columns=schemas[name].names) for name, read in table.reads.items()}
    with workspace(memory_mb=_MEMORY_MB, reaches=()) as engine:
        try:
            made = _query(table, schemas, engine)
            sql, names = made.sql_query(), made.columns
        except Exception as error:  # whatever a user's function raises on no rows
            why = f"the transform of {table.id} cannot be tried on no rows: {type(error).__name__}"
            return unresolved_lineage(inputs, (), why)
    given = {f"{_GIVEN}{name}": one for name, one in inputs.items()}
    return query_lineage(sql, {**given, **(inputs if table.language == "sql" else {})}, names)


def _query(
    table: Computed, schemas: Mapping[str, pa.Schema], engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """The query that a transform makes of its inputs, which have no rows."""
    relations = {}
    for name, schema in schemas.items():
        engine.from_arrow(schema.empty_table()).create(f"{_GIVEN}{name}")
        relations[name] = engine.table(f'"{_GIVEN}{name}"')
    made = transform_result(table, relations, engine)
    found: duckdb.DuckDBPyRelation = (
        kpi_query(table, made, list(relations.values())) if isinstance(table, Kpi) else made
    )
    return found


def _measured(kpi: Kpi, query: ColumnLineage) -> ColumnLineage:
    """A KPI's columns: what its query has, what its target is held against, and what small cells hide."""
    if query.unresolved and not query.columns:
        return query
    columns = {name.lower(): made for name, made in query.columns.items()}
    numbers = {name: columns.get(name, NOTHING) for name in ("value", "numerator", "denominator")}
    if "value" not in columns:  # counted before noise is added
        numbers["denominator"] = columns.get("numerator", NOTHING) | columns.get("others", NOTHING)
        numbers["value"] = as_value(numbers["numerator"] | numbers["denominator"])
    cell = as_decision(columns.get(CELL.lower(), NOTHING), How.CONDITIONAL)
    numbers = {name: made | cell for name, made in numbers.items()}
    dimensions = {name: columns.get(name.lower(), NOTHING) for name in kpi.by}
    targets = as_decision(together(dimensions.values()), How.CONDITIONAL) if kpi.targets else NOTHING
    found = {
        **dimensions,
        "is_total": NOTHING,
        **numbers,
        "unit": NOTHING,
        "target": targets,
        "met": as_value(numbers["value"]) | targets,
    }
    if kpi.suppress_below is not None:
        found[SUPPRESSED] = cell
    return ColumnLineage(columns=found, rows=query.rows, unresolved=query.unresolved)


def _gated(
    table: Table, gate: Gate, names: Sequence[str], arrived: ColumnLineage, *, anything: Influences
) -> ColumnLineage:
    """What a gate publishes of the columns that it is given."""
    known = {name.lower(): made for name, made in arrived.columns.items()}
    unresolved = list(arrived.unresolved)
    columns: dict[str, Influences] = {}

    def given(name: str) -> Influences:
        found = known.get(name.lower())
        if found is None and isinstance(table, GatedTable | Kpi):
            return NOTHING  # a source may lack it, and then it has no values
        if found is None and not arrived.unresolved:
            unresolved.append(f"which columns the transform gives depends on the rows: {name}")
        return anything if found is None else found

    flags = {step.column: spec for spec in gate.spec.columns for step in spec.steps if isinstance(step, FlagMissing)}
    for name in names:
        if name in flags:
            columns[name] = as_value(given(flags[name].name))
        else:
            specs = [spec for spec in gate.spec.columns if spec.matches(name)]
            columns[name] = _published(given(name), specs)
    rows = arrived.rows | _deciding(table, gate, given)
    return ColumnLineage(columns=columns, rows=rows, unresolved=tuple(dict.fromkeys(unresolved)))


def _published(made: Influences, specs: Sequence[ColumnSpec]) -> Influences:
    """A column as it is published: cleansed, filled in, protected."""
    changed = any(not isinstance(step, FlagMissing) for spec in specs for step in spec.steps)
    if changed or any(spec.default is not None for spec in specs):
        made = as_value(made)
    protections = [spec.classified.protection for spec in specs if spec.classified and spec.classified.protection]
    if any(isinstance(one, SetNull) for one in protections):
        return NOTHING
    return masked(as_value(made)) if protections else made


def _deciding(table: Table, gate: Gate, given: Callable[[str], Influences]) -> Influences:
    """What decides which rows a gate publishes: rules that quarantine rows, and repeated rows."""
    found: list[Influences] = []
    once = gate.spec.deduplicate
    if once is not None:
        found.append(as_decision(together(map(given, once.by)), How.GROUP_BY))
        found.append(as_decision(together(map(given, once.order_by)), How.SORT))
    for test in gate.tests:
        if test.rule.route is not Route.QUARANTINE or isinstance(test, Readable):
            continue
        if isinstance(test, Typed) and isinstance(table, Kpi):
            continue  # its numbers have their types
        if isinstance(test, Checked) and not test.rule.columns:
            tables = [table.id.raw] if isinstance(table, GatedTable) else [one.table.id for one in table.reads.values()]
            found.append(as_decision(any_column_of(tables), How.FILTER))
            continue
        names = [name for column in test.rule.columns for name in _matching(gate, column)]
        found.append(as_decision(together(map(given, names)), How.FILTER))
        if isinstance(test, Referenced):
            found.append(_compared(table, test))
    return together(found)


def _matching(gate: Gate, column: str) -> Sequence[str]:
    """The columns that a rule names: a pattern stands for those of the schema that are known by it."""
    spec = next((spec for spec in gate.spec.columns if spec.name == column), None)
    return (column,) if spec is None or not spec.pattern else ()


def _compared(table: Table, test: Referenced) -> Influences:
    """The columns of other tables that rows are compared with."""
    reference = test.reference
    if isinstance(reference, NotInOtherBatches) or not isinstance(reference, ExistsIn):
        return NOTHING
    other: TableId | None = next(
        (read.table.id for name, read in table.references.items() if name == str(reference.table)), None
    )
    if other is None:
        return NOTHING
    return frozenset(Influence(other, name, How.FILTER) for name in reference.reference_columns)
