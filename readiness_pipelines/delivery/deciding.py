"""A decision about a batch, checked against its rows and kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import DerivedTable, GatedTable, Kpi
from readiness_pipelines.decisions import (
    CellCorrection,
    Correction,
    Decision,
    Undoing,
    What,
    check_conditions,
    corrected,
    decisions_about,
    in_force,
    keep_decision,
)
from readiness_pipelines.delivery.classes import classes_of, handling_rows
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.reading import judged_rows
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run


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
            could not be applied any more.
        LedgerError: No reason, an unknown batch, or nothing to undo.
    """
    ref = BatchRef(table.id, batch)
    ledger, rows, now = installation.ledger, None, run.clock()
    with handling_rows(table):
        if not isinstance(what, Undoing):
            with installation.engine(f"batch {batch!r} of {table.id}") as engine:
                given = judged_rows(table, batch=batch, installation=installation, engine=engine)
                # What is decided next is about the rows as the decisions before have left them.
                held = in_force(decisions_about(ledger, ref), at=now)
                current = corrected(given.rows, held, engine)
                rows = what.check(current, engine, gate_of(table))
                if isinstance(what, Correction | CellCorrection):
                    _check_others(held, what, current, engine)
        kept = keep_decision(ledger, ref, what, who=run.who, why=why, at=now, classes=classes_of(table))
    return KeptDecision(decision=kept, rows=rows)


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
