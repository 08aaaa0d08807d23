"""Decisions about batches, checked against their rows and kept: all of them, or none."""

from collections.abc import Sequence
from dataclasses import dataclass

from readiness_pipelines.contracts import Table
from readiness_pipelines.decisions import Decision, What, keep_decisions, new_decision
from readiness_pipelines.delivery.classes import classes_of, handling_rows
from readiness_pipelines.delivery.drafts import Draft, check_draft
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ReplayRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDecision:
    """A decision that was kept, and how many rows it touches; ``None`` for the whole batch."""

    decision: Decision
    rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTogether:
    """Decisions that were kept as one.

    Attributes:
        decisions: The decisions, in order.
        requests: The replays that were asked for, one for each batch; none where none was to be.
        second_person: Numbers of the decisions that hold only once a second person has approved them.
    """

    decisions: tuple[KeptDecision, ...]
    requests: tuple[ReplayRequest, ...]
    second_person: tuple[int, ...]


def decide(table: Table, what: What, *, batch: str, why: str, installation: Installation, run: Run) -> KeptDecision:
    """Check a decision against the batch's rows and keep it. It takes effect when the batch is replayed.

    Raises:
        ReadinessError: As `decide_together`.
    """
    draft = Draft(table=table, batch=batch, decisions=(what,))
    return decide_together([draft], why=why, installation=installation, run=run).decisions[0]


def decide_together(
    drafts: Sequence[Draft], *, why: str, installation: Installation, run: Run, replay: bool = False
) -> KeptTogether:
    """Check decisions about one or more batches, and keep all of them or none. They take effect with a replay.

    Args:
        drafts: The decisions, by batch; each batch once.
        why: The reason of all of them.
        installation: Where the rows and the ledger are.
        run: Who, and when.
        replay: Whether to ask for one replay of each batch.

    Raises:
        UnknownNameError: A column or rule that is not there; names the nearest.
        DeclarationError: A decision that cannot be; see `check_draft`. Nothing is decided, or about a batch twice.
        LedgerError: No reason, an unknown batch, nothing to undo, or somebody decided about a batch meanwhile.
        UpstreamNotPublishedError: Nothing was ingested, or an input has nothing published for the batch.
    """
    refs = [draft.ref for draft in drafts]
    if empty := [draft.ref for draft in drafts if not draft.decisions]:
        raise DeclarationError(f"nothing is decided about {empty[0]}", way_out="name at least one decision")
    if len(set(refs)) < len(refs) or not refs:
        raise DeclarationError(
            "decisions are kept together for some batches, each named once",
            way_out="put all that is decided about a batch into one list",
        )
    checked = [check_draft(draft, installation=installation, run=run) for draft in drafts]
    new, rows = [], []
    for one in checked:
        with handling_rows(one.draft.table):
            classes = classes_of(one.draft.table)
            new += [new_decision(one.draft.ref, drafted.what, classes) for drafted in one.decisions]
            rows += [drafted.rows for drafted in one.decisions]
    kept, requests = keep_decisions(
        installation.ledger,
        new,
        who=run.who,
        why=why,
        at=run.clock(),
        last={one.draft.ref: one.last for one in checked},
        replay=replay,
    )
    return KeptTogether(
        decisions=tuple(KeptDecision(decision=one, rows=count) for one, count in zip(kept, rows, strict=True)),
        requests=requests,
        second_person=tuple(one.id for one in kept if getattr(one.what, "second_person", False)),
    )
