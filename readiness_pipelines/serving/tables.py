"""The tables whose gates are asked over HTTP, as values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from readiness_pipelines.contracts import Domain, GatedTable, Kpi, Table
from readiness_pipelines.contracts.references import ExistsIn
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.gates import Gate
from readiness_pipelines.gates.record.json_records import Named, as_written
from readiness_pipelines.gates.schema.tests import Referenced
from readiness_pipelines.masking import Classes
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.layout import column_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedTable:
    """A table whose gate is asked.

    Attributes:
        name: Its identity, ``domain.table``.
        table: Its declaration.
        gate: Its gate.
        version: The gate's version.
        classes: What its columns are to persons.
        named: What a key of a record is called as a column.
        references: The rules that compare with other tables.
    """

    name: str
    table: Table
    gate: Gate
    version: str
    classes: Classes
    named: Named
    references: tuple[ExistsIn, ...]


def served_tables(domains: Iterable[Domain]) -> Mapping[str, ServedTable]:
    """All tables of some domains but their KPIs, by name.

    Raises:
        GateBuildError: A schema that cannot become a gate.
    """
    tables = [table for domain in domains for table in domain.tables if not isinstance(table, Kpi)]
    return {str(table.id): _served(table) for table in tables}


def _served(table: Table) -> ServedTable:
    gate = gate_of(table)  # of one record, every engine's gate says what DuckDB's says
    references = [test.reference for test in gate.tests if isinstance(test, Referenced)]
    return ServedTable(
        name=str(table.id),
        table=table,
        gate=gate,
        version=gate.version,
        classes=classes_of(table),
        named=_named(table),
        references=tuple(one for one in references if isinstance(one, ExistsIn)),
    )


def _named(table: Table) -> Named:
    """The names that a table's files get when they are read."""
    reader = table.source.reader if isinstance(table, GatedTable) else None
    if not isinstance(reader, FileDrop):
        return as_written
    drop = reader
    return lambda key: None if drop.ignores(key) else column_name(key, drop)
