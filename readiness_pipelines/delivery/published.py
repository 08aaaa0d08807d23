"""What is published, as the ledger knows it: which batches of an input are there, and which of them a batch reads."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from readiness_pipelines.batches import BatchRef, EventTimes, in_order
from readiness_pipelines.contracts import Computed, GatedTable, Read, Table
from readiness_pipelines.contracts.reads import AllBatches, Present, RowsOfPeriod, SameBatch
from readiness_pipelines.errors import UpstreamNotPublishedError
from readiness_pipelines.ledger import ALL_BATCHES, BatchRecord, Ledger
from readiness_pipelines.names import TableId

Inputs = Mapping[TableId, Mapping[str, int]]
"""The snapshots that a batch was made of, by table and batch; ``*`` stands for all batches together."""


class Published:
    """The ledger's records of tables: one at a time where one is asked for, all of a table where all are.

    Records are read once: whoever delivers something asks a new one afterwards.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._tables: dict[TableId, dict[str, BatchRecord]] = {}
        self._single: dict[BatchRef, BatchRecord | None] = {}
        self._present: dict[TableId, Present] = {}
        self._times: dict[tuple[TableId, str], Mapping[str, EventTimes]] = {}

    def load(self, tables: Iterable[TableId]) -> None:
        """Read all records of some tables at once."""
        wanted = [table for table in dict.fromkeys(tables) if table not in self._tables]
        if not wanted:
            return
        self._tables |= {table: {} for table in wanted}
        for record in self._ledger.batches(tables=wanted):
            self._tables[record.ref.table][record.ref.batch] = record

    def records(self, table: TableId) -> Mapping[str, BatchRecord]:
        """All records of a table, by batch."""
        self.load([table])
        return self._tables[table]

    def record(self, table: TableId, batch: str) -> BatchRecord | None:
        """Where a batch stands; ``None`` if the ledger has not seen it."""
        if table in self._tables:
            return self._tables[table].get(batch)
        ref = BatchRef(table, batch)
        if ref not in self._single:
            self._single[ref] = self._ledger.get(ref)
        return self._single[ref]

    def batches(self, table: Table) -> Present:
        """The batches of a table that consumers see, from old to new."""
        if table.id not in self._present:
            there = [batch for batch, record in self.records(table.id).items() if is_there(record)]
            self._present[table.id] = Present(in_order(table.batches, there))
        return self._present[table.id]

    def read(self, read: Read, table: Table, batch: str) -> tuple[str, ...]:
        """The batches of an input that a batch of a table reads."""
        if isinstance(read.mapping, SameBatch):
            record = self.record(read.table.id, batch)
            return (batch,) if record is not None and is_there(record) else ()
        if isinstance(read.mapping, RowsOfPeriod):
            window = table.batches.window(batch)
            if window is None:
                return ()
            known = self.event_times(read.table, read.mapping.event_time)
            # Where it is not known when what a batch tells of happened, it may be any time.
            return tuple(
                one
                for one in self.batches(read.table)
                if one not in known or known[one].in_window(table.batches, window)
            )
        return read.keys(batch, table.batches, self.batches(read.table))

    def made_by(self, read: Read, table: Table, batch: str) -> Sequence[str]:
        """The batches of a table that a batch of an input makes exist."""
        if isinstance(read.mapping, RowsOfPeriod):
            times = self.event_times(read.table, read.mapping.event_time).get(batch)
            if times is not None:
                return tuple(times.keys(table.batches))
        made = read.made_by(batch, table.batches)
        return () if made is None else (made,)

    def event_times(self, table: Table, column: str) -> Mapping[str, EventTimes]:
        """When what consumers see of a table's batches happened, as far as that is kept of what is published now."""
        key = table.id, column
        if key not in self._times:
            records = self.records(table.id)
            self._times[key] = {
                batch: kept.times
                for batch, kept in self._ledger.event_times.of(table.id, column).items()
                if batch in records and records[batch].snapshots.published == kept.snapshot
            }
        return self._times[key]

    def inputs(self, table: Table, batch: str) -> Inputs | None:
        """The snapshots that a batch would be made of now; ``None`` where something it needs is not there.

        What changes with every delivery of another batch (``*``) is not among them.
        """
        found: dict[TableId, dict[str, int]] = {}
        if isinstance(table, GatedTable):
            raw = self.record(table.id.raw, batch)
            if raw is None or raw.snapshots.raw is None:
                return None
            found[table.id.raw] = {batch: raw.snapshots.raw}
        for read in (*table.reads.values(), *table.references.values()):
            if isinstance(read.mapping, AllBatches) and read in table.references.values():
                continue
            keys = self.read(read, table, batch)
            if not keys and not read.mapping.optional:
                return None
            if keys:
                found.setdefault(read.table.id, {}).update({key: self.snapshot(read.table, key) for key in keys})
        return found

    def snapshot(self, table: Table, batch: str) -> int:
        """The snapshot that published a batch that is there."""
        record = self.record(table.id, batch)
        assert record is not None and record.snapshots.published is not None  # noqa: S101, PT018  # it is there
        return record.snapshots.published

    def needed(self, read: Read, table: Computed, batch: str) -> tuple[str, ...]:
        """The batches that a batch of a computed table reads of an input.

        Raises:
            UpstreamNotPublishedError: None is there, and it cannot do without.
        """
        keys = self.read(read, table, batch)
        if keys or read.mapping.optional:
            return keys
        raise self._not_there(read, batch)

    def _not_there(self, read: Read, batch: str) -> UpstreamNotPublishedError:
        source = read.table.id
        record = self.record(source, batch) if isinstance(read.mapping, SameBatch) else None
        if record is not None:
            reason = f": {record.reason}" if record.reason else ""
            what = f"batch {batch!r} of {source} is {record.state.replace('_', ' ')}{reason}"
        elif isinstance(read.mapping, SameBatch):
            what = f"batch {batch!r} of {source} was never delivered"
        else:
            what = f"nothing that batch {batch!r} reads of {source} is published"
        return UpstreamNotPublishedError(what, way_out=f"readiness status {source.domain}")

    def keys_of(self, table: Computed) -> Sequence[str]:
        """The batches that a computed table has, or would have, from old to new."""
        made = set(self.records(table.id))
        for read in table.reads.values():
            for batch in self.batches(read.table):
                made.update(self.made_by(read, table, batch))
        return in_order(table.batches, made)


def is_there(record: BatchRecord) -> bool:
    """Whether consumers see rows of a batch: of its last verdict, or what it published before a held one."""
    return record.snapshots.published is not None and (record.state.visible or record.state.keeps_older)


def without_moving(inputs: Inputs) -> Inputs:
    """Inputs without those that change with every delivery of another batch."""
    kept = {table: {b: s for b, s in batches.items() if b != ALL_BATCHES} for table, batches in inputs.items()}
    return {table: batches for table, batches in kept.items() if batches}


def fingerprint_of(inputs: Inputs) -> str:
    """Tells inputs from any others."""
    flat = sorted(
        (str(table), batch, snapshot) for table, batches in inputs.items() for batch, snapshot in batches.items()
    )
    return sha256(repr(flat).encode()).hexdigest()[:16]


def refs_of(inputs: Inputs) -> Iterator[BatchRef]:
    """The batches among inputs."""
    for table, batches in inputs.items():
        for batch in batches:
            yield BatchRef(table, batch)
