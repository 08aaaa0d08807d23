"""Decisions that name rows by number: each is about one delivery of its batch, because another has other rows there."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

import duckdb

from readiness_pipelines.commands import undo_command
from readiness_pipelines.decisions.approve import Approval
from readiness_pipelines.decisions.correct_cells import CellCorrection
from readiness_pipelines.decisions.correct_expression import Correction
from readiness_pipelines.decisions.decision import Decision, What
from readiness_pipelines.decisions.discard import Discarding
from readiness_pipelines.decisions.expressions import names_column
from readiness_pipelines.decisions.undo import Undoing
from readiness_pipelines.decisions.waive import Waiver
from readiness_pipelines.errors import DeclarationError


def about_delivery(what: What, delivery: str | None, engine: duckdb.DuckDBPyConnection) -> What:
    """What is decided, with the delivery that it is about where it names rows by number; else as it is.

    Args:
        what: What is decided, checked: its expressions can be parsed.
        delivery: What tells the batch's rows from those of another delivery; ``None`` where numbers always mean the
            same rows.
        engine: Parses expressions.
    """
    match what:
        case Undoing() | Approval():
            return what
        case CellCorrection():
            return replace(what, delivery=delivery)
        case Correction():
            texts = [what.expression, what.where]
        case Waiver() | Discarding():
            texts = [what.where]
        case _:
            assert_never(what)
    named = any(names_column(text, "_row", engine) for text in texts if text)
    return replace(what, delivery=delivery) if named else what


def names_deliveries(decisions: Sequence[Decision]) -> bool:
    """Whether some decisions are about one delivery of their batch. Those that an older program kept do not say so."""
    return any(_delivery(decision) is not None for decision in decisions)


def check_deliveries(decisions: Sequence[Decision], delivery: str | None) -> None:
    """Refuse a decision that names rows by the numbers that they had in another delivery of the batch.

    Args:
        decisions: The decisions in force.
        delivery: What tells the batch's rows as they are now from those of another delivery.

    Raises:
        DeclarationError: There is one; names the decision and the way out.
    """
    for decision in decisions:
        if _delivery(decision) not in (None, delivery):
            raise DeclarationError(
                f"decision {decision.id} about {decision.ref} cannot be applied ({decision.text}): it names rows by "
                "number, and the batch was delivered again with other content since: these may be other rows now",
                way_out=f"{undo_command(decision.ref, decision.id)}, then decide again",
            )


def _delivery(decision: Decision) -> str | None:
    return None if isinstance(decision.what, Undoing | Approval) else decision.what.delivery
