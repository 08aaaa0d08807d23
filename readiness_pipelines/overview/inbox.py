"""What waits for somebody: held batches first, who answers, who has taken it, for how long."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts import Table, answers_for, products_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import Assignment, FindingKind, Incident
from readiness_pipelines.overview.withdrawn import withdrawals

HAND_MADE = frozenset({FindingKind.HELD, FindingKind.BROKEN, FindingKind.PROOF})
"""Incidents about a batch that whoever takes the batch takes, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """A batch of which rows wait.

    Attributes:
        table: Its table.
        ref: The batch.
        state: ``HELD``, or partly published.
        counts: Its rows.
        withdrawn: How many of its rows were visible until the seal of a stream's window withdrew them.
        reason: Why they wait, for people.
        since: Since when, in UTC.
        answers: Who answers for the table.
        at_risk: The products that it feeds.
        taken: Who has taken it; ``None`` where nobody has.
        incident: The incident about it that is open or acknowledged; ``None`` without one.
    """

    table: Table
    ref: BatchRef
    state: BatchState
    counts: Counts
    withdrawn: int
    reason: str
    since: datetime
    answers: str
    at_risk: tuple[str, ...]
    taken: Assignment | None
    incident: Incident | None

    @property
    def held(self) -> bool:
        """Whether nothing of it is published."""
        return self.state is BatchState.HELD


def inbox(tables: Iterable[Table], *, installation: Installation) -> tuple[InboxItem, ...]:
    """What waits in some tables: held batches first, those that feed products before others, the oldest first.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    known = {table.id: table for table in tables}
    waiting = [one for one in installation.ledger.glances(waiting=True) if one.ref.table in known]
    taken = installation.ledger.assignments([one.ref for one in waiting])
    about = incidents_by_batch(installation.ledger.incidents.incidents(active=True))
    gone = withdrawals({one.ref.table: known[one.ref.table] for one in waiting}, installation=installation)
    items = []
    for one in waiting:
        table = known[one.ref.table]
        items.append(
            InboxItem(
                table=table,
                ref=one.ref,
                state=one.state,
                counts=one.counts,
                withdrawn=gone[one.ref].finding.details["rows"] if one.ref in gone else 0,
                reason=one.reason or "",
                since=one.updated_at,
                answers=answers_for(table),
                at_risk=products_of(table),
                taken=taken.get(one.ref),
                incident=about.get(one.ref),
            )
        )
    return tuple(sorted(items, key=lambda item: (not item.held, not item.at_risk, item.since, item.ref)))


def incidents_by_batch(incidents: Iterable[Incident]) -> dict[BatchRef, Incident]:
    """The incident that whoever takes a batch takes with it, by batch."""
    return {
        BatchRef(one.finding.table, one.finding.batch): one
        for one in incidents
        if one.finding.batch is not None and one.finding.kind in HAND_MADE
    }
