"""The chain of custody of a batch: from what arrived to the products, with every decision in between."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Kpi, Table, downstream, upstream
from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, DecisionRecord, TrailEntry
from readiness_pipelines.lineage import Inputs, inputs_of, made_from, made_of
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.known import unknown_batch
from readiness_pipelines.products import KpiValue


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHistory:
    """What happened to a batch of one table.

    Attributes:
        ref: The batch.
        record: Where it stands; ``None`` where it never came here.
        decisions: All decisions about it, also those undone.
        trail: What happened, oldest first.
        value: The KPI's total, where the table is a KPI and something is published.
    """

    ref: BatchRef
    record: BatchRecord | None
    decisions: tuple[DecisionRecord, ...]
    trail: tuple[TrailEntry, ...]
    value: KpiValue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a batch was made of, what happened to it, and what was made of it, in the order rows flow."""

    ref: BatchRef
    steps: tuple[BatchHistory, ...]


def history(table: Table, *, batch: str, installation: Installation) -> History:
    """What happened to a batch of a table, to all that it was made of, and to all that was made of it.

    What was made of what is read from the inputs that the ledger recorded, also where code or domains changed since.

    Raises:
        LedgerError: The batch was never delivered, or the ledger cannot be reached.
        UnknownNameError: The ledger knows no such batch; names the nearest.
        LakehouseError: A KPI's table cannot be read.
    """
    ref, raw, ledger = BatchRef(table.id, batch), BatchRef(table.id.raw, batch), installation.ledger
    known = {one for one in (ref, raw) if ledger.get(one) is not None}
    if not known and not ledger.trail(ref=ref):  # a delivery that broke before it had a verdict is told of, too
        there = ledger.glances(tables=(table.id, table.id.raw))
        raise unknown_batch(table, batch, {one.ref.batch for one in there})
    inputs = ledger.recorded_inputs()
    start = [ref, raw] if raw in known else [ref]
    onwards = {ref, *made_from(ref, inputs)}
    chain = {*made_of(start, inputs), *onwards, *_not_computed(table, onwards, inputs, Published(ledger))}
    domains = dict.fromkeys(one.domain for one in (*upstream(table), table, *downstream(table)))
    declared = {one.id: one for domain in domains for one in domain.tables}
    ordered = _in_order(chain, inputs, list(declared))
    return History(ref=ref, steps=tuple(_of(one, declared.get(one.table), installation) for one in ordered))


def _not_computed(
    table: Table, onwards: Iterable[BatchRef], inputs: Inputs, published: Published
) -> Iterator[BatchRef]:
    """The batches that the chain would go on with, and that were never computed: it ends before them."""
    keys: dict[TableId, set[str]] = {}
    for ref in onwards:
        keys.setdefault(ref.table, set()).add(ref.batch)
    for reader in downstream(table):
        for read in reader.reads.values():
            for batch in tuple(keys.get(read.table.id, ())):
                for made in published.made_by(read, reader, batch):
                    if BatchRef(reader.id, made) not in inputs:
                        keys.setdefault(reader.id, set()).add(made)
                        yield BatchRef(reader.id, made)


def _in_order(chain: Iterable[BatchRef], inputs: Inputs, declared: list[TableId]) -> list[BatchRef]:
    """Each batch after its inputs; otherwise in the order in which the tables are declared."""
    places: dict[TableId, float] = {table: place for place, table in enumerate(declared)}
    # A raw table stands just before its own; what is not declared any more stands first.
    places |= {table.raw: place - 0.5 for table, place in places.items()}
    wanted = sorted(chain, key=lambda ref: (places.get(ref.table, -1.0), ref))
    members, placed = set(wanted), dict[BatchRef, None]()
    for ref in wanted:
        left = [ref]
        while left:
            one = left[-1]
            before = [other for other in inputs_of(inputs.get(one)) if other in members and other not in placed]
            before = [other for other in before if other not in left]
            if before:
                left += sorted(before, reverse=True)
            else:
                placed.setdefault(left.pop())
    return list(placed)


def _of(ref: BatchRef, table: Table | None, installation: Installation) -> BatchHistory:
    value = None
    if isinstance(table, Kpi):
        values = kpi_values(table, installation=installation, batches=[ref.batch])
        value = next((one for one in values if one.is_total), None)
    return BatchHistory(
        ref=ref,
        record=installation.ledger.get(ref),
        decisions=installation.ledger.decisions(ref),
        trail=installation.ledger.trail(ref=ref),
        value=value,
    )
