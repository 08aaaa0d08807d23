"""What was computed from a batch whose rows were withdrawn must not outlive them."""

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts import Computed, Table, downstream, keeps_history
from readiness_pipelines.contracts.reads import RowsOfPeriod
from readiness_pipelines.delivery.attempts import attempted, must_commit
from readiness_pipelines.delivery.commit import commit_rows, record_batch
from readiness_pipelines.delivery.history import keep_history, known_before
from readiness_pipelines.delivery.online.keeping import keep_online
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Published, is_there
from readiness_pipelines.delivery.versions import show_newest_version
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Staged
from readiness_pipelines.ledger import BatchRecord, Snapshots, StoredColumn
from readiness_pipelines.names import TableId

WITHDRAWN = "what it was computed from is not there any more"
"""Why a computed batch has no rows, for people."""


def withdraw_downstream(table: Table, *, installation: Installation, run: Run) -> tuple[BatchRef, ...]:
    """Empty every computed batch that reads what is not there any more and cannot be computed without it.

    What comes from a held batch stays: so does what the held batch published before. A batch that can be computed
    without what was withdrawn (a month without one of its days) is computed again by whoever delivers next.

    Returns:
        The batches of which something was withdrawn.
    """
    withdrawn: list[BatchRef] = []
    for reader in downstream(table):
        withdrawn += [
            BatchRef(reader.id, batch)
            for batch in outliving(reader, Published(installation.ledger))
            if withdraw(reader, batch=batch, installation=installation, run=run)
        ]
    return tuple(withdrawn)


def outliving(table: Computed, published: Published) -> tuple[str, ...]:
    """The batches of a computed table that outlive what they were computed from: whoever withdrew that was cut off."""
    records = published.records(table.id)
    return tuple(batch for batch, record in records.items() if outlives(table, record, published))


def outlives(table: Computed, record: BatchRecord, published: Published) -> bool:
    """Whether a batch is there, and cannot be computed again, for one that it was computed from is not there."""
    if not is_there(record) or published.inputs(table, record.ref.batch) is not None:
        return False
    for read in table.reads.values():
        by_event = isinstance(read.mapping, RowsOfPeriod)
        for batch in record.inputs.get(read.table.id, {}):
            source = published.record(read.table.id, batch)
            # One that the ledger knows nothing of was not withdrawn: `reconcile` names it.
            if source is not None and not is_there(source):
                return True
            # Rows of another time now: what it was computed from is there, and it reads none of it.
            if source is not None and by_event and not published.read(read, table, record.ref.batch):
                return True
    return False


def withdraw(table: Computed, *, batch: str, installation: Installation, run: Run) -> bool:
    """Empty a batch of a computed table; whether there was something to withdraw."""
    lakehouse, store = installation.lakehouse, store_of(table)
    ref = BatchRef(table.id, batch)
    # A batch that was published without rows is there, too, and has no file to take away.
    record = installation.ledger.get(ref)
    shown = record is not None and is_there(record)
    both = (store, table.id.quarantine)
    if not shown and not any(must_commit(there, ref, installation) for there in both):
        return False
    with attempted(table, ref, installation=installation, run=run) as attempt:
        # A delivery that was cut off may have left what waits, and no published table yet.
        stores = [there for there in (table.id.quarantine, store) if must_commit(there, ref, installation)]
        keeps = keeps_history(table) and (store in stores or must_commit(table.id.history, ref, installation))
        schema = lakehouse.schema(store) if lakehouse.exists(store) else pa.schema([])
        with installation.engine(f"batch {batch!r} of {table.id}") as engine:
            staged = [_no_rows(there, batch, installation, engine) for there in stores]
            known = known_before(table, batch, installation=installation, engine=engine) if keeps else None
            for there, nothing in zip(stores, staged, strict=True):
                commit_rows(there, nothing, ref, attempt=attempt, installation=installation, engine=engine, run=run)
            if known is not None:
                nothing = _no_rows(store, batch, installation, engine)
                keep_history(table, nothing, known, attempt=attempt, installation=installation, engine=engine, run=run)
        record_batch(
            BatchRecord(
                ref=ref,
                state=BatchState.EMPTY,
                counts=Counts(),
                run_id=run.run_id,
                attempt=attempt.id,
                reason=WITHDRAWN,
                snapshots=Snapshots(),
                columns=tuple(StoredColumn(name=f.name, type=str(f.type), stored=f.name) for f in schema),
                updated_at=run.clock(),
            ),
            what="withdrawn",
            attempt=attempt,
            installation=installation,
            run=run,
            why=WITHDRAWN,
        )
    show_newest_version(table, installation=installation, run=run)
    keep_online(table, installation=installation, run=run)
    return True


def _no_rows(store: TableId, batch: str, installation: Installation, engine: duckdb.DuckDBPyConnection) -> Staged:
    """No rows of a batch, in place of those that an Iceberg table has."""
    schema = installation.lakehouse.schema(store)
    return installation.lakehouse.stage(store, engine.from_arrow(schema.empty_table()), batch=batch, schema=schema)
