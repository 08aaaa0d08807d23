"""Where every batch of a domain stands, from the ledger and the KPIs' tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from readiness_pipelines.batches import BatchRef, BatchState, Counts, Keys, Scope, in_order
from readiness_pipelines.contracts import Domain, GatedTable, Kpi, Lane
from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.decided import awaiting_replay
from readiness_pipelines.products import KpiValue, combined


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatus:
    """Where one batch stands.

    Attributes:
        batch: Its key.
        tables: The ledger's record, for each table of the lane; that of the raw table where rows were ingested and no
            gate has judged them yet; ``None`` where the table never saw the batch.
        counts: Rows of the tables that are fed by a source, accounted for.
        held: Whether one of its tables is held.
        values: The KPIs' totals, as their tables have them: of a held batch, the last good one.
        dimensions: The KPIs' values by their dimensions, where they have any.
    """

    batch: str
    tables: Mapping[TableId, BatchRecord | None]
    counts: Counts
    held: bool
    values: Mapping[TableId, KpiValue]
    dimensions: Mapping[TableId, tuple[KpiValue, ...]]

    @property
    def seen(self) -> bool:
        """Whether any table saw the batch."""
        return any(self.tables.values())

    @property
    def is_visible(self) -> bool:
        """Whether something of it is published."""
        return any(record is not None and record.state.visible for record in self.tables.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStatus:
    """Where the tables stand that have the same batches.

    Attributes:
        name: The lane's name.
        kind: The kind of its batches: ``daily``.
        tables: Its tables, in the order rows flow.
        batches: Its batches, from old to new: those that the ledger knows, and all that are declared one by one.
        fed: Whether a source feeds one of its tables; rows are counted of these alone.
        replaces: Whether each batch replaces the whole table: then the newest that is published counts alone.
        total: Rows of all batches.
        kpis: Each KPI over all batches together; ``None`` where batches do not add up, or nothing is published.
    """

    name: str
    kind: str
    tables: tuple[TableId, ...]
    batches: tuple[BatchStatus, ...]
    fed: bool
    replaces: bool
    total: Counts
    kpis: Mapping[TableId, KpiValue | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainStatus:
    """Where a domain stands.

    Attributes:
        domain: Its name.
        lanes: Its tables, by those that have the same batches.
        awaiting_replay: The batches about which something was decided since their last verdict.
    """

    domain: str
    lanes: tuple[LaneStatus, ...]
    awaiting_replay: tuple[BatchRef, ...]


def status(domain: Domain, *, installation: Installation) -> DomainStatus:
    """Where every batch of a domain stands.

    Raises:
        LedgerError: The ledger cannot be reached.
        LakehouseError: A KPI's table cannot be read.
    """
    lanes = tuple(lane_status(lane, installation=installation) for lane in domain.lanes)
    waiting = awaiting_replay([table.id for table in domain.tables], installation=installation, now=utc_now())
    return DomainStatus(domain=domain.name, lanes=lanes, awaiting_replay=waiting)


def lane_status(lane: Lane, *, installation: Installation) -> LaneStatus:
    """Where every batch of a lane stands; raises as `status` does."""
    records = _records(lane, installation)
    values = {table.id: kpi_values(table, installation=installation) for table in lane.tables if isinstance(table, Kpi)}
    grid = lane.batches.grid()
    declared = grid.keys if isinstance(grid, Keys) else ()
    known = {batch for of_table in records.values() for batch in of_table}
    keys = in_order(lane.batches, {*declared, *known})
    batches = tuple(_batch_status(lane, key, records, values) for key in keys)
    replaces = lane.batches.scope is Scope.TABLE
    counted = [batch for batch in batches if batch.is_visible][-1:] if replaces else batches
    whole = {batch.batch for batch in counted}
    return LaneStatus(
        name=lane.name,
        kind=lane.batches.name,
        tables=tuple(table.id for table in lane.tables),
        batches=batches,
        fed=any(isinstance(table, GatedTable) for table in lane.tables),
        replaces=replaces,
        total=sum((batch.counts for batch in counted), Counts()),
        kpis={
            table.id: combined(table, [value for value in values[table.id] if value.batch in whole])
            for table in lane.tables
            if isinstance(table, Kpi)
        },
    )


def _records(lane: Lane, installation: Installation) -> Mapping[TableId, Mapping[str, BatchRecord]]:
    """The records of a lane, by table and batch; a raw one where no gate has judged the batch yet."""
    raw = {table.id.raw: table.id for table in lane.tables if isinstance(table, GatedTable)}
    found: dict[TableId, dict[str, BatchRecord]] = {table.id: {} for table in lane.tables}
    known = installation.ledger.batches(tables=[*raw, *found])
    for record in sorted(known, key=lambda record: record.ref.table in found):  # the gates' verdicts win
        found[raw.get(record.ref.table, record.ref.table)][record.ref.batch] = record
    return found


def _batch_status(
    lane: Lane,
    key: str,
    records: Mapping[TableId, Mapping[str, BatchRecord]],
    values: Mapping[TableId, Sequence[KpiValue]],
) -> BatchStatus:
    tables = {table.id: records[table.id].get(key) for table in lane.tables}
    judged = [record for table, record in tables.items() if record is not None and record.ref.table == table]
    fed = {table.id for table in lane.tables if isinstance(table, GatedTable)}
    of_batch = {table: [value for value in some if value.batch == key] for table, some in values.items()}
    return BatchStatus(
        batch=key,
        tables=tables,
        counts=sum((record.counts for record in judged if record.ref.table in fed), Counts()),
        held=any(record.state is BatchState.HELD for record in judged),
        values={table: value for table, some in of_batch.items() for value in some if value.is_total},
        dimensions={
            table: parts
            for table, some in of_batch.items()
            if (parts := tuple(value for value in some if not value.is_total))
        },
    )
