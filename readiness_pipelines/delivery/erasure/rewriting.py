"""One batch without the rows of a person: what waits and what is published first, raw last.

Raw is what the rows are found by. A process that dies on the way leaves them there, and whoever comes next finds them
again and finishes. All other rows keep their numbers and their values.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery.attempts import OpenAttempt, attempted, left_by_crash
from readiness_pipelines.delivery.baseline import baseline_of
from readiness_pipelines.delivery.commit import commit_rows, record_batch
from readiness_pipelines.delivery.erasure.landing import Relanded
from readiness_pipelines.delivery.erasure.searching import without_rows
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.profiling import profiled
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Staged
from readiness_pipelines.ledger import ERASED, BatchRecord
from readiness_pipelines.names import TableId

_KEPT_DETAILS = ("transform", "decisions", "waived")
"""What the trail said of a batch's last verdict, and what judging it again goes by."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """The numbers of the rows of a batch that are to go.

    Attributes:
        raw: From raw.
        rows: From quarantine.
        shown: From what is published: the same numbers, or others where that is of a delivery before the last.
    """

    raw: frozenset[int]
    rows: frozenset[int]
    shown: frozenset[int]


def rewrite_judged(
    table: GatedTable, record: BatchRecord, leaving: Leaving, *, why: str, installation: Installation, run: Run
) -> None:
    """Take rows of a batch out of quarantine and out of what is published, and out of the batch's profile.

    Args:
        table: The table.
        record: The batch, as the ledger has it.
        leaving: The rows.
        why: For the trail.
        installation: Where the tables and the ledger are.
        run: Who, and when.

    Raises:
        CommitConflictError: Another run delivers the batch.
        LakehouseError: A table cannot be read or written.
    """
    ref = record.ref
    stores = {table.id.quarantine: leaving.rows, store_of(table): leaving.shown}
    if not any(_must_rewrite(store, ref, rows, installation) for store, rows in stores.items()):
        return
    with (
        attempted(table, ref, installation=installation, run=run) as attempt,
        installation.engine(f"batch {ref.batch!r} of {table.id}") as engine,
    ):
        step = _Step(ref, attempt, installation, engine, run)
        snapshots, profile = record.snapshots, None
        waits, shown = (
            step.rewritten(store, rows) if _must_rewrite(store, ref, rows, installation) else None
            for store, rows in stores.items()
        )
        counts = _counts(record, table, installation, engine, {s.table: s for s in (waits, shown) if s})
        state = _state(record.state, counts)
        facts = {
            "state": state.value,
            "gate_version": record.gate_version,
            "ingested_rows": counts.ingested,
            "published_rows": counts.published,
            "quarantined_rows": counts.quarantined,
            "discarded_rows": counts.discarded,
            "erased_rows": counts.erased,
        }
        if waits is not None:
            snapshots = replace(snapshots, quarantine=step.commit(waits, facts))
        if shown is not None:
            profile = profiled(
                table,
                shown,
                lambda: baseline_of(table, batch=ref.batch, installation=installation),
                installation=installation,
                engine=engine,
            )
            snapshots = replace(snapshots, published=step.commit(shown, facts))
        kept = profile.kept if profile is not None else _profile(record, installation)
        record_batch(
            replace(
                record,
                state=state,
                counts=counts,
                snapshots=snapshots,
                run_id=run.run_id,
                attempt=attempt.id,
                updated_at=run.clock(),
            ),
            what=ERASED,
            why=why,
            details=_details(record, installation),
            attempt=attempt,
            installation=installation,
            run=run,
            found=profile.findings if profile is not None else None,
            profile=kept if state.visible else None,
        )
        if profile is not None and not state.visible:
            # What the batch published before it was held is published still, and looks otherwise now.
            installation.ledger.erasures.replace_profile(ref, profile.kept)


def rewrite_raw(
    table: GatedTable,
    record: BatchRecord,
    rows: Collection[int],
    *,
    relanded: Relanded | None,
    why: str,
    installation: Installation,
    run: Run,
) -> None:
    """Take rows of a batch out of raw; the others keep their numbers.

    Args:
        table: The table.
        record: The batch of the raw table, as the ledger has it.
        rows: The numbers of the rows.
        relanded: What the batch is read from now, where its files were written anew.
        why: For the trail.
        installation: Where the tables and the ledger are.
        run: Who, and when.

    Raises:
        CommitConflictError: Another run ingests the batch.
        LakehouseError: A table cannot be read or written.
    """
    ref = record.ref
    if relanded is None and not _must_rewrite(ref.table, ref, rows, installation):
        return
    read_from = replace(record, origins=relanded.origins, arrival=relanded.arrival) if relanded else record
    with (
        attempted(table, ref, installation=installation, run=run) as attempt,
        installation.engine(f"batch {ref.batch!r} of {ref.table}") as engine,
    ):
        step = _Step(ref, attempt, installation, engine, run)
        kept = step.rewritten(ref.table, rows)
        snapshot = step.commit(kept, {"rows": kept.rows, "erased_rows": record.counts.ingested - kept.rows})
        readable = installation.lakehouse.footers(kept)["_unreadable"].nulls if kept.files else 0
        record_batch(
            replace(
                read_from,
                counts=replace(record.counts, erased=record.counts.ingested - kept.rows),
                snapshots=replace(record.snapshots, raw=snapshot),
                unreadable_rows=kept.rows - readable,
                run_id=run.run_id,
                attempt=attempt.id,
                updated_at=run.clock(),
            ),
            what=ERASED,
            why=why,
            attempt=attempt,
            installation=installation,
            run=run,
        )


def note_raw_snapshot(table: GatedTable, record: BatchRecord, *, installation: Installation, run: Run) -> None:
    """Note that a verdict holds for raw rows as they are after an erasure, where the batch is not judged again.

    Else it would be due, and judged by a gate that nobody has replayed it with.

    Args:
        table: The table.
        record: The batch, as the ledger has it.
        installation: Where the ledger is.
        run: Who, and when.
    """
    raw = installation.ledger.get(BatchRef(table.id.raw, record.ref.batch))
    if raw is None or raw.snapshots.raw is None or table.id.raw not in record.inputs:
        return
    inputs = {**record.inputs, table.id.raw: {record.ref.batch: raw.snapshots.raw}}
    if inputs == record.inputs:
        return
    with attempted(table, record.ref, installation=installation, run=run) as attempt:
        record_batch(
            replace(
                record,
                inputs=inputs,
                snapshots=replace(record.snapshots, raw=raw.snapshots.raw),
                run_id=run.run_id,
                attempt=attempt.id,
                updated_at=run.clock(),
            ),
            what=ERASED,
            details=_details(record, installation),
            attempt=attempt,
            installation=installation,
            run=run,
            profile=_profile(record, installation) if record.state.visible else None,
        )


@dataclass(frozen=True, slots=True)
class _Step:
    ref: BatchRef
    attempt: OpenAttempt
    installation: Installation
    engine: duckdb.DuckDBPyConnection
    run: Run

    def rewritten(self, store: TableId, rows: Collection[int]) -> Staged:
        """What an Iceberg table has of the batch without some rows, staged."""
        lakehouse, batch = self.installation.lakehouse, self.ref.batch
        there = lakehouse.relation(self.engine, store, batch=batch, as_arrived=store.is_raw)
        known = lakehouse.schema(store)
        schema = pa.schema([known.field(name) for name in there.columns])
        return lakehouse.stage(store, without_rows(there, rows), batch=batch, schema=schema)

    def commit(self, staged: Staged, facts: Mapping[str, object]) -> int:
        return commit_rows(
            staged.table,
            staged,
            self.ref,
            attempt=self.attempt,
            installation=self.installation,
            engine=self.engine,
            run=self.run,
            facts=facts,
        )


def _must_rewrite(store: TableId, ref: BatchRef, rows: Collection[int], installation: Installation) -> bool:
    """Whether an Iceberg table has one of some rows of a batch, or what a process has left there that died."""
    lakehouse = installation.lakehouse
    if not lakehouse.exists(store) or not lakehouse.files(store, batch=ref.batch):
        return left_by_crash(store, ref, installation)
    if left_by_crash(store, ref, installation):
        return True
    with installation.engine(f"batch {ref.batch!r} of {store}") as engine:
        there = lakehouse.relation(engine, store, batch=ref.batch)
        chosen = f"_row IN ({', '.join(map(str, sorted(rows)))})" if rows else "false"
        return bool(there.filter(chosen).limit(1).fetchall())


def _counts(
    record: BatchRecord,
    table: GatedTable,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
    staged: Mapping[TableId, Staged],
) -> Counts:
    """The rows of the batch by where they are when what is staged is committed; what is nowhere any more is erased."""
    lakehouse, batch = installation.lakehouse, record.ref.batch

    def rows_in(store: TableId) -> duckdb.DuckDBPyRelation | None:
        if (one := staged.get(store)) is not None:
            return engine.read_parquet(list(one.files)) if one.files else None
        return lakehouse.relation(engine, store, batch=batch) if lakehouse.exists(store) else None

    waiting = rows_in(table.id.quarantine)
    discarded = quarantined = 0
    if waiting is not None:
        gone = "coalesce(_discarded, false)" if "_discarded" in waiting.columns else "false"
        counted = f"count(*) FILTER ({gone}), count(*) FILTER (NOT {gone})"
        ((discarded, quarantined),) = waiting.aggregate(counted).fetchall()
    published = 0
    if record.state.visible and (shown := rows_in(store_of(table))) is not None:
        ((published,),) = shown.aggregate("count(*)").fetchall()
    ingested = record.counts.ingested
    return Counts(
        ingested=ingested,
        published=published,
        quarantined=quarantined,
        discarded=discarded,
        erased=ingested - published - quarantined - discarded,
    )


def _state(before: BatchState, counts: Counts) -> BatchState:
    """Where a batch stands without some of its rows: a verdict about all of them holds for those that are left."""
    if counts.erased == counts.ingested:
        return BatchState.EMPTY
    if before is BatchState.PARTLY_PUBLISHED and not counts.quarantined:
        return BatchState.PUBLISHED
    return before


def _details(record: BatchRecord, installation: Installation) -> dict[str, Any]:
    """What the trail said of the last verdict and still holds."""
    for entry in reversed(installation.ledger.trail(ref=record.ref)):
        if entry.attempt == record.attempt:
            return {name: entry.details[name] for name in _KEPT_DETAILS if name in entry.details}
    return {}


def _profile(record: BatchRecord, installation: Installation) -> str | None:
    return installation.ledger.profiles(record.ref.table, [record.ref.batch]).get(record.ref.batch)
