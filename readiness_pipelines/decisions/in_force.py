"""The decisions that hold, and what they do to a batch's rows and its gate. Raw stays: a replay applies them again."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import duckdb

from readiness_pipelines.commands import undo_command
from readiness_pipelines.decisions.approve import Approval
from readiness_pipelines.decisions.correct_cells import CellCorrection
from readiness_pipelines.decisions.correct_expression import Correction
from readiness_pipelines.decisions.decision import Decision
from readiness_pipelines.decisions.discard import Discarding
from readiness_pipelines.decisions.expressions import evaluate
from readiness_pipelines.decisions.undo import Undoing
from readiness_pipelines.decisions.waive import Waiver
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.gates import Decisions, Discarded, Waived
from readiness_pipelines.identity import same_person
from readiness_pipelines.masking import quoted


def in_force(decisions: Sequence[Decision], *, at: datetime) -> tuple[Decision, ...]:
    """The decisions that hold at a time, in the order in which they were made: not undone, not ended, and approved."""
    undone = undone_by(decisions)
    waiting = {decision.id for decision in waits_for_approval(decisions)}
    return tuple(d for d in decisions if d.id not in undone and d.id not in waiting and _lasts(d, at))


def waits_for_approval(decisions: Sequence[Decision]) -> tuple[Decision, ...]:
    """The decisions that hold only once a second person approves them, and none has; not those that were undone."""
    undone = undone_by(decisions)
    approvals = [d for d in decisions if isinstance(d.what, Approval) and d.id not in undone]
    return tuple(
        decision
        for decision in decisions
        if isinstance(decision.what, Waiver | Discarding)
        and decision.what.second_person
        and decision.id not in undone
        and not any(_approves(one, decision) for one in approvals)
    )


def _approves(approval: Decision, decision: Decision) -> bool:
    about = isinstance(approval.what, Approval) and approval.what.decision == decision.id
    return about and not same_person(approval.who, decision.who)


def undone_by(decisions: Sequence[Decision]) -> Mapping[int, int]:
    """The numbers of the decisions that are taken back, each with that of the undoing that does."""
    undone: dict[int, int] = {}
    for decision in reversed(decisions):
        if isinstance(decision.what, Undoing) and decision.id not in undone:
            undone[decision.what.decision] = decision.id
    return undone


def corrected(
    rows: duckdb.DuckDBPyRelation, decisions: Sequence[Decision], engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """Rows with their corrections, each on top of those before it.

    Args:
        rows: The rows as they arrived.
        decisions: The decisions in force, in order.
        engine: The relation's connection.

    Raises:
        DeclarationError: A correction that cannot be applied any more, or a decision whose values were erased; names
            the decision and the way out.
    """
    for decision in decisions:
        _check_not_erased(decision, rows)
        if not isinstance(decision.what, Correction | CellCorrection):
            continue
        try:
            rows = decision.what.apply(rows, engine)
            # A relation is lazy: a CAST that fails would fail later, far from the decision.
            evaluate(rows, *([decision.what.column] if isinstance(decision.what, Correction) else decision.what.cells))
        except (duckdb.Error, KeyError) as error:
            raise _inapplicable(decision, error) from error
    return rows


def check_conditions(rows: duckdb.DuckDBPyRelation, decisions: Sequence[Decision]) -> None:
    """Refuse a waiver or a discarding whose condition cannot be evaluated in the rows as they are now.

    Args:
        rows: The rows, corrected.
        decisions: The decisions in force.

    Raises:
        DeclarationError: There is one; names the decision and the way out.
    """
    for decision in decisions:
        if isinstance(decision.what, Waiver | Discarding) and decision.what.where is not None:
            try:
                rows.filter(decision.what.where).aggregate("count(*)").fetchall()
            except duckdb.Error as error:
                raise _inapplicable(decision, error) from error


def gate_decisions(decisions: Sequence[Decision]) -> Decisions:
    """What a gate has to know of the decisions in force: all but the corrections, which are in the rows."""
    return Decisions(
        waived=[Waived(rule=d.what.rule, where=d.what.where) for d in decisions if isinstance(d.what, Waiver)],
        discarded=[
            Discarded(where=d.what.where, reason=f"decision {d.id} by {d.who}: {d.why}")
            for d in decisions
            if isinstance(d.what, Discarding)
        ],
    )


def _check_not_erased(decision: Decision, rows: duckdb.DuckDBPyRelation) -> None:
    """Refuse a decision of which nobody knows any more what it was. A cell of a row that is gone, too, is no loss."""
    what = decision.what
    if isinstance(what, CellCorrection):
        if count := what.erased_rows(rows):
            raise _erased(decision, f"cells of {count:,} rows that are still there")
    elif not isinstance(what, Undoing | Approval) and what.erased_at is not None:
        raise _erased(decision, f"what it names was erased on {what.erased_at:%Y-%m-%d}")


def _erased(decision: Decision, what: str) -> DeclarationError:
    return DeclarationError(
        f"decision {decision.id} about {decision.ref} cannot be applied, because its values were erased ({what})",
        way_out=f"{undo_command(decision.ref, decision.id)}, then decide again",
    )


def _inapplicable(decision: Decision, error: BaseException) -> DeclarationError:
    return DeclarationError(
        f"decision {decision.id} about {decision.ref} cannot be applied ({decision.text}): {quoted(error)}",
        way_out=undo_command(decision.ref, decision.id),
    )


def _lasts(decision: Decision, at: datetime) -> bool:
    if isinstance(decision.what, Undoing | Approval):
        return False  # it has done its work above
    return not isinstance(decision.what, Waiver) or decision.what.lasts(at)
