"""What the ledger says of batches and deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts.readers import Origin
from readiness_pipelines.names import TableId

ALL_BATCHES = "*"
"""In a record's inputs: all batches of a table together, read at one snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """The Iceberg snapshots that hold a batch; ``None`` where there is none.

    A held batch keeps what it published before.
    """

    raw: int | None = None
    quarantine: int | None = None
    published: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredColumn:
    """A column of a batch, and where it is stored.

    Attributes:
        name: Its name, as it arrived.
        type: Its type, as it arrived, as text.
        stored: The column of the table that holds it; of published tables, its name.
    """

    name: str
    type: str
    stored: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """Where a batch of a table stands.

    Attributes:
        ref: The batch.
        state: What became of it.
        counts: Its rows, accounted for.
        gate_version: Version of the gate that judged it; ``None`` for raw tables.
        run_id: The run that brought it here.
        attempt: That run's attempt; the snapshots' ``readiness.attempt``.
        reason: One line for people: why it is held, or what waits.
        snapshots: The snapshots that hold it.
        inputs: The snapshots it was made of, by table and by the table's batch; `ALL_BATCHES` for the whole table.
        origins: What it was read from, for raw tables.
        arrival: Fingerprint of the arrival that was ingested, for raw tables.
        columns: Its columns.
        unreadable_rows: Rows that could not be parsed, for raw tables.
        updated_at: When it came here, in UTC.
        newest_event_at: The newest event time that it publishes, in UTC; ``None`` where its table has no such column.
    """

    ref: BatchRef
    state: BatchState
    counts: Counts
    gate_version: str | None = None
    run_id: str | None = None
    attempt: str | None = None
    reason: str | None = None
    snapshots: Snapshots = field(default_factory=Snapshots)
    inputs: Mapping[TableId, Mapping[str, int]] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    arrival: str | None = None
    columns: tuple[StoredColumn, ...] = ()
    unreadable_rows: int = 0
    updated_at: datetime
    newest_event_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEntry:
    """Something that happened to a batch; never changed afterwards.

    Attributes:
        id: Grows with time.
        ref: The batch.
        at: When, in UTC.
        what: A verb: ``ingested``, ``published``, ``held``, ``failed`` …
        who: The person or service.
        why: The reason given; ``None`` where none was needed.
        run_id: The run it happened in.
        attempt: That run's attempt.
        details: What else there is to know, as JSON.
    """

    id: int
    ref: BatchRef
    at: datetime
    what: str
    who: str
    why: str | None
    run_id: str | None
    attempt: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A delivery that began; while it is open, a crash may have left it half done.

    Attributes:
        attempt: Its id, the snapshots' ``readiness.attempt``.
        ref: The batch.
        run_id: Its run.
        who: The person or service it runs for.
        begun_at: When, in UTC.
    """

    attempt: str
    ref: BatchRef
    run_id: str
    who: str
    begun_at: datetime
