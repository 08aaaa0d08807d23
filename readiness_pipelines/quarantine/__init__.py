"""What waits: the ledger of batches and its audit trail."""

from readiness_pipelines.quarantine.ledger import Ledger
from readiness_pipelines.quarantine.records import (
    Attempt,
    BatchRecord,
    BatchRef,
    Counts,
    FileRecord,
    GateRecord,
    Snapshots,
    TrailEntry,
)
from readiness_pipelines.quarantine.states import MOVES, BatchState

__all__ = [
    "MOVES",
    "Attempt",
    "BatchRecord",
    "BatchRef",
    "BatchState",
    "Counts",
    "FileRecord",
    "GateRecord",
    "Ledger",
    "Snapshots",
    "TrailEntry",
]
