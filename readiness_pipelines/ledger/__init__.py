"""What waits: the ledger of batches, the decisions about them, and its audit trail."""

from readiness_pipelines.ledger.decisions import (
    CellCorrection,
    Correction,
    Decision,
    Discarding,
    Undoing,
    Waiver,
    What,
    describe,
    in_force,
)
from readiness_pipelines.ledger.findings import UNLIKE, BatchFinding, Findings, FoundFinding
from readiness_pipelines.ledger.incidents import (
    Incident,
    IncidentEvent,
    Incidents,
    IncidentState,
    Message,
    Silence,
    Tell,
)
from readiness_pipelines.ledger.ledger import Ledger
from readiness_pipelines.ledger.records import (
    Attempt,
    BatchRecord,
    BatchRef,
    Counts,
    FileRecord,
    GateRecord,
    Snapshots,
    TrailEntry,
)
from readiness_pipelines.ledger.requests import ReplayRequest, RequestState
from readiness_pipelines.ledger.states import MOVES, BatchState

__all__ = [
    "MOVES",
    "UNLIKE",
    "Attempt",
    "BatchFinding",
    "BatchRecord",
    "BatchRef",
    "BatchState",
    "CellCorrection",
    "Correction",
    "Counts",
    "Decision",
    "Discarding",
    "FileRecord",
    "Findings",
    "FoundFinding",
    "GateRecord",
    "Incident",
    "IncidentEvent",
    "IncidentState",
    "Incidents",
    "Ledger",
    "Message",
    "ReplayRequest",
    "RequestState",
    "Silence",
    "Snapshots",
    "Tell",
    "TrailEntry",
    "Undoing",
    "Waiver",
    "What",
    "describe",
    "in_force",
]
