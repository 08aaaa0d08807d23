"""The KPIs as a draft would leave them: decided and replayed in a clone of the installation, and read there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Kpi, downstream, upstream
from readiness_pipelines.decisions import Approval, keep_decisions, new_decision
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.delivery.clones import cloned
from readiness_pipelines.delivery.drafts import CheckedDraft
from readiness_pipelines.delivery.evaluate import KpiChange, kpi_change, replay_clone
from readiness_pipelines.delivery.follow import in_flow
from readiness_pipelines.installation import Installation, Run

MOST_BATCHES = 100
"""More batches than these are computed again by a replay alone: somebody waits for what is foretold."""

_SECOND = "whoever approves"
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ForetoldKpis:
    """What becomes of the KPIs that read a batch.

    Attributes:
        changes: By KPI, its totals before and after.
        left_out: Why not all are foretold, for people; "" where they are.
    """

    changes: tuple[KpiChange, ...] = ()
    left_out: str = ""


def foretold_kpis(
    checked: CheckedDraft, readers: Sequence[BatchRef], *, installation: Installation, run: Run
) -> ForetoldKpis:
    """The totals of the KPIs that would be computed again, before and after a draft and its replay.

    Nothing is written to the installation. What waits for a second person counts as approved.

    Args:
        checked: The draft.
        readers: The computed batches that read its batch, directly or not, in the order rows flow.
        installation: Where the tables and the ledger are.
        run: Who would decide, and when.

    Where more than `MOST_BATCHES` batches would be computed, none is foretold; one that breaks is named.

    Raises:
        LakehouseError: A table cannot be read, or the warehouse cannot be written to.
        LedgerError: The ledger cannot be read.
    """
    table = checked.draft.table
    products = [one for one in downstream(table) if isinstance(one, Kpi)]
    asked = {one.id for product in products for one in (*upstream(product), product)}
    wanted = [ref for ref in readers if ref.table in asked]
    if not products or not wanted:
        return ForetoldKpis()
    if len(wanted) > MOST_BATCHES:
        return ForetoldKpis(left_out=f"{len(wanted):,} batches would be computed again, which is for the replay")
    run = replace(run, run_id=uuid4().hex)
    known = in_flow(one for one in (table, *downstream(table)) if one is table or one.id in asked)
    with cloned(known, installation=installation) as clone:
        _decide(checked, clone, run)
        errors, followed = replay_clone(known, [checked.draft.ref], wanted, clone=clone, run=run, step=lambda _: None)
        batches = {kpi.id: [ref.batch for ref in followed if ref.table == kpi.id] for kpi in products}
        changes = tuple(
            kpi_change(kpi, batches[kpi.id], installation=installation, clone=clone)
            for kpi in products
            if batches[kpi.id]
        )
    broken = [f"{ref} would break: {why}" for ref, why in errors.items()]
    return ForetoldKpis(changes=changes, left_out="; ".join(broken[:_NAMED]))


def _decide(checked: CheckedDraft, clone: Installation, run: Run) -> None:
    ref, at = checked.draft.ref, run.clock()
    classes = classes_of(checked.draft.table)
    new = [new_decision(ref, one.what, classes) for one in checked.decisions]
    kept, _ = keep_decisions(clone.ledger, new, who=run.who, why="foretold", at=at)
    waiting = [one.id for one in kept if getattr(one.what, "second_person", False)]
    if waiting:
        approvals = [new_decision(ref, Approval(decision=number), classes) for number in waiting]
        keep_decisions(clone.ledger, approvals, who=_SECOND, why="foretold", at=at)
