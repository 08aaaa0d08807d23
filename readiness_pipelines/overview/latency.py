"""How long a step took: from its source's delivery, or from its last input's publication, to its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.batches import BatchRef, BatchState, Publication, in_order
from readiness_pipelines.contracts import Computed, GatedTable, Read, Table
from readiness_pipelines.contracts.reads import Present, RowsOfPeriod
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, TrailEntry
from readiness_pipelines.names import TableId

Publications = Mapping[TableId, Sequence[Publication]]
"""The batches that consumers see, by table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLatency:
    """How long a batch of a table took.

    Attributes:
        batch: The batch.
        since: When it could begin, in UTC.
        after: What it had to wait for until then, for people.
        published_at: When it was first published after that, in UTC; ``None`` while it is not.
    """

    batch: str
    since: datetime
    after: str
    published_at: datetime | None


def newest_latencies(
    tables: Iterable[Table], *, installation: Installation, publications: Publications
) -> Mapping[TableId, StepLatency]:
    """The latency of each table's batch that could begin last; none where none could, or nobody knows when it arrived.

    Args:
        tables: The tables; two queries, however many they are.
        installation: Where the ledger is.
        publications: What consumers see of the tables and of what they read.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    given, ledger = tuple(tables), installation.ledger
    sources = [table.id.raw for table in given if isinstance(table, GatedTable)]
    raw = ledger.latest_of(sources) if sources else {}
    published = Published(ledger)
    began = {table.id: found for table in given if (found := _began(table, raw, publications, published)) is not None}
    trails = ledger.trails([BatchRef(table, one.batch) for table, one in began.items() if one.early])
    shown = {ref.table: _shown_since(began[ref.table].since, trail) for ref, trail in trails.items()}
    return {
        table: StepLatency(
            batch=one.batch, since=one.since, after=one.after, published_at=shown.get(table) if one.early else one.first
        )
        for table, one in began.items()
    }


@dataclass(frozen=True, slots=True)
class _Began:
    """The batch that could begin last.

    Attributes:
        batch: The batch.
        since: When it could begin.
        after: What it had to wait for until then.
        first: When it was published for the first time; ``None`` while it is not.
        early: Whether that was before its last input was: a month with some of its days. It counts when it has all.
    """

    batch: str
    since: datetime
    after: str
    first: datetime | None
    early: bool


def _began(
    table: Table, raw: Mapping[TableId, BatchRecord], publications: Publications, published: Published
) -> _Began | None:
    if isinstance(table, GatedTable):
        began, after = _arrived(raw.get(table.id.raw)), "it landed"
    else:
        inputs = dict.fromkeys(read.table.name for read in table.reads.values())
        began, after = _computable(table, publications, published), f"{' and '.join(inputs)} came"
    if began is None:
        return None
    batch, since = began
    first = next((one.first_at for one in publications.get(table.id, ()) if one.batch == batch), None)
    early = not isinstance(table, GatedTable) and first is not None and first < since
    return _Began(batch, since, after, first, early=early)


def _arrived(raw: BatchRecord | None) -> tuple[str, datetime] | None:
    if raw is None:
        return None
    arrived = max((origin.arrived_at for origin in raw.origins if origin.arrived_at), default=None)
    return (raw.ref.batch, arrived) if arrived is not None else None


def _computable(table: Computed, publications: Publications, published: Published) -> tuple[str, datetime] | None:
    """The batch of which the last input was published last."""
    inputs = [_Input(read, publications.get(read.table.id, ()), published) for read in table.reads.values()]
    made = (key for one in inputs for batch in one.present for key in published.made_by(one.read, table, batch))
    began = [
        (batch, since) for batch in dict.fromkeys(made) if (since := _last_input(table, batch, inputs)) is not None
    ]
    return max(began, key=lambda one: (one[1], table.batches.order(one[0])), default=None)


class _Input:
    """What is published of an input."""

    def __init__(self, read: Read, publications: Sequence[Publication], published: Published) -> None:
        self.read, self._published = read, published
        self.first_at = {one.batch: one.first_at for one in publications}
        self.present = Present(in_order(read.table.batches, self.first_at))

    def keys(self, table: Computed, batch: str) -> list[str]:
        """The batches that a batch of a table reads."""
        if isinstance(self.read.mapping, RowsOfPeriod):
            found = self._published.read(self.read, table, batch)
        else:
            found = self.read.keys(batch, table.batches, self.present)
        return [key for key in found if key in self.first_at]


def _last_input(table: Computed, batch: str, inputs: Sequence[_Input]) -> datetime | None:
    """When the last of a batch's inputs was published; ``None`` while it lacks one that it needs."""
    published: list[datetime] = []
    for one in inputs:
        keys = one.keys(table, batch)
        if not keys and not one.read.mapping.optional:
            return None
        published += [one.first_at[key] for key in keys]
    return max(published, default=None)


def _shown_since(since: datetime, trail: Sequence[TrailEntry]) -> datetime | None:
    """When a batch was published for the first time at a time or later."""
    visible = {state.value for state in BatchState if state.visible}
    return next((entry.at for entry in trail if entry.what in visible and entry.at >= since), None)
