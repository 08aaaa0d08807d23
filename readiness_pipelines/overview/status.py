"""Where every batch of a path stands, from the ledger and the KPI's table."""

from collections.abc import Mapping
from dataclasses import dataclass

from readiness_pipelines.batches import StaticBatches
from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.measure import Measured, measure_all
from readiness_pipelines.delivery.names import kpi_table, published_table
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, BatchState, Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatus:
    """Where one batch stands.

    Attributes:
        batch: Its key.
        tables: The ledger's record by table name; ``None`` where the table never saw the batch.
        counts: Rows of the tables that are fed by a source, accounted for.
        held: Whether one of its tables is held.
        kpi: The KPI's latest value; ``None`` where it was never computed.
    """

    batch: str
    tables: Mapping[str, BatchRecord | None]
    counts: Counts
    held: bool
    kpi: Measured | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStatus:
    """Where a path stands.

    Attributes:
        path: Its name.
        batches: Its batches, in order: the declared ones, or those the ledger knows where they are declared by time.
        total: Rows of all batches.
        kpi: The KPI over all published batches together; ``None`` where nothing is published.
    """

    path: str
    batches: tuple[BatchStatus, ...]
    total: Counts
    kpi: Measured | None


def status(path: DataPath, *, installation: Installation) -> PathStatus:
    """Tell where every batch of a path stands.

    Raises:
        LedgerError: The ledger cannot be reached.
        LakehouseError: A table cannot be read.
    """
    names = {str(published_table(path, table)): table.name for table in path.tables}
    records: dict[str, dict[str, BatchRecord]] = {}
    for record in installation.ledger.batches(path=path.name):
        if record.ref.table in names:
            records.setdefault(record.ref.batch, {})[names[record.ref.table]] = record
    values = _kpi_values(path, installation)
    declared = path.batches.keys if isinstance(path.batches, StaticBatches) else ()
    keys = [*declared, *sorted(key for key in records if key not in declared)]
    batches = tuple(_batch_status(path, key, records.get(key, {}), values.get(key)) for key in keys)
    published = installation.lakehouse.tables()
    complete = path.kpi_measure is not None and all(
        published_table(path, path.table(name)) in published for name in path.kpi_measure.inputs
    )
    return PathStatus(
        path=path.name,
        batches=batches,
        total=_sum([batch.counts for batch in batches]),
        kpi=measure_all(path, installation=installation) if complete else None,
    )


def _batch_status(path: DataPath, key: str, records: Mapping[str, BatchRecord], kpi: Measured | None) -> BatchStatus:
    fed = [table.name for table in path.tables if isinstance(table, GatedTable)]
    return BatchStatus(
        batch=key,
        tables={table.name: records.get(table.name) for table in path.tables},
        counts=_sum([records[name].counts for name in fed if name in records]),
        held=any(record.state is BatchState.HELD for record in records.values()),
        kpi=kpi,
    )


def _sum(counts: list[Counts]) -> Counts:
    return Counts(
        ingested=sum(c.ingested for c in counts),
        published=sum(c.published for c in counts),
        quarantined=sum(c.quarantined for c in counts),
        discarded=sum(c.discarded for c in counts),
    )


def _kpi_values(path: DataPath, installation: Installation) -> dict[str, Measured]:
    table = kpi_table(path)
    if not installation.lakehouse.exists(table):
        return {}
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, table).to_arrow_table().to_pylist()
    return {
        row["_batch"]: Measured(
            kpi=path.kpi.name,
            batch=row["_batch"],
            value=row["value"],
            numerator=row["numerator"],
            denominator=row["denominator"],
            target=path.kpi.target,
            met=path.kpi.target.met_by(row["value"]) if path.kpi.target else None,
            inputs={entry["table"]: entry["snapshot_id"] for entry in row["inputs"]},
        )
        for row in rows
    }
