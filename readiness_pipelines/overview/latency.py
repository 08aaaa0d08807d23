"""How long a step took: from its source's delivery, or from its last input's publication, to its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.batches import BatchRef, BatchState, Publication, in_order
from readiness_pipelines.contracts import Computed, GatedTable, Read, Table
from readiness_pipelines.contracts.reads import Present, RowsOfPeriod
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.installation import Installation
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


def newest_latency(table: Table, *, installation: Installation, publications: Publications) -> StepLatency | None:
    """The latency of the batch that could begin last; ``None`` where none could, or nobody knows when it arrived.

    Args:
        table: The table.
        installation: Where the ledger is.
        publications: What consumers see of the table and of what it reads.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    if isinstance(table, GatedTable):
        began, after = _arrived(table, installation), "it landed"
    else:
        inputs = dict.fromkeys(read.table.name for read in table.reads.values())
        began, after = _computable(table, installation, publications), f"{' and '.join(inputs)} came"
    if began is None:
        return None
    batch, since = began
    published_at = _published_at(table, batch, since, installation, publications)
    return StepLatency(batch=batch, since=since, after=after, published_at=published_at)


def _arrived(table: GatedTable, installation: Installation) -> tuple[str, datetime] | None:
    raw = installation.ledger.latest(table.id.raw)
    if raw is None:
        return None
    arrived = max((origin.arrived_at for origin in raw.origins if origin.arrived_at), default=None)
    return (raw.ref.batch, arrived) if arrived is not None else None


def _computable(table: Computed, installation: Installation, publications: Publications) -> tuple[str, datetime] | None:
    """The batch of which the last input was published last."""
    published = Published(installation.ledger)
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


def _published_at(
    table: Table, batch: str, since: datetime, installation: Installation, publications: Publications
) -> datetime | None:
    """When a batch was first published at a time or later."""
    first = next((one.first_at for one in publications.get(table.id, ()) if one.batch == batch), None)
    if first is None or first >= since or isinstance(table, GatedTable):
        return first
    # Published before its last input was: a month with some of its days. It counts when it has all of them.
    visible = {state.value for state in BatchState if state.visible}
    trail = installation.ledger.trail(ref=BatchRef(table.id, batch))
    return next((entry.at for entry in trail if entry.what in visible and entry.at >= since), None)
