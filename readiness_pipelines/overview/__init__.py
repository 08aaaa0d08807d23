"""What there is: status, history, the map, latencies, findings. It reads and never writes."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.overview.catalog.dcat import dcat_catalog
    from readiness_pipelines.overview.catalog.entries import (
        CatalogEntry,
        ColumnEntry,
        ConsumerEntry,
        ModelEntry,
        ProductEntry,
        SourceEntry,
        catalog_entry,
        source_entries,
    )
    from readiness_pipelines.overview.catalog.facts import (
        KEPT_DAYS,
        Cadence,
        ColumnFacts,
        GateVersion,
        ShapeChange,
        TableFacts,
        table_facts,
    )
    from readiness_pipelines.overview.catalog.quality import HeldTime, QualityMonth, pass_share
    from readiness_pipelines.overview.catalog.reading import ReadingLines, reading_lines
    from readiness_pipelines.overview.catalog.search import (
        CatalogIndex,
        SearchHit,
        Where,
        catalog_index,
        search_catalog,
    )
    from readiness_pipelines.overview.catalog.training_sets import BuildEntry, TrainingSetEntry, training_set_entry
    from readiness_pipelines.overview.domain_map import MapStep, data_path, domain_map, table_map
    from readiness_pipelines.overview.failing_rows import (
        RowsRead,
        WaitingPage,
        WaitingRow,
        read_failing_rows,
        shown_rows,
    )
    from readiness_pipelines.overview.gate_changes import GateChanges, batches_by_other_gates, gate_changes
    from readiness_pipelines.overview.guidance import OUR_RUNBOOK, Guidance, guidance_for, guidance_of
    from readiness_pipelines.overview.history import BatchHistory, History, history
    from readiness_pipelines.overview.inbox import InboxItem, inbox, incidents_by_batch
    from readiness_pipelines.overview.known import unknown_batch
    from readiness_pipelines.overview.latency import Publications, StepLatency, newest_latencies
    from readiness_pipelines.overview.observing import Observation, observe
    from readiness_pipelines.overview.on_call import OnCall, on_call_now
    from readiness_pipelines.overview.plain_rules import plain_rule, rule_words
    from readiness_pipelines.overview.plain_values import plain_value
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
    from readiness_pipelines.overview.scorecard.card import WHOLE, NextStep, Scorecard, scorecards
    from readiness_pipelines.overview.scorecard.keeping import (
        EarlierScorecard,
        past_scorecards,
        scorecard_value,
        scorecards_of_today,
        scorecards_to_keep,
    )
    from readiness_pipelines.overview.scorecard.questions import Answer, Area, Grade, Proof, Question
    from readiness_pipelines.overview.scorecard.slas import SlaMeasure, SlaMonth, SlaPart, sla_months
    from readiness_pipelines.overview.standings import Standing, standing_of
    from readiness_pipelines.overview.status import BatchStatus, DomainStatus, LaneStatus, lane_status, status
    from readiness_pipelines.overview.streams import StreamStanding, pause_text, stream_standings
    from readiness_pipelines.overview.today import ProductToday, Today, today
    from readiness_pipelines.overview.today_models import ModelToday
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
    from readiness_pipelines.overview.withdrawn import withdrawn_windows
else:
    import_on_demand(__name__)

__all__ = [
    "KEPT_DAYS",
    "OUR_RUNBOOK",
    "SAMPLE",
    "WHOLE",
    "Answer",
    "Area",
    "BatchHistory",
    "BatchStatus",
    "BuildEntry",
    "Cadence",
    "CatalogEntry",
    "CatalogIndex",
    "ColumnEntry",
    "ColumnFacts",
    "ConsumerEntry",
    "DomainStatus",
    "EarlierScorecard",
    "FrozenPlan",
    "GateChanges",
    "GateVersion",
    "Grade",
    "Guidance",
    "HeldTime",
    "History",
    "InboxItem",
    "JudgedRule",
    "LaneStatus",
    "MapStep",
    "ModelEntry",
    "ModelToday",
    "NextStep",
    "Observation",
    "OnCall",
    "Plan",
    "PlanProgress",
    "PlannedBatch",
    "ProductEntry",
    "ProductToday",
    "Proof",
    "Publications",
    "QualityMonth",
    "Question",
    "ReadingLines",
    "RowsRead",
    "Scorecard",
    "SearchHit",
    "ShapeChange",
    "SlaMeasure",
    "SlaMonth",
    "SlaPart",
    "SourceEntry",
    "Standing",
    "StepLatency",
    "StreamStanding",
    "TableFacts",
    "TablePlan",
    "Today",
    "TrainingSetEntry",
    "TransformChange",
    "WaitingPage",
    "WaitingRow",
    "Where",
    "batches_by_other_gates",
    "broken_rules",
    "catalog_entry",
    "catalog_index",
    "classified_columns",
    "data_path",
    "dcat_catalog",
    "domain_map",
    "freeze",
    "gate_changes",
    "guidance_for",
    "guidance_of",
    "history",
    "inbox",
    "incidents_by_batch",
    "judged_rules",
    "lane_status",
    "newest_latencies",
    "observe",
    "on_call_now",
    "otherwise_than_foretold",
    "pass_share",
    "past_scorecards",
    "pause_text",
    "plain_rule",
    "plain_value",
    "plan_changes",
    "plan_progress",
    "quarantine_rows",
    "read_failing_rows",
    "read_plan",
    "reading_lines",
    "refused_types",
    "rule_words",
    "rules_broken",
    "sample",
    "scorecard_value",
    "scorecards",
    "scorecards_of_today",
    "scorecards_to_keep",
    "search_catalog",
    "shown_rows",
    "sla_months",
    "source_entries",
    "standing_of",
    "status",
    "stream_standings",
    "table_facts",
    "table_map",
    "today",
    "training_set_entry",
    "undeclared_tables",
    "unknown_batch",
    "unusual_batches",
    "waiting_batches",
    "waiting_record",
    "waiting_values",
    "ways_out",
    "withdrawn_windows",
    "write_plan",
]
