"""What there is: status, history, the map, latencies, findings. It reads and never writes."""

from readiness_pipelines.overview.gate_changes import GateChanges, gate_changes
from readiness_pipelines.overview.history import History, TableHistory, history
from readiness_pipelines.overview.latency import StepLatency, newest_latency
from readiness_pipelines.overview.observing import Observation, observe
from readiness_pipelines.overview.path_map import PathStep, path_map
from readiness_pipelines.overview.status import BatchStatus, PathStatus, status
from readiness_pipelines.overview.waiting import judged_rules, quarantine_rows, waiting_batches, waiting_record

__all__ = [
    "BatchStatus",
    "GateChanges",
    "History",
    "Observation",
    "PathStatus",
    "PathStep",
    "StepLatency",
    "TableHistory",
    "gate_changes",
    "history",
    "judged_rules",
    "newest_latency",
    "observe",
    "path_map",
    "quarantine_rows",
    "status",
    "waiting_batches",
    "waiting_record",
]
