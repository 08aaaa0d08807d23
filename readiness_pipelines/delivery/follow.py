"""What is computed from a changed batch, computed again: exactly the batches that read it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from readiness_pipelines.batches import BatchRef, in_order
from readiness_pipelines.contracts import Computed, Read, Table, downstream, upstream
from readiness_pipelines.contracts.reads import SameBatch
from readiness_pipelines.delivery.published import Inputs, Published, refs_of, without_moving
from readiness_pipelines.errors import UpstreamNotPublishedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId

if TYPE_CHECKING:
    from readiness_pipelines.delivery.deliver import Delivery

TableT = TypeVar("TableT", bound=Table)


def stale_batches(table: Computed, published: Published) -> Iterator[tuple[str, Inputs]]:
    """The batches of a computed table that were computed from other inputs than are there now, or never were.

    Batches of which an input is not there are not among them: what was computed from it stays.

    Yields:
        The batch, and the inputs it would be computed from.
    """
    records = published.records(table.id)
    for batch in published.keys_of(table):
        inputs = published.inputs(table, batch)
        if inputs is not None and is_stale(records.get(batch), inputs):
            yield batch, inputs


def is_stale(record: BatchRecord | None, inputs: Inputs) -> bool:
    """Whether a batch was computed from other inputs than those there now, or never was."""
    return record is None or without_moving(record.inputs) != inputs


def readers_of(ref: BatchRef, table: Table, published: Published) -> tuple[BatchRef, ...]:
    """The computed batches that read a batch, or would read it, directly or not; each after those it reads."""
    return readers_of_all({ref}, [table], published)


def readers_of_all(refs: Collection[BatchRef], tables: Sequence[Table], published: Published) -> tuple[BatchRef, ...]:
    """The computed batches that read one of some batches, or would read it, directly or not; one may be among them.

    Args:
        refs: The batches.
        tables: Their tables.
        published: What is there.
    """
    changed: set[BatchRef] = set(refs)
    found: dict[BatchRef, None] = {}
    for reader in in_flow(one for table in tables for one in downstream(table)):
        touched = [read for read in (*reader.reads.values(), *reader.references.values()) if _reads(read, changed)]
        if all(isinstance(read.mapping, SameBatch) for read in touched):
            # The same batch of it, and no other: there is no need to look at thousands.
            names = {read.table.id for read in touched}
            same = {ref.batch for ref in changed if ref.table in names}
            reading = [BatchRef(reader.id, batch) for batch in in_order(reader.batches, same)]
        else:
            made = {
                key
                for read in reader.reads.values()
                for ref in changed
                if ref.table == read.table.id
                for key in published.made_by(read, reader, ref.batch)
            }
            reading = list(_readers_among_all(reader, changed, made, published))
        found |= dict.fromkeys(reading)
        changed.update(reading)
    return tuple(found)


def in_flow(tables: Iterable[TableT]) -> tuple[TableT, ...]:
    """Some tables in the order rows flow: each once, and after those that it reads."""
    wanted = {table.id: table for table in tables}
    ordered: dict[TableId, TableT] = {}
    for table in list(wanted.values()):
        for one in (*upstream(table), table):
            if one.id in wanted:
                ordered.setdefault(one.id, wanted[one.id])
    return tuple(ordered.values())


def _reads(read: Read, changed: Collection[BatchRef]) -> bool:
    return any(ref.table == read.table.id for ref in changed)


def _readers_among_all(
    reader: Computed, changed: set[BatchRef], made: Collection[str], published: Published
) -> Iterator[BatchRef]:
    records = published.records(reader.id)
    for batch in in_order(reader.batches, {*published.keys_of(reader), *made}):
        record, inputs = records.get(batch), published.inputs(reader, batch)
        reads = {*refs_of(record.inputs if record else {}), *refs_of(inputs or {})}
        if not reads.isdisjoint(changed) or batch in made:
            yield BatchRef(reader.id, batch)


def deliver_readers(
    table: Table, *, installation: Installation, run: Run, only: Sequence[BatchRef], done: Callable[[BatchRef], None]
) -> "dict[BatchRef, Delivery]":
    """Compute the stale ones among some computed batches again, in the order rows flow.

    Args:
        table: The table that changed.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        only: The batches that may be computed.
        done: Called with each batch when it is done.
    """
    from readiness_pipelines.delivery.deliver import deliver  # noqa: PLC0415  # who asks what is stale judges nothing
    from readiness_pipelines.delivery.withdraw import outlives  # noqa: PLC0415  # as above

    deliveries: dict[BatchRef, Delivery] = {}
    for reader in downstream(table):
        published = Published(installation.ledger)
        for ref in (ref for ref in only if ref.table == reader.id):
            inputs = published.inputs(reader, ref.batch)
            record = published.record(reader.id, ref.batch)
            # Rows that moved to another time leave a batch that cannot be computed: delivering empties it.
            due = is_stale(record, inputs) if inputs is not None else record and outlives(reader, record, published)
            if not due:
                continue
            try:
                deliveries[ref] = deliver(reader, batch=ref.batch, installation=installation, run=run)
            except UpstreamNotPublishedError:
                continue  # an input was withdrawn meanwhile, and says so itself
            done(ref)
    return deliveries
