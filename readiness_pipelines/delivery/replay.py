"""Replay: recompute batches after a decision or with a new gate. First a plan that can be looked at, then its run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.deliver import Delivery, counts_of, deliver, outcome_text
from readiness_pipelines.delivery.follow import deliver_readers, readers_of
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.judging import decisions_in_force, judged_batch
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.errors import DeclarationError, UnknownNameError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which batches to replay: those that meet all that is given. What no gate has judged must be named.

    Attributes:
        batches: Batches by key; none for all.
        held: Only held ones.
        older_gate: Only those judged by another version of the gate than the code's.
        since: Only those that came to where they are at this time or later.
        until: Only those that came to where they are before this time.
    """

    batches: tuple[str, ...] = ()
    held: bool = False
    older_gate: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayStep:
    """One batch of one table, as it is and as it would be.

    Attributes:
        ref: The batch.
        state: Where it stands.
        counts: Its rows as they are.
        gate_before: The version that judged it.
        gate_after: The version in the code.
        decisions: The decisions in force, for people.
        would_be: Where it would stand; ``None`` where the plan was not evaluated, or the batch cannot be judged now.
        would_count: Its rows as they would be; ``None`` likewise.
        reason: Why it would stand there, or cannot be judged, for people.
    """

    ref: BatchRef
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
        steps: The batches to judge again.
        downstream: The computed batches that read them: they are computed again where their inputs change.
    """

    steps: tuple[ReplayStep, ...]
    downstream: tuple[BatchRef, ...]

    @property
    def batches(self) -> tuple[str, ...]:
        """The keys of the batches to judge again, each once, in order."""
        return tuple(dict.fromkeys(step.ref.batch for step in self.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of a replayed batch and of the batches computed from it, in the order rows flow."""

    ref: BatchRef
    deliveries: dict[BatchRef, Delivery]


def plan_replay(
    tables: Sequence[Table], selection: Selection, *, installation: Installation, run: Run, evaluate: bool
) -> ReplayPlan:
    """Plan a replay. Nothing is written.

    Args:
        tables: The tables whose batches are judged again.
        selection: Which batches.
        installation: Where the tables and the ledger are.
        run: Tells the time, which decides about waivers that expire.
        evaluate: Whether to judge the batches, to tell where their rows would be.

    Raises:
        UnknownNameError: A batch that none of the tables ever judged.
        DeclarationError: Nothing meets the selection.
        GateBuildError: A gate cannot be built, or a check raised.
    """
    records = installation.ledger.batches(tables=[table.id for table in tables])
    known = {record.ref.batch for record in records}
    for batch in selection.batches:
        if batch not in known:
            names = ", ".join(str(table.id) for table in tables)
            raise UnknownNameError(f"batch of {names} that was ever judged", batch, known)
    steps: list[ReplayStep] = []
    following: dict[BatchRef, None] = {}
    published = Published(installation.ledger)
    for table in tables:
        version = gate_of(table).version
        for record in records:
            if record.ref.table == table.id and _meets(record, selection, version):
                steps.append(_step(table, record, version, installation=installation, run=run, evaluate=evaluate))
                following.update(dict.fromkeys(readers_of(record.ref, table, published)))
    if not steps:
        domains = ", ".join(dict.fromkeys(table.domain.name for table in tables))
        raise DeclarationError("no batch meets the selection", way_out=f"readiness status {domains}")
    chosen = {step.ref for step in steps}
    return ReplayPlan(steps=tuple(steps), downstream=tuple(ref for ref in following if ref not in chosen))


def replay_batch(
    table: Table,
    *,
    batch: str,
    installation: Installation,
    run: Run,
    done: Callable[[BatchRef], None] = lambda _: None,
) -> Replayed:
    """Judge a batch again, then compute again what reads it. Raw is not ingested again.

    Args:
        table: The table.
        batch: The batch.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        done: Called with each batch when it is done.

    Raises:
        UpstreamNotPublishedError: Nothing of the batch was ingested, or an input of it is not there.
        CommitConflictError: Another run delivered the same batch meanwhile.
        LakehouseError: A table cannot be read or written.
    """
    ref = BatchRef(table.id, batch)
    before = readers_of(ref, table, Published(installation.ledger))
    deliveries = {ref: deliver(table, batch=batch, installation=installation, run=run)}
    done(ref)
    after = readers_of(ref, table, Published(installation.ledger))
    only = tuple(dict.fromkeys([*before, *after]))
    deliveries |= deliver_readers(table, installation=installation, run=run, only=only, done=done)
    return Replayed(ref=ref, deliveries=deliveries)


def _meets(record: BatchRecord, selection: Selection, version: str) -> bool:
    return (
        # No gate judged an open window, nor what was emptied with its input: only who names it means it.
        (record.ref.batch in selection.batches if selection.batches else record.gate_version is not None)
        and (not selection.held or record.state is BatchState.HELD)
        and (not selection.older_gate or record.gate_version != version)
        and (selection.since is None or record.updated_at >= selection.since)
        and (selection.until is None or record.updated_at < selection.until)
    )


def _step(
    table: Table, record: BatchRecord, version: str, *, installation: Installation, run: Run, evaluate: bool
) -> ReplayStep:
    batch = record.ref.batch
    decisions = decisions_in_force(table, batch=batch, installation=installation, run=run)
    would_be, would_count, reason = None, None, ""
    if evaluate:
        try:
            with judged_batch(table, batch=batch, decisions=decisions, installation=installation) as judged:
                would_be, reason = outcome_text(judged.verdict)
                would_count = counts_of(judged.verdict, erased=judged.given.erased)
        except UpstreamNotPublishedError as error:
            reason = error.what  # the others are judged all the same
    return ReplayStep(
        ref=record.ref,
        state=record.state,
        counts=record.counts,
        gate_before=record.gate_version,
        gate_after=version,
        decisions=tuple(f"{d.id}: {d.verb} {d.text} ({d.who}: {d.why})" for d in decisions),
        would_be=would_be,
        would_count=would_count,
        reason=reason,
    )


def moved_rows(steps: Sequence[ReplayStep]) -> int:
    """How many rows more would be published than are, over evaluated steps."""
    return sum(step.would_count.published - step.counts.published for step in steps if step.would_count)
