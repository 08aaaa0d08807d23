"""One batch through: ingested, judged, staged, committed; decided about, replayed, reconciled, maintained."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.delivery.audit import Audit, audit
    from readiness_pipelines.delivery.checking import CheckedCode, Mistake, check_domains, import_mistakes
    from readiness_pipelines.delivery.clones import drop_environment
    from readiness_pipelines.delivery.deciding import KeptDecision, KeptTogether, decide, decide_together
    from readiness_pipelines.delivery.deliver import Delivery, deliver
    from readiness_pipelines.delivery.draft_outcomes import DraftOutcome, dry_run
    from readiness_pipelines.delivery.drafts import Draft, DraftedDecision
    from readiness_pipelines.delivery.evaluate import (
        BatchOutcome,
        EvaluatedBatch,
        Evaluation,
        KpiChange,
        MovedRows,
        evaluate,
    )
    from readiness_pipelines.delivery.follow import in_flow, readers_of_all
    from readiness_pipelines.delivery.gates import engine_of, gate_of
    from readiness_pipelines.delivery.ingest import ingest
    from readiness_pipelines.delivery.ingested import Ingested
    from readiness_pipelines.delivery.judging import decisions_in_force
    from readiness_pipelines.delivery.kpis import kpi_values
    from readiness_pipelines.delivery.maintain import ORPHAN_AGE, RETENTION, Maintenance, maintain
    from readiness_pipelines.delivery.older_profiles import bring_older_profiles
    from readiness_pipelines.delivery.places import store_of
    from readiness_pipelines.delivery.problems import Level, Problem
    from readiness_pipelines.delivery.proving import prove_share
    from readiness_pipelines.delivery.reading import transform_result
    from readiness_pipelines.delivery.reconcile import Reconciliation, reconcile, repair
    from readiness_pipelines.delivery.replay import (
        Replayed,
        ReplayPlan,
        ReplayStep,
        Selection,
        moved_rows,
        plan_replay,
        replay_batch,
    )
    from readiness_pipelines.delivery.row_changes import CellChange, RowChange, RowChanges
    from readiness_pipelines.delivery.settling import WAITS_AT_MOST, Unsettled
    from readiness_pipelines.delivery.share import Share
    from readiness_pipelines.delivery.transform_facts import transform_facts
    from readiness_pipelines.delivery.windows import CLOSED, end_of_window, is_over, is_streamed, was_open, windows_over
    from readiness_pipelines.delivery.work import Work, do_work, due_work, with_followers
else:
    import_on_demand(__name__)

__all__ = [
    "CLOSED",
    "ORPHAN_AGE",
    "RETENTION",
    "WAITS_AT_MOST",
    "Audit",
    "BatchOutcome",
    "CellChange",
    "CheckedCode",
    "Delivery",
    "Draft",
    "DraftOutcome",
    "DraftedDecision",
    "EvaluatedBatch",
    "Evaluation",
    "Ingested",
    "KeptDecision",
    "KeptTogether",
    "KpiChange",
    "Level",
    "Maintenance",
    "Mistake",
    "MovedRows",
    "Problem",
    "Reconciliation",
    "ReplayPlan",
    "ReplayStep",
    "Replayed",
    "RowChange",
    "RowChanges",
    "Selection",
    "Share",
    "Unsettled",
    "Work",
    "audit",
    "bring_older_profiles",
    "check_domains",
    "decide",
    "decide_together",
    "decisions_in_force",
    "deliver",
    "do_work",
    "drop_environment",
    "dry_run",
    "due_work",
    "end_of_window",
    "engine_of",
    "evaluate",
    "gate_of",
    "import_mistakes",
    "in_flow",
    "ingest",
    "is_over",
    "is_streamed",
    "kpi_values",
    "maintain",
    "moved_rows",
    "plan_replay",
    "prove_share",
    "readers_of_all",
    "reconcile",
    "repair",
    "replay_batch",
    "store_of",
    "transform_facts",
    "transform_result",
    "was_open",
    "windows_over",
    "with_followers",
]
