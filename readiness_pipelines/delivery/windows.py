"""A stream's batch is a window of time: open while slices are added to it, and sealed by an ordinary delivery.

From its raw table a window is closed first, so that whoever still wants to add to it has to look, and is refused; then
its files become one, and the ledger has it as any other batch that arrived. What follows is `deliver`.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.columns import OFFSET_BITS, RAW_COLUMNS, RAW_NAMES, WATERMARK
from readiness_pipelines.contracts import GatedTable, Origin, Table
from readiness_pipelines.delivery.attempts import OpenAttempt, attempted
from readiness_pipelines.delivery.commit import commit_rows, record_batch
from readiness_pipelines.delivery.erasure.matching import matcher_of
from readiness_pipelines.delivery.erasure.searching import rows_of_persons, without_rows
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.ingested import Ingested
from readiness_pipelines.delivery.scanning import scan_staged
from readiness_pipelines.errors import BatchNotLandedError, BatchUnsettledError
from readiness_pipelines.gates import Gate
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Marks, Staged, stored_columns
from readiness_pipelines.ledger import BatchRecord, Snapshots, StoredColumn
from readiness_pipelines.sources import StreamReader
from readiness_pipelines.sql import identifier

CLOSED = "readiness.stream.closed"
"""The property of an Iceberg table that says up to which time windows are closed: nothing is added to those before."""

_ERASED = "readiness.stream.erased"
"""The property of a raw table that says how many rows of erased persons seals have left out, by window.

It is set in the commit that takes the rows away: a seal that is cut off right after it is done again by whoever cannot
count them any more.
"""


def is_streamed(table: Table) -> bool:
    """Whether a table's rows come as messages."""
    return isinstance(table, GatedTable) and isinstance(table.source.reader, StreamReader)


def was_open(table: Table, record: BatchRecord | None) -> bool:
    """Whether slices of a batch may be published that no verdict over the whole batch was about."""
    return is_streamed(table) and (record is None or record.state is BatchState.OPEN)


def end_of_window(table: Table, batch: str) -> str:
    """When a window ends, as text that sorts by time."""
    window = table.batches.window(batch)
    if window is None:
        raise BatchNotLandedError(
            f"{batch!r} is not one of the {table.batches.name} batches of {table.id}",
            way_out=f"readiness status {table.id}",
        )
    return window.end.isoformat()


def closing_marks(table: Table, batch: str) -> Marks | None:
    """What a delivery of a stream's batch says in the same commit: that its window is closed. ``None`` for others."""
    if not is_streamed(table):
        return None
    end = end_of_window(table, batch)
    return lambda properties: {CLOSED: max(end, properties.get(CLOSED, ""))}


def seal(table: GatedTable, *, batch: str, installation: Installation, run: Run, again: bool = False) -> Ingested:
    """Close a window and make one file of its raw rows. Doing it twice equals doing it once.

    Rows of erased persons are left out, and counted.

    Args:
        table: A table that is fed by a topic.
        batch: The window.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        again: Its raw rows are damaged: that cannot be put right from a topic.

    Raises:
        BatchNotLandedError: Nothing of the window was read, or its raw rows are damaged.
        BatchUnsettledError: The window is not over.
        LakehouseError: The raw table cannot be written.
        RegisterKeyError: The register says whom to leave out, and its key is not there.
    """
    ref = BatchRef(table.id.raw, batch)
    before = installation.ledger.get(ref)
    if before is None:
        table.source.reader.open(batch, installation.places(table.batches))
        raise AssertionError("a topic is not read by batch")
    if again:
        raise BatchNotLandedError(
            f"the raw rows of {ref} are damaged, and {table.source.reader.describe()} is not read again for a batch",
            way_out=f"restore the files of {table.id.raw} from a backup",
        )
    cut_off = any(attempt.ref == ref for attempt in installation.ledger.open_attempts(tables=[ref.table]))
    if before.state is BatchState.SEALED and before.snapshots.raw is not None and not cut_off:
        return _ingested(before, before.snapshots.raw, unchanged=True)
    end = end_of_window(table, batch)
    if run.clock().isoformat() < end and not _waits(table, before):
        raise BatchUnsettledError(
            f"batch {batch!r} of {table.id} is an open window until {end}: slices are still added to it",
            way_out="it is sealed by itself when it is over; what is in it is published already",
        )
    with attempted(table, ref, installation=installation, run=run) as attempt:
        return _sealed(table, ref, attempt, installation, run)


def _sealed(table: GatedTable, ref: BatchRef, attempt: OpenAttempt, installation: Installation, run: Run) -> Ingested:
    raw, batch, lakehouse = ref.table, ref.batch, installation.lakehouse
    marks = closing_marks(table, batch)
    with installation.engine(f"batch {batch!r} of {raw}") as engine:
        if not lakehouse.exists(raw):
            lakehouse.ensure(raw, RAW_COLUMNS)  # the process that opened it was killed before its first slice
        # From here on nothing is added: what is read is all of it.
        closing = {"readiness.run": run.run_id, "readiness.attempt": f"{attempt.id}-closing"}
        lakehouse.append(raw, None, properties=closing, marks=marks)
        rows = lakehouse.relation(engine, raw, batch=batch, as_arrived=True)
        if isinstance(table.source.reader, StreamReader) and table.source.reader.sparse:
            rows = with_declared(rows, gate_of(table))
        arrived = pa.schema([(name, pa.string()) for name in rows.columns if name not in RAW_NAMES])
        known = lakehouse.schema(raw)
        columns = stored_columns(arrived, known)
        matcher = matcher_of(table, installation)
        erased = tuple(rows_of_persons(rows, matcher).get(batch, ())) if matcher is not None else ()
        kept = without_rows(rows, erased) if erased else rows
        marked = [known.field(WATERMARK)] if WATERMARK in rows.columns else []
        names = ", ".join(map(identifier, [*arrived.names, *RAW_COLUMNS.names, *(one.name for one in marked)]))
        schema = pa.schema([*(column.field for column in columns), *RAW_COLUMNS, *marked])
        staged = lakehouse.stage(raw, kept.project(names).order("_row"), batch=batch, schema=schema)
        counted = _erased(ref, staged, len(erased), installation)
        snapshot = commit_rows(
            raw,
            staged,
            ref,
            attempt=attempt,
            installation=installation,
            engine=engine,
            run=run,
            facts={"rows": staged.rows, **({"erased_rows": counted} if counted else {})},
            marks=_sealing_marks(table, batch, counted, installation),
        )
        record = BatchRecord(
            ref=ref,
            state=BatchState.SEALED,
            counts=Counts(ingested=staged.rows + counted, erased=counted),
            run_id=run.run_id,
            attempt=attempt.id,
            snapshots=Snapshots(raw=snapshot),
            origins=_origins(staged, installation, engine),
            columns=tuple(StoredColumn(name=c.name, type=str(c.type), stored=c.stored) for c in columns),
            unreadable_rows=_unreadable(staged, installation),
            updated_at=run.clock(),
        )
        found = scan_staged(ref, staged, columns, installation=installation, engine=engine)
    record_batch(record, what="sealed", attempt=attempt, installation=installation, run=run, found=found)
    return _ingested(record, snapshot, unchanged=False)


def with_declared(rows: duckdb.DuckDBPyRelation, gate: Gate) -> duckdb.DuckDBPyRelation:
    """The rows with all columns that the gate names: what no message has is null, not missing."""
    there = {name.lower() for name in rows.columns}
    lacking = [spec.name for spec in gate.spec.columns if not spec.pattern and spec.name.lower() not in there]
    if not lacking:
        return rows
    return rows.project(", ".join(["*", *(f"NULL::VARCHAR AS {identifier(name)}" for name in lacking)]))


def _sealing_marks(table: GatedTable, batch: str, erased: int, installation: Installation) -> Marks:
    """What the seal's commit says: that the window is closed, and how many rows of erased persons are not in it.

    Of other windows that is kept while their seals may still be cut off.
    """
    closing = closing_marks(table, batch)
    there = installation.ledger.batches(tables=[table.id.raw], state=BatchState.OPEN)
    begun = {record.ref.batch for record in there}
    begun |= {one.ref.batch for one in installation.ledger.open_attempts(tables=[table.id.raw])}

    def marks(properties: Mapping[str, str]) -> Mapping[str, str]:
        known = {key: rows for key, rows in _erased_rows(properties).items() if key in begun and key != batch}
        counts = {**known, batch: erased} if erased else known
        said = {_ERASED: json.dumps(counts)} if counts or _ERASED in properties else {}
        return {**(closing(properties) if closing else {}), **said}

    return marks


def _erased_rows(properties: Mapping[str, str]) -> Mapping[str, int]:
    counts: Mapping[str, int] = json.loads(properties.get(_ERASED, "{}"))
    return counts


def _erased(ref: BatchRef, staged: Staged, now: int, installation: Installation) -> int:
    """How many rows of a window are not in raw any more: of this seal, and of one before that was cut off."""
    record = installation.ledger.get(ref)
    if record is not None and record.state is BatchState.SEALED:
        return record.counts.ingested - staged.rows
    return _erased_rows(installation.lakehouse.properties(ref.table)).get(ref.batch, 0) + now


def _ingested(record: BatchRecord, snapshot: int, *, unchanged: bool) -> Ingested:
    return Ingested(
        ref=record.ref,
        rows=record.counts.ingested,
        unreadable_rows=record.unreadable_rows,
        origins=record.origins,
        columns=tuple(column.name for column in record.columns),
        snapshot_id=snapshot,
        unchanged=unchanged,
    )


def _unreadable(staged: Staged, installation: Installation) -> int:
    return staged.rows - installation.lakehouse.footers(staged)["_unreadable"].nulls if staged.files else 0


def _origins(staged: Staged, installation: Installation, engine: duckdb.DuckDBPyConnection) -> tuple[Origin, ...]:
    """The partitions that a window's rows come from, each with the offsets that were read of it."""
    if not staged.files:
        return ()
    offset = f"_row & {(1 << OFFSET_BITS) - 1}"
    rows = installation.lakehouse.staged_rows(engine, staged)
    found = rows.aggregate(f"_file, min({offset}) AS first, max({offset}) AS last, count(*) AS messages", "_file")
    return tuple(
        Origin(name=name, fingerprint=sha256(f"{first} {last} {messages}".encode()).hexdigest())
        for name, first, last, messages in sorted(found.fetchall())
    )


SEALED_AFTER = timedelta(seconds=15)
"""So long after its end a window is sealed: slices that were under way reach it, and no one is made anew."""


def is_over(table: Table, batch: str, now: datetime) -> bool:
    """Whether a window is to be sealed."""
    window = table.batches.window(batch)
    return window is not None and window.end + SEALED_AFTER <= now


def is_to_be_sealed(table: Table, raw: BatchRecord, now: datetime) -> bool:
    """Whether an open window is to be sealed: it is over, or over its tolerance, and its stream waits for a decision.

    Args:
        table: The table.
        raw: What the ledger has of the window's raw rows.
        now: The time.
    """
    return is_over(table, raw.ref.batch, now) or _waits(table, raw)


def _waits(table: Table, raw: BatchRecord) -> bool:
    """Whether nothing is added to an open window because it is over its tolerance: its stream is paused."""
    reader = table.source.reader if isinstance(table, GatedTable) else None
    return bool(raw.reason) and isinstance(reader, StreamReader) and reader.on_hold == "pause"


def windows_over(table: GatedTable, *, installation: Installation, now: datetime) -> tuple[str, ...]:
    """The windows of a table that are open and to be sealed, from old to new.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    there = installation.ledger.batches(tables=[table.id.raw], state=BatchState.OPEN)
    over = [record.ref.batch for record in there if is_to_be_sealed(table, record, now)]
    return tuple(sorted(over, key=table.batches.order))
