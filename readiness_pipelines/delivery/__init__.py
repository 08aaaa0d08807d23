"""One batch through: ingested, judged, staged, committed, measured."""

from readiness_pipelines.delivery.deliver import Delivery, deliver
from readiness_pipelines.delivery.gate_changes import GateChanges, gate_changes
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.ingest import Ingested, ingest
from readiness_pipelines.delivery.installation import Installation
from readiness_pipelines.delivery.measure import Measured, measure, measure_all
from readiness_pipelines.delivery.names import batch_ref, kpi_table, published_table, quarantine_table, raw_table
from readiness_pipelines.delivery.path_map import PathStep, path_map
from readiness_pipelines.delivery.runs import Run
from readiness_pipelines.delivery.status import BatchStatus, PathStatus, status

__all__ = [
    "BatchStatus",
    "Delivery",
    "GateChanges",
    "Ingested",
    "Installation",
    "Measured",
    "PathStatus",
    "PathStep",
    "Run",
    "batch_ref",
    "deliver",
    "gate_changes",
    "gate_of",
    "ingest",
    "kpi_table",
    "measure",
    "measure_all",
    "path_map",
    "published_table",
    "quarantine_table",
    "raw_table",
    "status",
]
