"""A decision with its content: what the ledger keeps of it, read and written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.decisions.approve import Approval
from readiness_pipelines.decisions.correct_cells import CellCorrection
from readiness_pipelines.decisions.correct_expression import Correction
from readiness_pipelines.decisions.discard import Discarding
from readiness_pipelines.decisions.expressions import check_characters
from readiness_pipelines.decisions.undo import Undoing
from readiness_pipelines.decisions.waive import Waiver
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger import DecisionRecord, Ledger, NewDecision, ReplayRequest
from readiness_pipelines.masking import Classes

What = Correction | CellCorrection | Waiver | Discarding | Undoing | Approval
"""What can be decided about a batch."""

KINDS: Mapping[str, type[What]] = {
    kind.kind: kind for kind in (Correction, CellCorrection, Waiver, Discarding, Undoing, Approval)
}
"""The kinds of decisions, by the name under which the ledger keeps them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision about a batch; never changed afterwards.

    Attributes:
        id: Grows with time.
        ref: The batch.
        what: What was decided.
        text: The decision on one line, for people, without values of classified columns.
        at: When, in UTC.
        who: The person.
        why: The reason.
    """

    id: int
    ref: BatchRef
    what: What
    text: str
    at: datetime
    who: str
    why: str

    @property
    def verb(self) -> str:
        """What is done: ``correct``, ``waive``, ``discard``, ``undo`` or ``approve``."""
        return self.what.verb


def parse(record: DecisionRecord) -> Decision:
    """A decision as the ledger keeps it.

    Raises:
        LedgerError: A kind of decision that this program does not know.
    """
    content = {**record.content, **record.values}
    kind = KINDS.get(str(content.pop("kind", "")))
    if kind is None:
        raise LedgerError(
            f"decision {record.id} about {record.ref} ({record.verb} {record.text}) is of an unknown kind",
            way_out="install the newer program",
        )
    return Decision(
        id=record.id,
        ref=record.ref,
        what=kind.from_json(content, record.erased),
        text=record.text,
        at=record.at,
        who=record.who,
        why=record.why,
    )


def decisions_about(ledger: Ledger, ref: BatchRef) -> tuple[Decision, ...]:
    """All decisions about a batch, oldest first, also those undone."""
    return tuple(map(parse, ledger.decisions(ref)))


def decisions_about_each(ledger: Ledger, refs: Collection[BatchRef]) -> Mapping[BatchRef, tuple[Decision, ...]]:
    """All decisions about each of some batches, as `decisions_about`, in a few queries, however many they are."""
    found = ledger.decisions_of(refs)
    return {ref: tuple(map(parse, found.get(ref, ()))) for ref in refs}


def keep_decision(
    ledger: Ledger, ref: BatchRef, what: What, *, who: str, why: str, at: datetime, classes: Classes
) -> Decision:
    """Keep one decision in the ledger; see `keep_decisions`."""
    (kept,), _ = keep_decisions(ledger, [new_decision(ref, what, classes)], who=who, why=why, at=at)
    return kept


def new_decision(ref: BatchRef, what: What, classes: Classes) -> NewDecision:
    """A decision as the ledger will keep it: its values where they can be erased, and without them for ever.

    Args:
        ref: The batch.
        what: What was decided.
        classes: What the table's columns are to persons.
    """
    return NewDecision(
        ref=ref,
        verb=what.verb,
        content={"kind": what.kind, **what.to_json()},
        values=what.values(),
        text=what.redacted(classes).describe(),
        undoes=what.decision if isinstance(what, Undoing) else None,
    )


def keep_decisions(
    ledger: Ledger,
    new: Sequence[NewDecision],
    *,
    who: str,
    why: str,
    at: datetime,
    last: Mapping[BatchRef, int] | None = None,
    replay: bool = False,
) -> tuple[tuple[Decision, ...], tuple[ReplayRequest, ...]]:
    """Keep decisions in the ledger, in order, all of them or none.

    Args:
        ledger: The ledger.
        new: The decisions.
        who: The person.
        why: The reason.
        at: When, in UTC.
        last: The last decision that was known of each batch when these were checked, 0 for none; ``None`` where that
            does not matter.
        replay: Whether to ask for a replay of each batch, once.

    Raises:
        DeclarationError: A reason or a name with characters that are not text.
        LedgerError: No reason, an unknown batch, nothing to undo, or somebody decided about a batch meanwhile.
    """
    check_characters(why, "the reason")
    check_characters(who, "the name")
    records, requests = ledger.decide_together(new, who=who, why=why, at=at, last=last, replay=replay)
    return tuple(map(parse, records)), requests
