"""One batch through: ingested, judged, staged, committed, measured."""

from readiness_pipelines.delivery.deciding import Decided, decide, read_cells
from readiness_pipelines.delivery.deliver import Delivery, deliver
from readiness_pipelines.delivery.gates import engine_of, gate_of
from readiness_pipelines.delivery.ingest import Ingested, ingest
from readiness_pipelines.delivery.landed import Landed, new_landings
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
from readiness_pipelines.delivery.on_spark import examined_spark
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

__all__ = [
    "ORPHAN_AGE",
    "RETENTION",
    "Decided",
    "Delivery",
    "Ingested",
    "Landed",
    "Maintenance",
    "Measured",
    "Problem",
    "Reconciliation",
    "ReplayPlan",
    "ReplayStep",
    "Replayed",
    "Selection",
    "batch_ref",
    "decide",
    "deliver",
    "engine_of",
    "examined_spark",
    "gate_of",
    "ingest",
    "kpi_table",
    "maintain",
    "measure",
    "measure_all",
    "moved_rows",
    "new_landings",
    "path_tables",
    "plan_replay",
    "published_table",
    "quarantine_table",
    "raw_table",
    "read_cells",
    "reconcile",
    "repair",
    "replay_batch",
]
