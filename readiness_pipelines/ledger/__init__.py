"""What happened: batches and where they stand, attempts, decisions, findings, incidents, and the trail of it all."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.ledger.audit import ChainAudit, unknown_anchors
    from readiness_pipelines.ledger.batches import record_digest
    from readiness_pipelines.ledger.chain import BrokenLink
    from readiness_pipelines.ledger.claims import Home
    from readiness_pipelines.ledger.contents import BatchContents, FileContents
    from readiness_pipelines.ledger.contracts import KnownBreakage, KnownContract
    from readiness_pipelines.ledger.decision_values import DecisionValue
    from readiness_pipelines.ledger.decisions import DecisionRecord, NewDecision
    from readiness_pipelines.ledger.erasures import (
        EVERYWHERE,
        REGISTER,
        TABLES_OF_REASONS,
        Erasure,
        Erasures,
        ErasureState,
        RegisteredPerson,
    )
    from readiness_pipelines.ledger.event_times import KeptTimes, TimesOfBatches
    from readiness_pipelines.ledger.finding import Finding, FindingKind, Severity
    from readiness_pipelines.ledger.findings import BESIDE, UNLIKE, BatchFinding, Findings, FoundFinding
    from readiness_pipelines.ledger.gates import GateRecord
    from readiness_pipelines.ledger.glances import ASSIGNED, Assignment, BatchGlance
    from readiness_pipelines.ledger.incident_book import Incidents
    from readiness_pipelines.ledger.incidents import WATCHER, Incident, IncidentEvent, IncidentState
    from readiness_pipelines.ledger.ledger import AUTOMATIC, Ledger
    from readiness_pipelines.ledger.migrations import Migrated, migrate
    from readiness_pipelines.ledger.models import (
        Models,
        ModelState,
        ModelVersion,
        NewModelVersion,
        RetrainingRequest,
        RetrainingState,
        ServingState,
    )
    from readiness_pipelines.ledger.moves import MOVES
    from readiness_pipelines.ledger.online_values import KEYS_AT_ONCE, OnlineMark, OnlineRow, OnlineValues, OnlineView
    from readiness_pipelines.ledger.outbox import Message, NoticeKey
    from readiness_pipelines.ledger.outcomes import Kept, OutcomeRecord, StateChange, Tally, counts_of, shown_by
    from readiness_pipelines.ledger.profiles import profile_digest
    from readiness_pipelines.ledger.receivers import Receivers, ReceiverState, RefusedEvent, StartedRun
    from readiness_pipelines.ledger.records import (
        ALL_BATCHES,
        Attempt,
        BatchRecord,
        Snapshots,
        StoredColumn,
        TrailEntry,
    )
    from readiness_pipelines.ledger.requests import ReplayRequest, RequestState
    from readiness_pipelines.ledger.scorecards import KeptScorecard, Scorecards
    from readiness_pipelines.ledger.shapes import Shape
    from readiness_pipelines.ledger.silences import Silence
    from readiness_pipelines.ledger.streams import ShardRecord, Streams, StreamState
    from readiness_pipelines.ledger.trail import ERASED, FAILED
    from readiness_pipelines.ledger.training_sets import KeptTrainingSet, TrainingSets
else:
    import_on_demand(__name__)

__all__ = [
    "ALL_BATCHES",
    "ASSIGNED",
    "AUTOMATIC",
    "BESIDE",
    "ERASED",
    "EVERYWHERE",
    "FAILED",
    "KEYS_AT_ONCE",
    "MOVES",
    "REGISTER",
    "TABLES_OF_REASONS",
    "UNLIKE",
    "WATCHER",
    "Assignment",
    "Attempt",
    "BatchContents",
    "BatchFinding",
    "BatchGlance",
    "BatchRecord",
    "BrokenLink",
    "ChainAudit",
    "DecisionRecord",
    "DecisionValue",
    "Erasure",
    "ErasureState",
    "Erasures",
    "FileContents",
    "Finding",
    "FindingKind",
    "Findings",
    "FoundFinding",
    "GateRecord",
    "Home",
    "Incident",
    "IncidentEvent",
    "IncidentState",
    "Incidents",
    "Kept",
    "KeptScorecard",
    "KeptTimes",
    "KeptTrainingSet",
    "KnownBreakage",
    "KnownContract",
    "Ledger",
    "Message",
    "Migrated",
    "ModelState",
    "ModelVersion",
    "Models",
    "NewDecision",
    "NewModelVersion",
    "NoticeKey",
    "OnlineMark",
    "OnlineRow",
    "OnlineValues",
    "OnlineView",
    "OutcomeRecord",
    "ReceiverState",
    "Receivers",
    "RefusedEvent",
    "RegisteredPerson",
    "ReplayRequest",
    "RequestState",
    "RetrainingRequest",
    "RetrainingState",
    "Scorecards",
    "ServingState",
    "Severity",
    "Shape",
    "ShardRecord",
    "Silence",
    "Snapshots",
    "StartedRun",
    "StateChange",
    "StoredColumn",
    "StreamState",
    "Streams",
    "Tally",
    "TimesOfBatches",
    "TrailEntry",
    "TrainingSets",
    "counts_of",
    "migrate",
    "profile_digest",
    "record_digest",
    "shown_by",
    "unknown_anchors",
]
