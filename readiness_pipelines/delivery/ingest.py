"""From landed files to raw rows: everything is kept as it came."""

from dataclasses import dataclass

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery.attempts import attempted
from readiness_pipelines.delivery.names import batch_ref, raw_table
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord, BatchRef, BatchState, Counts, FileRecord, Snapshots
from readiness_pipelines.sources import LandedFile, landed_files, read_raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What was ingested of a batch.

    Attributes:
        ref: The batch of the raw table.
        rows: Rows, those that could not be parsed among them.
        unreadable_rows: Rows that could not be parsed; kept as their raw text.
        files: The files they came from.
        columns: The columns that arrived.
        snapshot_id: Snapshot of the raw table that holds them.
        unchanged: Whether the same files had been ingested before, so that nothing was written.
    """

    ref: BatchRef
    rows: int
    unreadable_rows: int
    files: tuple[LandedFile, ...]
    columns: tuple[str, ...]
    snapshot_id: int
    unchanged: bool


def ingest(path: DataPath, table: GatedTable, *, batch: str, installation: Installation, run: Run) -> Ingested:
    """Read a batch's landed files into its raw table, replacing what was there of it.

    Files that were ingested before, byte for byte, are not written again.

    Raises:
        BatchNotLandedError: No file landed for the batch.
        FileUnreadableError: A file cannot be read; what was ingested before stays.
        LakehouseError: The raw table cannot be written.
    """
    raw = raw_table(table)
    ref = batch_ref(path, raw, batch)
    reader = table.source.reader
    files = landed_files(reader, batch=batch, landing=installation.landing)
    before = installation.ledger.get(ref)
    records = tuple(
        FileRecord(path=f.path, size_bytes=f.size_bytes, sha256=f.sha256, landed_at=f.landed_at) for f in files
    )
    cut_off = any(attempt.ref == ref for attempt in installation.ledger.open_attempts())
    if before is not None and before.snapshots.raw is not None and before.files == records and not cut_off:
        return Ingested(
            ref=ref,
            rows=before.counts.ingested,
            unreadable_rows=before.unreadable_rows,
            files=files,
            columns=before.columns,
            snapshot_id=before.snapshots.raw,
            unchanged=True,
        )
    with attempted(ref, installation=installation, run=run) as attempt:
        with installation.engine() as engine:
            batch_read = read_raw(reader, batch=batch, landing=installation.landing)
            rows = engine.from_arrow(batch_read.rows)
            schema = batch_read.rows.schema
            installation.lakehouse.ensure(raw, schema)
            staged = installation.lakehouse.stage(raw, rows, batch=batch, schema=schema)
        commit = installation.lakehouse.replace(
            raw,
            staged,
            properties={
                "readiness.batch": batch,
                "readiness.run": run.run_id,
                "readiness.attempt": attempt.id,
                "readiness.rows": str(staged.rows),
            },
            confirm=attempt.confirm,
        )
        with installation.engine() as engine:
            written = installation.lakehouse.relation(engine, raw, batch=batch, snapshot_id=commit.snapshot_id)
            ((unreadable_rows,),) = written.aggregate("count(_unreadable)").fetchall()
        installation.ledger.record(
            BatchRecord(
                ref=ref,
                state=BatchState.INGESTED,
                counts=Counts(ingested=staged.rows),
                run_id=run.run_id,
                attempt=attempt.id,
                snapshots=Snapshots(raw=commit.snapshot_id),
                files=records,
                columns=batch_read.columns,
                unreadable_rows=unreadable_rows,
                updated_at=run.clock(),
            ),
            what="ingested",
            who=run.who,
        )
    return Ingested(
        ref=ref,
        rows=staged.rows,
        unreadable_rows=unreadable_rows,
        files=files,
        columns=batch_read.columns,
        snapshot_id=commit.snapshot_id,
        unchanged=False,
    )
