"""Which table a step of a path writes."""

from readiness_pipelines.contracts import DataPath, DerivedTable, GatedTable
from readiness_pipelines.names import TableId
from readiness_pipelines.ledger import BatchRef

Gated = GatedTable | DerivedTable
"""A table with a gate: fed by a source or derived."""


def raw_table(table: GatedTable) -> TableId:
    """Where the source's rows lie as they came."""
    return TableId("raw", table.name)


def quarantine_table(table: Gated) -> TableId:
    """Where the table's failed rows wait."""
    return TableId("quarantine", table.name)


def published_table(path: DataPath, table: Gated) -> TableId:
    """Where the table's published rows are."""
    return TableId(path.namespace, table.name)


def profile_table(table: Gated) -> TableId:
    """Where the profiles of the table's published batches are, one row per column."""
    return TableId("profiles", table.name)


def kpi_table(path: DataPath) -> TableId:
    """Where the KPI's values are, one row per batch."""
    return TableId("kpi", path.kpi.name)


def path_tables(path: DataPath) -> tuple[TableId, ...]:
    """All tables that the steps of a path write for its consumers, in the order rows flow: raw, gated, derived, KPI."""
    tables = [
        name
        for table in path.tables
        for name in ([raw_table(table)] if isinstance(table, GatedTable) else []) + [published_table(path, table)]
    ]
    return (*tables, kpi_table(path))


def batch_ref(path: DataPath, table: TableId, batch: str) -> BatchRef:
    """The ledger's name of a batch of a table."""
    return BatchRef(path=path.name, table=str(table), batch=batch)
