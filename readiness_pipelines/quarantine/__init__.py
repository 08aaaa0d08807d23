"""What waits: the ledger of batches and its audit trail."""

from readiness_pipelines.quarantine.ledger import Ledger
from readiness_pipelines.quarantine.records import (
    Attempt,
    BatchRecord,
    BatchRef,
    Counts,
    FileRecord,
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
    "Ledger",
    "Snapshots",
    "TrailEntry",
]
