"""A decision about a batch, checked against its rows and kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import DerivedTable, GatedTable, Kpi, Table
from readiness_pipelines.decisions import (
    Approval,
    CellCorrection,
    Correction,
    Decision,
    Discarding,
    Undoing,
    Waiver,
    What,
    check_conditions,
    corrected,
    decisions_about,
    in_force,
    keep_decision,
    waits_for_approval,
)
from readiness_pipelines.delivery.classes import classes_of, handling_rows
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.reading import judged_rows
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.identity import same_person
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDecision:
    """A decision that was kept, and how many rows it touches; ``None`` for the whole batch."""

    decision: Decision
    rows: int | None


def decide(
    table: GatedTable | DerivedTable | Kpi, what: What, *, batch: str, why: str, installation: Installation, run: Run
) -> KeptDecision:
    """Check a decision against the batch's rows and keep it. It takes effect when the batch is replayed.

    Raises:
        UnknownNameError: A column or rule that is not there; names the nearest.
        DeclarationError: An expression that DuckDB refuses, reads other tables, or gives another answer every time; a
            rule that cannot be waived; a condition that no row meets; a correction after which an earlier decision
            could not be applied any more; an approval of what waits for none, or by who decided it.
        LedgerError: No reason, an unknown batch, or nothing to undo.
    """
    ref = BatchRef(table.id, batch)
    ledger, rows, now = installation.ledger, None, run.clock()
    if isinstance(what, Approval):
        _check_approval(what, decisions_about(ledger, ref), run)
    with handling_rows(table):
        if not isinstance(what, Undoing | Approval):
            with installation.engine(f"batch {batch!r} of {table.id}") as engine:
                given = judged_rows(table, batch=batch, installation=installation, engine=engine)
                # What is decided next is about the rows as the decisions before have left them.
                held = in_force(decisions_about(ledger, ref), at=now)
                current = corrected(given.rows, held, engine)
                rows = what.check(current, engine, gate_of(table))
                if isinstance(what, Correction | CellCorrection):
                    _check_others(held, what, current, engine)
        if isinstance(what, Waiver | Discarding) and _needs_second_person(table, ref, rows, ledger):
            what = replace(what, second_person=True)
        kept = keep_decision(ledger, ref, what, who=run.who, why=why, at=now, classes=classes_of(table))
    return KeptDecision(decision=kept, rows=rows)


def _needs_second_person(table: Table, ref: BatchRef, rows: int | None, ledger: Ledger) -> bool:
    """Whether a waiver or discarding touches more rows than one person may decide about."""
    bound = table.domain.second_person_over
    if bound is None:
        return False
    record = ledger.get(ref)
    return (rows if rows is not None else record.counts.ingested if record else 0) > bound


def _check_approval(what: Approval, decisions: Sequence[Decision], run: Run) -> None:
    """Refuse an approval of what needs none, or by who decided it."""
    waiting = {decision.id: decision for decision in waits_for_approval(decisions)}
    decision = waiting.get(what.decision)
    if decision is None:
        known = ", ".join(map(str, waiting)) or "none does"
        raise DeclarationError(
            f"decision {what.decision} does not wait for a second person", way_out=f"those that do: {known}"
        )
    if same_person(decision.who, run.who):
        raise DeclarationError(
            f"decision {what.decision} was made by {decision.who}, who cannot approve it",
            way_out="somebody else approves it, or undo it",
        )


def _check_others(
    held: Sequence[Decision],
    what: Correction | CellCorrection,
    rows: duckdb.DuckDBPyRelation,
    engine: duckdb.DuckDBPyConnection,
) -> None:
    """Refuse a correction of values with which the condition of an earlier decision cannot be evaluated."""
    try:
        check_conditions(what.apply(rows, engine), held)
    except DeclarationError as error:
        raise DeclarationError(f"after this correction, {error.what}", way_out=error.way_out) from error
