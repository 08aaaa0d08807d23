"""The chain of custody of a batch: from the files that landed to the KPI, with every decision in between."""

from dataclasses import dataclass

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.names import batch_ref, kpi_table, published_table, raw_table
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, Decision, TrailEntry
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class TableHistory:
    """What happened to a batch in one table.

    Attributes:
        table: The table.
        record: Where the batch stands; ``None`` where it never came here.
        decisions: All decisions about it, also those undone.
        trail: What happened, oldest first.
    """

    table: str
    record: BatchRecord | None
    decisions: tuple[Decision, ...]
    trail: tuple[TrailEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened to a batch, table by table, in the order rows flow."""

    path: str
    batch: str
    tables: tuple[TableHistory, ...]


def history(path: DataPath, *, batch: str, installation: Installation) -> History:
    """Tell what happened to a batch.

    Raises:
        UnknownNameError: The ledger knows no such batch of the path; names the nearest.
        LedgerError: The ledger cannot be reached.
    """
    known = {record.ref.batch for record in installation.ledger.batches(path=path.name)}
    if batch not in known:
        raise UnknownNameError(f"batch of {path.name} in the ledger", batch, known)
    names: list[TableId] = []
    for table in path.tables:
        names += [raw_table(table)] if isinstance(table, GatedTable) else []
        names.append(published_table(path, table))
    if path.kpi_measure is not None:
        names.append(kpi_table(path))
    return History(path=path.name, batch=batch, tables=tuple(_of(path, name, batch, installation) for name in names))


def _of(path: DataPath, table: TableId, batch: str, installation: Installation) -> TableHistory:
    ref = batch_ref(path, table, batch)
    return TableHistory(
        table=str(table),
        record=installation.ledger.get(ref),
        decisions=installation.ledger.decisions(ref),
        trail=installation.ledger.trail(ref=ref),
    )
