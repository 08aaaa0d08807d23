"""What a draft would do to its batch: counts, rules that would still be broken, and which rows change how."""

from dataclasses import dataclass, replace

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.delivery.deliver import counts_of, outcome_text
from readiness_pipelines.delivery.drafts import CheckedDraft, Draft, DraftedDecision, check_draft
from readiness_pipelines.delivery.follow import readers_of
from readiness_pipelines.delivery.foretelling import ForetoldKpis, foretold_kpis
from readiness_pipelines.delivery.judging import judged_batch
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.delivery.row_changes import RowChanges, row_changes
from readiness_pipelines.gates import RuleCount
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.masking import NOBODY, Viewer

SHOWN_ROWS = 50
"""So many of the changed rows are listed, unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOutcome:
    """What a draft would do, once its batch is replayed and where a second person is demanded, has approved.

    Attributes:
        ref: The batch.
        decisions: The draft's decisions, checked.
        state: Where the batch stands; ``None`` where no gate has judged it yet.
        counts: Its rows as they are.
        would_be: Where it would stand.
        would_count: Its rows as they would be.
        reason: Why it would stand there, for people; "" where every row passes.
        rules: The rules that would still be broken, most important first; samples without values of classified columns.
        changes: The rows that would be elsewhere, or have other values.
        downstream: The computed batches that read it: they are computed again where their inputs change.
        kpis: The totals of the KPIs among them that would be computed again, before and after; ``None`` where that was
            not wanted.
    """

    ref: BatchRef
    decisions: tuple[DraftedDecision, ...]
    state: BatchState | None
    counts: Counts
    would_be: BatchState
    would_count: Counts
    reason: str
    rules: tuple[RuleCount, ...]
    changes: RowChanges
    downstream: tuple[BatchRef, ...]
    kpis: ForetoldKpis | None = None


def dry_run(
    draft: Draft,
    *,
    installation: Installation,
    run: Run,
    limit: int = SHOWN_ROWS,
    viewer: Viewer = NOBODY,
    kpis: bool = False,
) -> DraftOutcome:
    """Judge a draft's batch as a replay would after it. Nothing is written.

    Args:
        draft: The decisions.
        installation: Where the rows and the ledger are.
        run: Who would decide, and when; the time decides about waivers that expire.
        limit: How many of the changed rows are listed.
        viewer: Who looks at them.
        kpis: Also replay the batch in a clone, and say what the KPIs that read it would be.

    Raises:
        ReadinessError: As `check_draft`.
        GateBuildError: The gate cannot be built, or a check raised.
        EngineError: The engine that should judge cannot be had, or broke.
    """
    checked = check_draft(draft, installation=installation, run=run)
    found = outcome_of(checked, installation=installation, limit=limit, viewer=viewer)
    if not kpis:
        return found
    return replace(found, kpis=foretold_kpis(checked, found.downstream, installation=installation, run=run))


def outcome_of(
    checked: CheckedDraft, *, installation: Installation, limit: int = SHOWN_ROWS, viewer: Viewer = NOBODY
) -> DraftOutcome:
    """What a draft would do that was checked; see `dry_run`."""
    draft, ledger = checked.draft, installation.ledger
    record = ledger.get(draft.ref)
    with judged_batch(draft.table, batch=draft.batch, decisions=checked.after, installation=installation) as judged:
        would_be, reason = outcome_text(judged.verdict)
        return DraftOutcome(
            ref=draft.ref,
            decisions=checked.decisions,
            state=record.state if record else None,
            counts=record.counts if record else Counts(),
            would_be=would_be,
            would_count=counts_of(judged.verdict, erased=judged.given.erased),
            reason=reason,
            rules=judged.verdict.broken,
            changes=row_changes(checked, judged, installation=installation, limit=limit, viewer=viewer),
            downstream=tuple(dict.fromkeys(readers_of(draft.ref, draft.table, Published(ledger)))),
        )
