"""Noisy numbers that were released of batches, and what they cost: entries of the trail, which stays for ever."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger.keys import is_batch, is_table
from readiness_pipelines.ledger.tables import TRAIL
from readiness_pipelines.ledger.trail import append_entry
from readiness_pipelines.names import TableId

RELEASED = "released"


def released(connection: Connection, ref: BatchRef, definition: Mapping[str, Any]) -> tuple[int, ...] | None:
    """What was released of a batch by a definition; ``None`` where nothing was."""
    query = select(TRAIL.c.details).where(is_batch(TRAIL, ref), TRAIL.c.what == RELEASED)
    for (details,) in connection.execute(query):
        if details["definition"] == dict(definition):
            return tuple(details["counts"])
    return None


def spent(connection: Connection, table: TableId) -> float:
    """What all releases of a product cost together."""
    query = select(TRAIL.c.details).where(is_table(TRAIL, table), TRAIL.c.what == RELEASED)
    return float(sum(details["definition"]["epsilon"] for (details,) in connection.execute(query)))


def release(
    connection: Connection,
    ref: BatchRef,
    *,
    definition: Mapping[str, Any],
    epsilon: float,
    budget: float,
    draw: Callable[[], Sequence[int]],
    who: str,
    run_id: str,
    at: datetime,
) -> tuple[int, ...]:
    """Draw once what is released of a batch, and keep it; what was released already is not drawn again.

    Raises:
        LedgerError: The budget is spent.
    """
    kept = released(connection, ref, definition)
    if kept is not None:
        return kept
    before = spent(connection, ref.table)
    if before + epsilon > budget * (1 + 1e-12):
        raise LedgerError(
            f"releases of {ref.table} cost {before:g} of a budget of {budget:g}, and {ref} would cost {epsilon:g} more",
            way_out="publish fewer of them, with more noise each, or decide that more may be known: budget=…",
        )
    counts = tuple(draw())
    details = {"definition": dict(definition), "counts": list(counts), "spent": before + epsilon, "budget": budget}
    append_entry(connection, ref, at=at, what=RELEASED, who=who, why=None, run_id=run_id, details=details)
    return counts
