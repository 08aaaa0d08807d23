"""What there is: status, history, the map, latencies, findings. It reads and never writes."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.overview.domain_map import MapStep, data_path, domain_map, read_text, table_map
    from readiness_pipelines.overview.failing_rows import (
        FailingRow,
        FailingRows,
        RowsRead,
        read_failing_rows,
        shown_rows,
    )
    from readiness_pipelines.overview.gate_changes import GateChanges, batches_by_other_gates, gate_changes
    from readiness_pipelines.overview.history import BatchHistory, History, history
    from readiness_pipelines.overview.inbox import InboxItem, inbox, incidents_by_batch
    from readiness_pipelines.overview.known import unknown_batch
    from readiness_pipelines.overview.latency import Publications, StepLatency, newest_latency
    from readiness_pipelines.overview.observing import Observation, observe
    from readiness_pipelines.overview.plain_rules import plain_rule
    from readiness_pipelines.overview.plan import (
        Plan,
        PlannedBatch,
        TablePlan,
        TransformChange,
        plan_changes,
        refused_types,
    )
    from readiness_pipelines.overview.plan_file import (
        FrozenPlan,
        PlanProgress,
        freeze,
        otherwise_than_foretold,
        plan_progress,
        read_plan,
        write_plan,
    )
    from readiness_pipelines.overview.rules_then import broken_rules
    from readiness_pipelines.overview.sampling import SAMPLE, sample
    from readiness_pipelines.overview.status import BatchStatus, DomainStatus, LaneStatus, lane_status, status
    from readiness_pipelines.overview.today import ProductToday, Standing, Today, standing_of, today
    from readiness_pipelines.overview.undeclared import undeclared_tables
    from readiness_pipelines.overview.unusual import unusual_batches
    from readiness_pipelines.overview.verdicts import JudgedRule, rules_broken
    from readiness_pipelines.overview.waiting import (
        classified_columns,
        judged_rules,
        quarantine_rows,
        waiting_batches,
        waiting_record,
        waiting_values,
    )
    from readiness_pipelines.overview.ways_out import ways_out
else:
    import_on_demand(__name__)

__all__ = [
    "SAMPLE",
    "BatchHistory",
    "BatchStatus",
    "DomainStatus",
    "FailingRow",
    "FailingRows",
    "FrozenPlan",
    "GateChanges",
    "History",
    "InboxItem",
    "JudgedRule",
    "LaneStatus",
    "MapStep",
    "Observation",
    "Plan",
    "PlanProgress",
    "PlannedBatch",
    "ProductToday",
    "Publications",
    "RowsRead",
    "Standing",
    "StepLatency",
    "TablePlan",
    "Today",
    "TransformChange",
    "batches_by_other_gates",
    "broken_rules",
    "classified_columns",
    "data_path",
    "domain_map",
    "freeze",
    "gate_changes",
    "history",
    "inbox",
    "incidents_by_batch",
    "judged_rules",
    "lane_status",
    "newest_latency",
    "observe",
    "otherwise_than_foretold",
    "plain_rule",
    "plan_changes",
    "plan_progress",
    "quarantine_rows",
    "read_failing_rows",
    "read_plan",
    "read_text",
    "refused_types",
    "rules_broken",
    "sample",
    "shown_rows",
    "standing_of",
    "status",
    "table_map",
    "today",
    "undeclared_tables",
    "unknown_batch",
    "unusual_batches",
    "waiting_batches",
    "waiting_record",
    "waiting_values",
    "ways_out",
    "write_plan",
]
