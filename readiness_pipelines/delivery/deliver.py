"""One batch through a gate: judged, staged, and committed so that no consumer ever sees what failed.

The order is what makes it safe. Good and bad rows are first staged as files that no snapshot names. Then what waits is
committed, then what is published, then the ledger. A crash in between leaves an open attempt in the ledger, and the
next delivery of the batch recomputes the same rows and finishes it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import Any, cast

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts import Computed, GatedTable, Kpi, Table, keeps_history
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.decisions import Decision
from readiness_pipelines.delivery.attempts import OpenAttempt, attempted, left_by_crash, must_commit
from readiness_pipelines.delivery.baseline import Baseline, baseline_of
from readiness_pipelines.delivery.commit import commit_rows, record_batch
from readiness_pipelines.delivery.event_times import keep_event_times
from readiness_pipelines.delivery.gates import exposing_rules, gate_of
from readiness_pipelines.delivery.history import keep_history, known_before
from readiness_pipelines.delivery.judging import JudgedBatch, decisions_in_force, judged_batch
from readiness_pipelines.delivery.on_spark import read_on_spark, stage_from_spark
from readiness_pipelines.delivery.online.keeping import keep_online
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.profiling import Profiled, profiled
from readiness_pipelines.delivery.published import Inputs, Published, is_there
from readiness_pipelines.delivery.repeated_files import repeated_files
from readiness_pipelines.delivery.shapes import learn_shape
from readiness_pipelines.delivery.transform_facts import transform_facts
from readiness_pipelines.delivery.versions import show_newest_version
from readiness_pipelines.delivery.waiting_rows import waiting_rows
from readiness_pipelines.delivery.windows import closing_marks, was_open
from readiness_pipelines.delivery.withdraw import WITHDRAWN, outlives, withdraw, withdraw_downstream
from readiness_pipelines.delivery.withdrawn_rows import announce_withdrawn
from readiness_pipelines.errors import DeclarationError, LakehouseError, UnknownNameError, UpstreamNotPublishedError
from readiness_pipelines.gates import (
    CleansedCount,
    Discard,
    DuckDbEngine,
    Empty,
    Hold,
    Publish,
    Rows,
    RuleCount,
    SchemaFinding,
    Split,
    Verdict,
)
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Marks, Staged
from readiness_pipelines.ledger import BatchFinding, BatchRecord, FindingKind, GateRecord, Snapshots, StoredColumn
from readiness_pipelines.names import TableId
from readiness_pipelines.sql import identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a batch.

    Attributes:
        ref: The batch.
        state: What became of it.
        counts: Its rows, accounted for.
        gate_version: Version of the gate that judged it.
        reason: One line for people: why it is held, or what waits. Empty where every row was published.
        rules: One count per rule of the gate.
        cleansed: One count per cleansing step.
        findings: What differs from the schema: new, missing and widened columns.
        snapshots: The snapshots that hold it now; a held batch keeps the one it published before.
        inputs: The snapshots it was made of, by table and batch.
        columns: Arrow schema of the published rows.
        profiled: What its published rows look like, and how that compares with earlier batches; ``None`` where nothing
            was published.
        newest_event_at: The newest event time that is published; ``None`` where the table promises nothing about it.
    """

    ref: BatchRef
    state: BatchState
    counts: Counts
    gate_version: str
    reason: str
    rules: tuple[RuleCount, ...]
    cleansed: tuple[CleansedCount, ...]
    findings: tuple[SchemaFinding, ...]
    snapshots: Snapshots
    inputs: Inputs
    columns: pa.Schema
    profiled: Profiled | None
    newest_event_at: datetime | None


def deliver(table: Table, *, batch: str, installation: Installation, run: Run) -> Delivery:
    """Judge a batch and publish it, publish it in part, or hold it. Doing it twice equals doing it once.

    A computed batch that outlives what it was computed from is emptied: consumers must not see it any longer.

    Raises:
        UpstreamNotPublishedError: Nothing was ingested, or an input or referenced table has nothing published.
        GateBuildError: The schema cannot become a gate, or a check raised.
        DeclarationError: The transform breaks, or another declaration delivers a table of this name.
        CommitConflictError: Another run delivered the same batch meanwhile; deliver it again.
        LakehouseError: A table cannot be read or written.
    """
    try:
        return _deliver(table, batch=batch, installation=installation, run=run)
    except UpstreamNotPublishedError:
        published = Published(installation.ledger)
        record = published.record(table.id, batch)
        if record is None or not isinstance(table, Computed) or not outlives(table, record, published):
            raise
        withdraw(table, batch=batch, installation=installation, run=run)
        return _withdrawn(table, record)


def _withdrawn(table: Computed, record: BatchRecord) -> Delivery:
    """What became of a batch that was emptied."""
    return Delivery(
        ref=record.ref,
        state=BatchState.EMPTY,
        counts=Counts(),
        gate_version=gate_of(table).version,
        reason=WITHDRAWN,
        rules=(),
        cleansed=(),
        findings=(),
        snapshots=Snapshots(),
        inputs={},
        columns=pa.schema([]),
        profiled=None,
        newest_event_at=None,
    )


def _deliver(table: Table, *, batch: str, installation: Installation, run: Run) -> Delivery:
    ref = BatchRef(table.id, batch)
    with attempted(table, ref, installation=installation, run=run) as attempt:
        decisions = decisions_in_force(table, batch=batch, installation=installation, run=run)
        with judged_batch(
            table, batch=batch, decisions=decisions, installation=installation, verified=False, releasing=run
        ) as first:
            gate = first.gate
            asked = GateRecord(version=gate.version, declaration=gate.declaration.to_json(), first_used_at=run.clock())
            installation.ledger.remember_gate(table.id, asked)
            opened = was_open(table, installation.ledger.get(ref))
            step = _Step(table, ref, attempt, run, closing_marks(table, batch), opened)
            judged, good = _staged_good(store_of(table), first, step, installation)
            verdict = judged.verdict
            delivery = _commit(step, judged, good, installation=installation)
            details = {**_details(table, verdict, judged.decisions), **step.withdrawn}
            arrived = verdict.arrived
            repeated = _repeated(table, batch, installation, first.engine)
        record_batch(
            BatchRecord(
                ref=ref,
                state=delivery.state,
                counts=delivery.counts,
                gate_version=delivery.gate_version,
                run_id=run.run_id,
                attempt=attempt.id,
                reason=delivery.reason or None,
                snapshots=delivery.snapshots,
                inputs=delivery.inputs,
                columns=tuple(StoredColumn(name=f.name, type=str(f.type), stored=f.name) for f in delivery.columns),
                updated_at=run.clock(),
                newest_event_at=delivery.newest_event_at,
            ),
            what=delivery.state.value,
            attempt=attempt,
            installation=installation,
            run=run,
            why=delivery.reason or None,
            details=details,
            found={**_findings(table, delivery), FindingKind.REPEATED: repeated},
            profile=delivery.profiled.kept if delivery.profiled else None,
        )
    if delivery.state.visible:
        learn_shape(table, arrived, ref=ref, installation=installation, run=run)
    show_newest_version(table, installation=installation, run=run)
    keep_online(table, installation=installation, run=run)
    keep_event_times([table], installation=installation)
    if delivery.state is BatchState.DISCARDED:
        withdraw_downstream(table, installation=installation, run=run)
    return delivery


def _findings(table: Table, delivery: Delivery) -> Mapping[FindingKind, Sequence[BatchFinding]]:
    """What the ledger should know of the batch: a source's columns always, the rest where something was published."""
    # A transform may pass on more than its table asks for: no source changed.
    findings = delivery.findings if isinstance(table, GatedTable) else ()
    schema = [
        BatchFinding(
            kind=FindingKind.SCHEMA,
            measured=finding.change,
            column=finding.column,
            promised=finding.before or "no such column",
            seen=f"{finding.after or 'no such column'}: {finding.effect}",
        )
        for finding in findings
    ]
    disclosed = [
        BatchFinding(
            kind=FindingKind.DISCLOSURE,
            measured=count.rule.name,
            column=None,
            promised=count.rule.reason,
            seen=count.detail,
        )
        for count in delivery.rules
        if count.broken_rows and count.rule.route is Route.WARN and count.rule.name in exposing_rules(table)
    ]
    return {
        FindingKind.SCHEMA: schema,
        FindingKind.DISCLOSURE: disclosed,
        **(delivery.profiled.findings if delivery.profiled else {}),
    }


def _repeated(
    table: Table, batch: str, installation: Installation, engine: duckdb.DuckDBPyConnection
) -> list[BatchFinding]:
    if not isinstance(table, GatedTable):
        return []
    return repeated_files(BatchRef(table.id.raw, batch), installation=installation, engine=engine)


def _details(table: Table, verdict: Verdict, decisions: Sequence[Decision]) -> dict[str, Any]:
    """What else the trail should tell: what computed it, was broken, waived, cleansed, differs, and was decided."""
    computed_by = transform_facts(table)
    return {
        **({"transform": computed_by} if computed_by else {}),
        "decisions": [decision.id for decision in decisions],
        "waived": {count.rule.name: count.waived_rows for count in verdict.rules if count.waived_rows is not None},
        "rules": {count.rule.name: count.broken_rows for count in verdict.broken},
        "cleansed": {f"{count.column}: {count.step}": count.cells for count in verdict.cleansed if count.cells},
        "schema": [str(finding) for finding in verdict.findings],
        **({"keys": dict(verdict.keys)} if verdict.keys else {}),
    }


@dataclass(frozen=True, slots=True)
class _Step:
    table: Table
    ref: BatchRef
    attempt: OpenAttempt
    run: Run
    marks: Marks | None
    opened: bool
    """Whether it seals a stream's window: what slices published and held back is replaced, whatever the verdict."""
    withdrawn: dict[str, Any] = field(default_factory=dict)
    """What slices had published of it and the verdict does not, for the trail."""

    @property
    def batch(self) -> str:
        return self.ref.batch


def _commit(step: _Step, judged: JudgedBatch, good: Staged | None, *, installation: Installation) -> Delivery:
    """Stage what waits, commit it, then what is published, which is staged."""
    verdict, given = judged.verdict, judged.given
    before = installation.ledger.get(step.ref)
    snapshots = before.snapshots if before else Snapshots()
    published, quarantine = store_of(step.table), step.table.id.quarantine
    state, reason = outcome_text(verdict)
    counts = counts_of(verdict, erased=given.erased)
    facts = {
        "state": state.value,
        "gate_version": verdict.version,
        "ingested_rows": counts.ingested,
        "published_rows": counts.published,
        "quarantined_rows": counts.quarantined,
        "discarded_rows": counts.discarded,
        **({"erased_rows": counts.erased} if counts.erased else {}),
        "decisions": ",".join(str(decision.id) for decision in judged.decisions),
        **({"keys": json.dumps(verdict.keys)} if verdict.keys else {}),
    }
    event_column = _event_column(step, verdict.schema)
    publishes = isinstance(verdict.outcome, Publish | Split) and not isinstance(step.table, Kpi)
    profile = _profiled(step, good, judged, installation) if good is not None and publishes else None
    stored = installation.lakehouse.schema(quarantine) if installation.lakehouse.exists(quarantine) else None
    waiting, schema = waiting_rows(verdict, judged.judge, stored, name=step.attempt.id, at=step.run.clock())
    quarantine_snapshot = snapshots.quarantine
    if (
        verdict.quarantined_rows
        or verdict.discarded_rows
        or step.opened
        or must_commit(quarantine, step.ref, installation)
    ):
        expected = verdict.quarantined_rows + verdict.discarded_rows
        bad = _stage(quarantine, waiting, schema, step, judged=judged, installation=installation, expected=expected)
        quarantine_snapshot = _replace(quarantine, bad, facts, step, judged=judged, installation=installation)
    # A held batch keeps what it published before, if that is there: after all rows were discarded, nothing is.
    published_snapshot = snapshots.published if before is not None and is_there(before) else None
    if good is not None:
        if step.opened:
            step.withdrawn.update(
                announce_withdrawn(
                    published,
                    good,
                    verdict,
                    ref=step.ref,
                    attempt=step.attempt,
                    engine=judged.engine,
                    installation=installation,
                    run=step.run,
                )
            )
        keeps = keeps_history(step.table)
        known = known_before(step.table, step.batch, installation=installation, engine=judged.engine) if keeps else None
        published_snapshot = _replace(published, good, facts, step, judged=judged, installation=installation)
        if keeps:
            keep_history(
                step.table,
                good,
                known,
                attempt=step.attempt,
                installation=installation,
                engine=judged.engine,
                run=step.run,
            )
        if step.opened and not publishes:
            published_snapshot = None  # what slices had published of it is gone
    return Delivery(
        ref=step.ref,
        state=state,
        counts=counts,
        gate_version=verdict.version,
        reason=reason,
        rules=verdict.rules,
        cleansed=verdict.cleansed,
        findings=verdict.findings,
        snapshots=Snapshots(
            raw=next(iter(given.inputs[step.table.id.raw].values())) if isinstance(step.table, GatedTable) else None,
            quarantine=quarantine_snapshot,
            published=published_snapshot,
        ),
        inputs=given.inputs,
        columns=verdict.schema,
        profiled=profile,
        newest_event_at=_newest_event(event_column, step, judged.engine, installation),
    )


def _profiled(step: _Step, good: Staged, judged: JudgedBatch, installation: Installation) -> Profiled:
    def baseline() -> Baseline:
        return judged.baseline or baseline_of(step.table, batch=step.batch, installation=installation)

    return profiled(step.table, good, baseline, installation=installation, engine=judged.engine)


def _staged_good(
    published: TableId, judged: JudgedBatch, step: _Step, installation: Installation
) -> tuple[JudgedBatch, Staged | None]:
    """What the published table is to have of the batch; ``None`` where it stays as it is.

    Where columns are protected, the staged files are looked at, and the batch is held if they give a value away.
    """
    _event_column(step, judged.verdict.schema)
    good = _stage_good(published, judged, step, installation)
    if good is None or judged.verdict.masking is None:
        return judged, good
    verdict = judged.verdict.verified(_read_back(good, judged, installation))
    if verdict is judged.verdict:
        return judged, good
    installation.lakehouse.forget(good)
    held = replace(judged, verdict=verdict)
    return held, _stage_good(published, held, step, installation)


def _read_back(good: Staged, judged: JudgedBatch, installation: Installation) -> Rows:
    """Staged rows, read by the engine that judged."""
    lakehouse = installation.lakehouse
    if isinstance(judged.judge, DuckDbEngine):
        return lakehouse.staged_rows(judged.engine, good)
    return read_on_spark(lakehouse.plan_staged(good), engine=cast("Any", judged.judge))


def _stage_good(published: TableId, judged: JudgedBatch, step: _Step, installation: Installation) -> Staged | None:
    verdict = judged.verdict
    expected = verdict.published_rows
    match verdict.outcome:
        case Publish() | Split():
            return _stage(
                published,
                verdict.published,
                verdict.schema,
                step,
                judged=judged,
                installation=installation,
                expected=expected,
            )
        case Discard():
            # What the batch published before is withdrawn.
            if not (step.opened or must_commit(published, step.ref, installation)):
                return None
            return _stage(
                published, verdict.published, verdict.schema, step, judged=judged, installation=installation, expected=0
            )
        case Hold() | Empty():
            if step.opened:
                return _stage(
                    published,
                    verdict.published,
                    verdict.schema,
                    step,
                    judged=judged,
                    installation=installation,
                    expected=0,
                )
            if not left_by_crash(published, step.ref, installation):
                return None
            # It stays, and from now on in the name of a delivery that came to its end.
            rows = installation.lakehouse.relation(judged.engine, published, batch=step.batch)
            return _stage(
                published,
                rows,
                installation.lakehouse.schema(published),
                step,
                judged=judged,
                installation=installation,
            )


def _event_column(step: _Step, columns: pa.Schema) -> str | None:
    """The column that the table's freshness promise counts from, checked before anything is committed."""
    promise = step.table.freshness
    if promise is None or promise.event_time is None:
        return None
    if promise.event_time not in columns.names:
        raise UnknownNameError(f"event_time column of {step.table.id}", promise.event_time, columns.names)
    kind = columns.field(promise.event_time).type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise DeclarationError(
            f"the freshness of {step.table.id} counts from {promise.event_time}, which is {kind} and not a time",
            way_out="name a column of timestamps or dates",
        )
    return promise.event_time


def _newest_event(
    column: str | None, step: _Step, engine: duckdb.DuckDBPyConnection, installation: Installation
) -> datetime | None:
    """The newest event time of what is published of the batch; a time without a zone is taken for UTC."""
    published = store_of(step.table)
    if column is None or not installation.lakehouse.exists(published):
        return None
    rows = installation.lakehouse.relation(engine, published, batch=step.batch)
    time_of = identifier(column)
    # An infinite time, or one that Python cannot hold, tells nothing of when something happened.
    known = f"{time_of} >= TIMESTAMP '0001-01-02' AND {time_of} < TIMESTAMP '9999-12-31'"
    newest = rows.filter(known).aggregate(f"max({time_of}) AS newest").to_arrow_table()["newest"][0].as_py()
    if newest is None:
        return None
    if not isinstance(newest, datetime):
        newest = datetime.combine(newest, time())
    return newest.replace(tzinfo=UTC) if newest.tzinfo is None else newest.astimezone(UTC)


def _stage(
    table: TableId,
    rows: Rows,
    schema: pa.Schema,
    step: _Step,
    *,
    judged: JudgedBatch,
    installation: Installation,
    expected: int | None = None,
) -> Staged:
    """Stage rows, and see that they are as many as the verdict says: nothing is committed that does not add up."""
    installation.lakehouse.ensure(table, schema)
    if isinstance(rows, duckdb.DuckDBPyRelation):
        staged = installation.lakehouse.stage(table, rows, batch=step.batch, schema=schema)
    else:
        staged = stage_from_spark(
            table, rows, batch=step.batch, schema=schema, engine=cast("Any", judged.judge), installation=installation
        )
    if expected is not None and staged.rows != expected:
        raise LakehouseError(
            f"{staged.rows:,} rows of {step.batch!r} were staged for {table}, and the verdict counts {expected:,}",
            way_out="run the batch again; if it stays, a transform or check answers differently each time",
        )
    return staged


def _replace(
    store: TableId,
    staged: Staged,
    facts: Mapping[str, object],
    step: _Step,
    *,
    judged: JudgedBatch,
    installation: Installation,
) -> int:
    return commit_rows(
        store,
        staged,
        step.ref,
        attempt=step.attempt,
        installation=installation,
        engine=judged.engine,
        run=step.run,
        facts=facts,
        marks=step.marks,
    )


def outcome_text(verdict: Verdict) -> tuple[BatchState, str]:
    """Where a verdict puts a batch, and why, for people."""
    match verdict.outcome:
        case Publish():
            return BatchState.PUBLISHED, ""
        case Split():
            broken = ", ".join(f"{count.rule.name} {count.broken_rows:,}" for count in verdict.deciding[:3])
            return BatchState.PARTLY_PUBLISHED, f"{_rows_wait(verdict.failed_rows)} in quarantine ({broken})"
        case Hold(reason):
            return BatchState.HELD, reason
        case Empty():
            return BatchState.EMPTY, "the batch has no rows; what was published before stays"
        case Discard():
            return BatchState.DISCARDED, "it was decided that none of its rows will be published"


def counts_of(verdict: Verdict, *, erased: int) -> Counts:
    """A batch's rows by where a verdict puts them.

    Args:
        verdict: The verdict.
        erased: How many rows of erased persons arrived with those that were judged.
    """
    return Counts(
        ingested=verdict.ingested_rows + erased,
        published=verdict.published_rows,
        quarantined=verdict.quarantined_rows,
        discarded=verdict.discarded_rows,
        erased=erased,
    )


def _rows_wait(rows: int) -> str:
    """Rows that wait, in words."""
    return "1 row waits" if rows == 1 else f"{rows:,} rows wait"
