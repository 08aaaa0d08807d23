"""Batches about which something was decided that their last verdict did not know: they wait for a replay."""

from collections.abc import Iterable
from datetime import datetime

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.decisions import decisions_about_each, in_force
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId


def awaiting_replay(tables: Iterable[TableId], *, installation: Installation, now: datetime) -> tuple[BatchRef, ...]:
    """The batches of some tables whose decisions in force are not those that the last verdict applied, in order.

    A decision was kept and nobody replayed the batch, or a waiver that it was published by has ended.

    Raises:
        LedgerError: The ledger cannot be reached, or a decision is of a kind that this program does not know.
    """
    ledger = installation.ledger
    waiting = []
    decided = ledger.decided_batches(tuple(tables))
    decisions, trails = decisions_about_each(ledger, decided), ledger.trails(decided)
    for ref in decided:
        verdicts = (entry.details for entry in reversed(trails.get(ref, ())) if "decisions" in entry.details)
        applied = next(verdicts, {}).get("decisions", [])
        if [decision.id for decision in in_force(decisions[ref], at=now)] != applied:
            waiting.append(ref)
    return tuple(waiting)
