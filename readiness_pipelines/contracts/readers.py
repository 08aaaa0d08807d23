"""The one door through which rows arrive: files, databases and functions are Readers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import pyarrow as pa

from readiness_pipelines.batches import Batches
from readiness_pipelines.limits import Limits
from readiness_pipelines.storage import Place

CONTENT_UNKNOWN = "there"
"""Fingerprint of an arrival of whose content nothing is known: it is there, and each key is another delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One thing that a batch was read from: a file, a query, a call of a function.

    Attributes:
        name: The file's path relative to the landing folder, or what else tells it from others.
        fingerprint: Checksum of its content, hexadecimal; the same content gives the same.
        bytes: Its size; ``None`` where it has none.
        arrived_at: When it came, or was last changed, in UTC; ``None`` where nobody knows.
    """

    name: str
    fingerprint: str
    bytes: int | None = None
    arrived_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What a source has of a batch now, known without reading it.

    Attributes:
        batch: The batch's key.
        fingerprint: Tells this content from any other, as far as that is known without reading it; `CONTENT_UNKNOWN`
            where it is not. Of `Versions`, a new key with the fingerprint of the newest version is no other version.
        settled_since: When it was last changed, in UTC: what changed a moment ago may still be being written.
        newest: What of it was last changed, for people; "" where it has no parts.
        settles: How long it must have been quiet to be whole; ``None`` leaves that to the settings.
        complete: Whether the sender said that it is whole, so that it need not be quiet.
        awaits: What the sender has to put there before it is whole; "" where it is enough that it is quiet.
        put_at: When it came to be there, in UTC, of a reader whose key is no name but the time of what it has: what was
            put back has an older key than what it replaces, and is in force from then on. ``None`` of any other.
    """

    batch: str
    fingerprint: str
    settled_since: datetime
    newest: str = ""
    settles: timedelta | None = None
    complete: bool = False
    awaits: str = ""
    put_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a reader reads.

    Attributes:
        landing: Where files land.
        connection: Gives the address of a database by its name in the settings.
        batches: The batches of the table that is read: keys, windows, spelling.
        limits: What one file may demand.
        ingested: Batches that were ingested with rows, as far as whoever asks needs to know: of these a reader may say
            that they have none any more.
    """

    landing: Place
    connection: Callable[[str], str]
    batches: Batches
    limits: Limits = field(default_factory=Limits)
    ingested: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBatch:
    """A batch as it arrived.

    Attributes:
        origins: What it comes from, in the order of its rows.
        columns: The columns that arrived, with the types they arrived in, without the framework's.
        rows: Its rows, to be read once: the columns, then those of `readiness_pipelines.columns.RAW_COLUMNS`;
            ``_row`` counts from 0 over all origins.
        renamed: Names as they arrived, by the name the column has now, for those that differ.
    """

    origins: tuple[Origin, ...]
    columns: pa.Schema
    rows: pa.RecordBatchReader
    renamed: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Reader(Protocol):
    """How the batches of a source are read.

    Attributes:
        missing: Text that means "no value"; raw keeps it, the gate reads it as null.
    """

    missing: tuple[str, ...]

    def arrivals(self, places: Places) -> Iterable[Arrival]:
        """What is there now, one arrival a batch, from old to new.

        Args:
            places: Where to look, and the table's batches.

        Raises:
            LandingError: The source cannot be reached or listed.
        """
        ...

    def open(self, batch: str, places: Places) -> RawBatch:
        """Read a batch.

        Args:
            batch: Its key.
            places: Where to read, and the table's batches.

        Raises:
            BatchNotLandedError: The source has nothing of it; names the nearest that it has.
            LandingError: It cannot be read.
        """
        ...

    def describe(self) -> str:
        """Where rows come from, on one line: a pattern, a query, a function."""
        ...
