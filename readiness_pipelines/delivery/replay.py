"""Replay: recompute batches after a decision or with a new gate. First a plan that can be looked at, then its run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.contracts import DataPath, DerivedTable, GatedTable
from readiness_pipelines.delivery.deliver import Delivery, deliver, outcome_text
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.judging import judged
from readiness_pipelines.delivery.measure import Measured, measure
from readiness_pipelines.delivery.names import batch_ref, published_table
from readiness_pipelines.errors import DeclarationError, UnknownNameError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord, BatchState, Counts, describe, in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which batches to replay: those that meet all that is given.

    Attributes:
        table: A gated table of the path; ``None`` for all.
        batches: Batches by key; none for all.
        held: Only held ones.
        older_gate: Only those judged by another version of the gate than the code's.
        since: Only those that came to where they are at this time or later.
        until: Only those that came to where they are before this time.
    """

    table: str | None = None
    batches: tuple[str, ...] = ()
    held: bool = False
    older_gate: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayStep:
    """One batch of one gated table, as it is and as it would be.

    Attributes:
        table: The table, by its name in the path.
        batch: The batch.
        state: Where it stands.
        counts: Its rows as they are.
        gate_before: The version that judged it.
        gate_after: The version in the code.
        decisions: The decisions in force, for people.
        would_be: Where it would stand; ``None`` where the plan was not evaluated.
        would_count: Its rows as they would be; ``None`` where the plan was not evaluated.
        reason: Why it would stand there, for people.
    """

    table: str
    batch: str
    state: BatchState
    counts: Counts
    gate_before: str | None
    gate_after: str
    decisions: tuple[str, ...]
    would_be: BatchState | None = None
    would_count: Counts | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """What a replay would do, in order.

    Attributes:
        path: The path.
        steps: The batches of gated tables to judge again.
        downstream: The derived tables, and the KPI, that are computed again after each batch.
    """

    path: str
    steps: tuple[ReplayStep, ...]
    downstream: tuple[str, ...]

    @property
    def batches(self) -> tuple[str, ...]:
        """The batches, each once, in order."""
        return tuple(dict.fromkeys(step.batch for step in self.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of a replayed batch: its deliveries by table, and its KPI where it could be computed."""

    batch: str
    deliveries: dict[str, Delivery]
    measured: Measured | None


def plan_replay(
    path: DataPath, selection: Selection, *, installation: Installation, run: Run, evaluate: bool
) -> ReplayPlan:
    """Plan a replay. Nothing is written.

    Args:
        path: The path.
        selection: Which batches.
        installation: Where the tables and the ledger are.
        run: Tells the time, which decides about waivers that expire.
        evaluate: Whether to judge the batches, to tell where their rows would be.

    Raises:
        UnknownNameError: A table or batch that is not there.
        DeclarationError: Nothing meets the selection.
        GateBuildError: A gate cannot be built, or a check raised.
    """
    gated = [table for table in path.tables if isinstance(table, GatedTable)]
    if selection.table is not None:
        chosen = path.table(selection.table)
        if not isinstance(chosen, GatedTable):
            raise DeclarationError(
                f"{selection.table} is derived: it is computed again whenever its inputs are",
                way_out=f"replay one of: {', '.join(table.name for table in gated)}",
            )
        gated = [chosen]
    steps: list[ReplayStep] = []
    for table in gated:
        version = gate_of(path, table).version
        records = installation.ledger.batches(path=path.name, table=str(published_table(path, table)))
        known = {record.ref.batch: record for record in records}
        for batch in selection.batches:
            if batch not in known:
                raise UnknownNameError(f"batch of {path.name} that was ever judged", batch, known)
        steps += [
            _step(path, table, record, version, installation=installation, run=run, evaluate=evaluate)
            for record in records
            if _meets(record, selection, version)
        ]
    if not steps:
        raise DeclarationError("no batch meets the selection", way_out=f"readiness status {path.name}")
    downstream = [str(published_table(path, table)) for table in path.tables if isinstance(table, DerivedTable)]
    if path.kpi_measure is not None:
        downstream.append(f"kpi.{path.kpi.name}")
    return ReplayPlan(path=path.name, steps=tuple(steps), downstream=tuple(downstream))


def replay_batch(
    path: DataPath, *, batch: str, installation: Installation, run: Run, done: Callable[[str], None] = lambda _: None
) -> Replayed:
    """Judge a batch of every gated table again, then what is computed from it. Raw is not ingested again.

    Args:
        path: The path.
        batch: The batch.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        done: Told the name of each table when it is done.

    Raises:
        UpstreamNotPublishedError: Nothing of the batch was ingested.
        CommitConflictError: Another run delivered the same batch meanwhile.
        LakehouseError: A table cannot be read or written.
    """
    deliveries: dict[str, Delivery] = {}
    measured = None
    try:
        for table in path.tables:
            deliveries[table.name] = deliver(path, table, batch=batch, installation=installation, run=run)
            done(table.name)
        if path.kpi_measure is not None:
            measured = measure(path, batch=batch, installation=installation, run=run)
            done(path.kpi.name)
    except UpstreamNotPublishedError:
        # A held or discarded input has nothing to compute from, and says so itself.
        if not deliveries:
            raise
    return Replayed(batch=batch, deliveries=deliveries, measured=measured)


def _meets(record: BatchRecord, selection: Selection, version: str) -> bool:
    return (
        (not selection.batches or record.ref.batch in selection.batches)
        and (not selection.held or record.state is BatchState.HELD)
        and (not selection.older_gate or record.gate_version != version)
        and (selection.since is None or record.updated_at >= selection.since)
        and (selection.until is None or record.updated_at < selection.until)
    )


def _step(
    path: DataPath,
    table: GatedTable,
    record: BatchRecord,
    version: str,
    *,
    installation: Installation,
    run: Run,
    evaluate: bool,
) -> ReplayStep:
    ref = batch_ref(path, published_table(path, table), record.ref.batch)
    decisions = in_force(installation.ledger.decisions(ref), at=run.clock())
    would_be, would_count, reason = None, None, ""
    if evaluate:
        with judged(path, table, batch=record.ref.batch, installation=installation, run=run) as found:
            would_be, reason = outcome_text(found.verdict)
            would_count = Counts(
                ingested=found.verdict.ingested_rows,
                published=found.verdict.published_rows,
                quarantined=found.verdict.quarantined_rows,
                discarded=found.verdict.discarded_rows,
            )
    return ReplayStep(
        table=table.name,
        batch=record.ref.batch,
        state=record.state,
        counts=record.counts,
        gate_before=record.gate_version,
        gate_after=version,
        decisions=tuple(f"{d.id}: {d.kind} {describe(d.what)} ({d.who}: {d.why})" for d in decisions),
        would_be=would_be,
        would_count=would_count,
        reason=reason,
    )


def moved_rows(steps: Sequence[ReplayStep]) -> int:
    """How many rows more would be published than are, over evaluated steps."""
    return sum(step.would_count.published - step.counts.published for step in steps if step.would_count)
