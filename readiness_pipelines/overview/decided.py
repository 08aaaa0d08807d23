"""Batches about which something was decided that their last verdict did not know: they wait for a replay."""

from collections.abc import Iterable
from datetime import datetime

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.decisions import decisions_about, in_force
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
    for ref in ledger.decided_batches(tuple(tables)):
        verdicts = (entry.details for entry in reversed(ledger.trail(ref=ref)) if "decisions" in entry.details)
        applied = next(verdicts, {}).get("decisions", [])
        if [decision.id for decision in in_force(decisions_about(ledger, ref), at=now)] != applied:
            waiting.append(ref)
    return tuple(waiting)
