"""Whether a batch has arrived whole: the one rule by which every door knows it.

A batch is whole when its sender says so, or when nothing of it changed for a while. Times are those of the storage's
clock, which may be another one than this machine's. Whoever cannot come again later waits a moment, and looks whether
anything changed meanwhile: that needs no clock at all.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness_pipelines.batches import Scope
from readiness_pipelines.contracts import Arrival, GatedTable
from readiness_pipelines.durations import format_duration
from readiness_pipelines.errors import BatchUnsettledError
from readiness_pipelines.installation import Installation

WAITS_AT_MOST = timedelta(seconds=10)
"""Longer than that nobody sits and waits: the batch is refused, and read by a later run."""

CLOCKS_DIFFER_AT_MOST = timedelta(hours=1)
"""What is quiet for longer is quiet by any clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """A batch that may still be arriving.

    Attributes:
        batch: The batch.
        newest: What of it was changed last.
        quiet: For how long nothing of it has changed.
        settles: How long that must be.
        awaits: What its sender has to put there; "" where it is enough that it is quiet.
    """

    batch: str
    newest: str
    quiet: timedelta
    settles: timedelta
    awaits: str = ""

    @property
    def left(self) -> timedelta | None:
        """How long it must stay quiet from now on; ``None`` where that does not make it whole."""
        return None if self.awaits else self.settles - self.quiet

    @property
    def why(self) -> str:
        """Why it is not read yet, for people."""
        if self.awaits:
            return f"{self.awaits} is not there, by which the sender says that it is whole"
        ago = format_duration(self.quiet) if self.quiet >= timedelta(seconds=1) else "a moment"
        return f"{self.newest} was changed {ago} ago, and nothing of it may change for {format_duration(self.settles)}"


class Settling:
    """One look at which batches have arrived whole.

    Args:
        installation: Where they land.
        now: The time, by this machine's clock.
    """

    def __init__(self, installation: Installation, now: datetime) -> None:
        self._installation = installation
        self._now = now
        self._storage: datetime | None = None

    def unsettled(self, arrival: Arrival) -> Unsettled | None:
        """Why a batch is not whole yet; ``None`` where it is."""
        if arrival.complete:
            return None
        settles = self._installation.settles if arrival.settles is None else arrival.settles
        if not arrival.awaits and (settles <= timedelta(0) or self._quiet_by_any_clock(arrival, settles)):
            return None
        quiet = max(self._storage_now() - arrival.settled_since, timedelta(0))
        if not arrival.awaits and quiet >= settles:
            return None
        return Unsettled(
            batch=arrival.batch,
            newest=arrival.newest or "it",
            quiet=quiet,
            settles=settles,
            awaits=arrival.awaits,
        )

    def _quiet_by_any_clock(self, arrival: Arrival, settles: timedelta) -> bool:
        return self._now - arrival.settled_since >= settles + CLOCKS_DIFFER_AT_MOST

    def _storage_now(self) -> datetime:
        """The time where files land, if the warehouse lies on the same storage; else this machine's."""
        if self._storage is None:
            landing, warehouse = self._installation.landing, self._installation.lakehouse.warehouse
            with suppress(OSError):  # where nothing can be written, no batch can be either: whoever tries says why
                self._storage = warehouse.clock() if warehouse.shares_clock(landing) else None
            self._storage = self._storage or self._now
        return self._storage


def settled_arrival(table: GatedTable, batch: str, *, installation: Installation, now: datetime) -> Arrival | None:
    """What has arrived of a batch, once it is whole; if that is a matter of seconds, it is waited for.

    Args:
        table: The table.
        batch: The batch.
        installation: Where it lands.
        now: The time.

    Returns:
        The arrival; ``None`` where the source has nothing of the batch, which whoever reads it says better.

    Raises:
        BatchUnsettledError: It is not whole, and will not be in a moment, or it changed meanwhile.
        LandingError: The source cannot be reached.
    """
    arrival = _arrival(table, batch, installation)
    found = Settling(installation, now).unsettled(arrival) if arrival else None
    if arrival is None or found is None:
        return arrival
    if found.left is None or found.left > WAITS_AT_MOST:
        raise _error(table, found, found.why)
    time.sleep(found.left.total_seconds())
    later = _arrival(table, batch, installation)
    if later is not None and later.fingerprint != arrival.fingerprint and not later.complete:
        raise _error(table, found, f"{later.newest or 'it'} was changed a moment ago, while it was waited for")
    return later


def _arrival(table: GatedTable, batch: str, installation: Installation) -> Arrival | None:
    arrivals = tuple(table.source.reader.arrivals(installation.places(table.batches)))
    for one in arrivals:
        if one.batch == batch:
            return one
    # A source without a memory gives what it has under the key of now, which is later than the batch's.
    return arrivals[0] if table.batches.scope is Scope.TABLE and len(arrivals) == 1 else None


def _error(table: GatedTable, found: Unsettled, why: str) -> BatchUnsettledError:
    way_out = (
        f"put {found.awaits} there when all its files are, then run the batch again"
        if found.awaits
        else "run it again when it is whole: by FileDrop(settles=…, complete_when=…), or READINESS_SETTLES"
    )
    return BatchUnsettledError(f"batch {found.batch!r} of {table.id} is still arriving: {why}", way_out=way_out)
