"""From a source to raw rows: everything is kept as it came."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.columns import RAW_COLUMNS
from readiness_pipelines.contracts import Arrival, GatedTable, RawBatch
from readiness_pipelines.delivery.attempts import attempted
from readiness_pipelines.delivery.classes import handling_rows
from readiness_pipelines.delivery.commit import commit_rows, record_batch
from readiness_pipelines.delivery.erasure.arriving import without_erased
from readiness_pipelines.delivery.ingested import Ingested
from readiness_pipelines.delivery.raw_delivery import DELIVERY, delivery_of
from readiness_pipelines.delivery.scanning import scan_staged
from readiness_pipelines.delivery.settling import settled_arrival
from readiness_pipelines.delivery.version_keys import key_of, newest_raw, with_key
from readiness_pipelines.delivery.windows import is_streamed, seal
from readiness_pipelines.errors import BatchNotLandedError, ReadinessError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import PlacedColumn, Staged, as_they_are, stored_columns, to_stored
from readiness_pipelines.ledger import BatchRecord, Snapshots, StoredColumn
from readiness_pipelines.sql import identifier


def ingest(
    table: GatedTable,
    *,
    batch: str,
    installation: Installation,
    run: Run,
    again: bool = False,
) -> Ingested:
    """Read a batch of a source into its raw table, replacing what was there of it. A stream's window is sealed.

    Rows of erased persons are left out, and counted. Files that were changed a moment ago are waited for. What was
    ingested before, byte for byte, is not written again.

    Args:
        table: The table.
        batch: The batch.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        again: Write it also where it was ingested before: what the raw table has of it is damaged, or it was read by
            another declaration (of the delimiter, the encoding, …).

    Raises:
        BatchNotLandedError: The source has nothing of the batch.
        BatchUnsettledError: It is still arriving, or a stream's window is not over.
        LandingError: It cannot be read; what was ingested before stays.
        LakehouseError: The raw table cannot be written.
        RegisterKeyError: The register says whom to leave out, and its key is not there.
    """
    with handling_rows(table):
        if is_streamed(table):
            return seal(table, batch=batch, installation=installation, run=run, again=again)
        return _ingest(table, batch, installation, run, again=again)


def _ingest(table: GatedTable, batch: str, installation: Installation, run: Run, *, again: bool) -> Ingested:
    raw = table.id.raw
    ref = BatchRef(raw, batch)
    before = installation.ledger.get(ref)
    # Before it is read: what changes meanwhile is then another arrival.
    settled = settled_arrival(table, batch, installation=installation, now=run.clock())
    arrival = settled.fingerprint if settled else None
    found = _open(table, ref, settled, before, installation=installation, run=run)
    cut_off = any(attempt.ref == ref for attempt in installation.ledger.open_attempts())
    if (
        before is not None
        and before.snapshots.raw is not None
        and before.origins == found.origins
        and not (cut_off or again)
    ):
        if before.arrival != arrival:
            installation.ledger.note_arrival(ref, arrival)
        return Ingested(
            ref=ref,
            rows=before.counts.ingested,
            unreadable_rows=before.unreadable_rows,
            origins=found.origins,
            columns=tuple(column.name for column in before.columns),
            snapshot_id=before.snapshots.raw,
            unchanged=True,
        )
    kept = installation.ledger.committed(ref)
    with attempted(table, ref, installation=installation, run=run) as attempt:
        known = installation.lakehouse.schema(raw) if installation.lakehouse.exists(raw) else None
        columns = stored_columns(found.columns, known)
        with installation.engine(f"batch {batch!r} of {raw}") as engine:
            schema = pa.schema([*(column.field for column in columns), *RAW_COLUMNS])
            installation.lakehouse.ensure(raw, schema)
            arrived, erased = without_erased(found, table, installation)
            with errors_of_source(arrived) as read:
                rows = read if as_they_are(columns) else _converted(read, columns, engine)
                staged = installation.lakehouse.stage(raw, rows, batch=batch, schema=schema)
            snapshot_id = commit_rows(
                raw,
                staged,
                ref,
                attempt=attempt,
                installation=installation,
                engine=engine,
                run=run,
                facts={"rows": staged.rows, **({"erased_rows": erased.count} if erased.count else {})},
            )
            unreadable_rows = _unreadable(staged, installation)
            scanned = scan_staged(ref, staged, columns, installation=installation, engine=engine)
        record_batch(
            BatchRecord(
                ref=ref,
                state=BatchState.INGESTED,
                counts=Counts(ingested=staged.rows + erased.count, erased=erased.count),
                run_id=run.run_id,
                attempt=attempt.id,
                snapshots=Snapshots(raw=snapshot_id),
                origins=found.origins,
                arrival=arrival,
                columns=tuple(StoredColumn(name=c.name, type=str(c.type), stored=c.stored) for c in columns),
                unreadable_rows=unreadable_rows,
                updated_at=run.clock(),
            ),
            what="ingested",
            attempt=attempt,
            installation=installation,
            run=run,
            details={DELIVERY: delivery_of(attempt.committed[-1], kept, ref, installation.ledger)},
            found=scanned,
        )
    return Ingested(
        ref=ref,
        rows=staged.rows + erased.count,
        unreadable_rows=unreadable_rows,
        origins=found.origins,
        columns=tuple(found.columns.names),
        snapshot_id=snapshot_id,
        unchanged=False,
    )


def _unreadable(staged: Staged, installation: Installation) -> int:
    """How many staged rows could not be parsed, as the files' footers have it."""
    return staged.rows - installation.lakehouse.footers(staged)["_unreadable"].nulls if staged.files else 0


def _converted(
    rows: pa.RecordBatchReader, columns: Sequence[PlacedColumn], engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """The rows in the types that they are stored as."""
    framework = ", ".join(map(identifier, RAW_COLUMNS.names))
    return engine.from_arrow(rows).project(", ".join(filter(None, (to_stored(columns), framework))))


@contextmanager
def errors_of_source(rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatchReader]:
    """The same rows; an error of the source that ends them is raised as it is, not as what an engine makes of it."""
    raised: list[ReadinessError] = []

    def read() -> Iterator[pa.RecordBatch]:
        try:
            yield from rows
        except ReadinessError as error:
            raised.append(error)
            raise

    try:
        yield pa.RecordBatchReader.from_batches(rows.schema, read())
    except Exception:
        if raised:
            raise raised[0] from None
        raise


def _open(
    table: GatedTable,
    ref: BatchRef,
    arrival: Arrival | None,
    before: BatchRecord | None,
    *,
    installation: Installation,
    run: Run,
) -> RawBatch:
    """Open a batch of a source; that it cannot be read is noted as a delivery that broke."""
    reader, places = table.source.reader, installation.places(table.batches)
    if before is not None:
        places = replace(places, ingested=frozenset({ref.batch}))
    try:
        if arrival is not None and arrival.put_at is not None and arrival.batch != ref.batch:
            newest = newest_raw(table, installation.ledger.batches(tables=[ref.table]))
            if key_of(table, arrival, newest) == ref.batch:
                return with_key(reader.open(arrival.batch, places), ref.batch)
        return reader.open(ref.batch, places)
    except BatchNotLandedError:
        raise
    except ReadinessError:
        with attempted(table, ref, installation=installation, run=run):
            raise
