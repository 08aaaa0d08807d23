"""A decision about a batch, checked against its rows and kept."""

from dataclasses import dataclass

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import DerivedTable, GatedTable, Kpi
from readiness_pipelines.decisions import Decision, Undoing, What, corrected, decisions_about, in_force, keep_decision
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.reading import judged_rows
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
            rule that cannot be waived; a condition that no row meets.
        LedgerError: No reason, an unknown batch, or nothing to undo.
    """
    ref = BatchRef(table.id, batch)
    ledger, rows, now = installation.ledger, None, run.clock()
    if not isinstance(what, Undoing):
        with installation.engine() as engine:
            given = judged_rows(table, batch=batch, installation=installation, engine=engine)
            # What is decided next is about the rows as the decisions before have left them.
            current = corrected(given.rows, in_force(decisions_about(ledger, ref), at=now), engine)
            rows = what.check(current, engine, gate_of(table))
    return KeptDecision(decision=keep_decision(ledger, ref, what, who=run.who, why=why, at=now), rows=rows)
