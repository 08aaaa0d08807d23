"""One batch through: ingested, judged, staged, committed, measured."""

from readiness_pipelines.delivery.deciding import Decided, decide, read_cells
from readiness_pipelines.delivery.deliver import Delivery, deliver
from readiness_pipelines.delivery.gate_changes import GateChanges, gate_changes
from readiness_pipelines.delivery.gates import engine_of, gate_of
from readiness_pipelines.delivery.history import History, TableHistory, history
from readiness_pipelines.delivery.ingest import Ingested, ingest
from readiness_pipelines.delivery.installation import Installation, lakehouse_of
from readiness_pipelines.delivery.landed import Landed, new_landings
from readiness_pipelines.delivery.latency import StepLatency, newest_latency
from readiness_pipelines.delivery.maintain import ORPHAN_AGE, RETENTION, Maintenance, maintain
from readiness_pipelines.delivery.measure import Measured, measure, measure_all
from readiness_pipelines.delivery.names import (
    batch_ref,
    kpi_table,
    path_tables,
    published_table,
    quarantine_table,
    raw_table,
)
from readiness_pipelines.delivery.observing import Observation, observe
from readiness_pipelines.delivery.on_spark import examined_spark
from readiness_pipelines.delivery.path_map import PathStep, path_map
from readiness_pipelines.delivery.reconcile import Problem, Reconciliation, reconcile, repair
from readiness_pipelines.delivery.replay import (
    Replayed,
    ReplayPlan,
    ReplayStep,
    Selection,
    moved_rows,
    plan_replay,
    replay_batch,
)
from readiness_pipelines.delivery.runs import Run
from readiness_pipelines.delivery.status import BatchStatus, PathStatus, status
from readiness_pipelines.delivery.waiting import judged_rules, quarantine_rows, waiting_batches, waiting_record

__all__ = [
    "ORPHAN_AGE",
    "RETENTION",
    "BatchStatus",
    "Decided",
    "Delivery",
    "GateChanges",
    "History",
    "Ingested",
    "Installation",
    "Landed",
    "Maintenance",
    "Measured",
    "Observation",
    "PathStatus",
    "PathStep",
    "Problem",
    "Reconciliation",
    "ReplayPlan",
    "ReplayStep",
    "Replayed",
    "Run",
    "Selection",
    "StepLatency",
    "TableHistory",
    "batch_ref",
    "decide",
    "deliver",
    "engine_of",
    "examined_spark",
    "gate_changes",
    "gate_of",
    "history",
    "ingest",
    "judged_rules",
    "kpi_table",
    "lakehouse_of",
    "maintain",
    "measure",
    "measure_all",
    "moved_rows",
    "new_landings",
    "newest_latency",
    "observe",
    "path_map",
    "path_tables",
    "plan_replay",
    "published_table",
    "quarantine_rows",
    "quarantine_table",
    "raw_table",
    "read_cells",
    "reconcile",
    "repair",
    "replay_batch",
    "status",
    "waiting_batches",
    "waiting_record",
]
