"""What the ledger remembers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from readiness_pipelines.ledger.states import BatchState


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class BatchRef:
    """One batch of one table of one path. `table` is written ``namespace.name``."""

    path: str
    table: str
    batch: str

    def __str__(self) -> str:
        return f"{self.table}[{self.batch}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Rows of a batch, by where they are."""

    ingested: int = 0
    published: int = 0
    quarantined: int = 0
    discarded: int = 0

    @property
    def accounted(self) -> bool:
        """Whether every ingested row is somewhere, and no row is anywhere else."""
        return self.ingested == self.published + self.quarantined + self.discarded


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """The Iceberg snapshots that hold a batch; ``None`` where there is none.

    A held batch keeps what it published before.
    """

    raw: int | None = None
    quarantine: int | None = None
    published: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A landed file that a batch was read from; the same bytes at the same place are the same file.

    Attributes:
        path: Relative to the landing folder, with forward slashes.
        size_bytes: Its size.
        sha256: Checksum of its bytes, hexadecimal.
        landed_at: When it was last changed, in UTC; ``None`` in records of an older version.
    """

    path: str
    size_bytes: int
    sha256: str
    landed_at: datetime | None = field(default=None, compare=False)


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
        inputs: The snapshots it was made of, by table.
        files: The landed files, for raw tables.
        columns: Its columns.
        unreadable_rows: Rows that the reader could not parse, for raw tables.
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
    inputs: Mapping[str, int] = field(default_factory=dict)
    files: tuple[FileRecord, ...] = ()
    columns: tuple[str, ...] = ()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRecord:
    """A gate that has judged batches of a table: its version, what it asks (as JSON), and when it was first used."""

    version: str
    declaration: Mapping[str, Any]
    first_used_at: datetime
