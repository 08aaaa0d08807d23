"""What is computed from a changed batch, computed again: exactly the batches that read it."""

from collections.abc import Callable, Iterator, Sequence

from readiness_pipelines.batches import BatchRef, in_order
from readiness_pipelines.contracts import Computed, Table, downstream
from readiness_pipelines.delivery.deliver import Delivery, deliver
from readiness_pipelines.delivery.published import Inputs, Published, refs_of, without_moving
from readiness_pipelines.errors import UpstreamNotPublishedError
from readiness_pipelines.installation import Installation, Run


def stale_batches(table: Computed, published: Published) -> Iterator[tuple[str, Inputs]]:
    """The batches of a computed table that were computed from other inputs than are there now, or never were.

    Batches of which an input is not there are not among them: what was computed from it stays.

    Yields:
        The batch, and the inputs it would be computed from.
    """
    records = published.records(table.id)
    for batch in published.keys_of(table):
        inputs = published.inputs(table, batch)
        if inputs is None:
            continue
        record = records.get(batch)
        if record is None or without_moving(record.inputs) != inputs:
            yield batch, inputs


def readers_of(ref: BatchRef, table: Table, published: Published) -> tuple[BatchRef, ...]:
    """The computed batches that read a batch, or would read it, directly or not; each after those it reads."""
    changed: set[BatchRef] = {ref}
    found: list[BatchRef] = []
    for reader in downstream(table):
        records = published.records(reader.id)
        made = {
            read.made_by(ref.batch, reader.batches)
            for read in reader.reads.values()
            for ref in changed
            if ref.table == read.table.id
        }
        for batch in in_order(reader.batches, {*published.keys_of(reader), *(key for key in made if key is not None)}):
            record, inputs = records.get(batch), published.inputs(reader, batch)
            reads = {*refs_of(record.inputs if record else {}), *refs_of(inputs or {})}
            if reads & changed or batch in made:
                found.append(BatchRef(reader.id, batch))
        changed.update(found)
    return tuple(dict.fromkeys(found))


def deliver_readers(
    table: Table, *, installation: Installation, run: Run, only: Sequence[BatchRef], done: Callable[[BatchRef], None]
) -> dict[BatchRef, Delivery]:
    """Compute the stale ones among some computed batches again, in the order rows flow.

    Args:
        table: The table that changed.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        only: The batches that may be computed.
        done: Called with each batch when it is done.
    """
    deliveries: dict[BatchRef, Delivery] = {}
    wanted = set(only)
    for reader in downstream(table):
        for batch, _ in list(stale_batches(reader, Published(installation.ledger))):
            ref = BatchRef(reader.id, batch)
            if ref in wanted:
                try:
                    deliveries[ref] = deliver(reader, batch=batch, installation=installation, run=run)
                except UpstreamNotPublishedError:
                    continue  # an input was withdrawn meanwhile, and says so itself
                done(ref)
    return deliveries
