"""Streams: which process reads which shard of a table's topic, how far it is, and the windows that it has open.

The position of a stream is in its raw table, where it is set together with the rows. What is here says the same to
people and watchers, a moment later, and nothing is decided by it but who may begin.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.errors import LedgerBusyError, StreamFencedError
from readiness_pipelines.ledger import attempts, batches, trail
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.finding import FindingKind
from readiness_pipelines.ledger.findings import BatchFinding, replace_findings
from readiness_pipelines.ledger.keys import in_tables, is_table, table_of
from readiness_pipelines.ledger.records import BatchRecord
from readiness_pipelines.ledger.tables import STREAMS
from readiness_pipelines.names import TableId


class StreamState(StrEnum):
    """What became of a process that reads a shard: ``RUNNING``, or ``ENDED`` by itself, or ``FAILED``."""

    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"


GONE_AFTER = timedelta(days=1)
"""A process beats before it stages files, and names them in minutes: one that is silent for so long has none left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRecord:
    """A process that reads a shard of a stream, as it was last heard of.

    Attributes:
        table: The table.
        shard: The shard, as ``0/4``.
        epoch: Grows with each process that begins to read any shard of the table.
        holder: The process: run, host and number.
        state: What became of it.
        began_at: When it began, in UTC.
        heartbeat_at: When it was last heard of.
        ended_at: When it ended; ``None`` while it runs.
        error: What it ended with; "" where it ended by itself.
        window: The window that it adds to; "" before the first slice.
        positions: The offset of the next message, by partition.
        records: Messages that it has brought into raw since it began.
        lag: Messages of its partitions that it has not brought into raw yet; ``None`` where the broker did not say.
        watermark: The time up to which events have arrived, as far as their times tell; ``None`` where nobody knows.
        paused_since: Since when it takes no messages though it is there; ``None`` where it takes them.
        paused: Why it takes none; "" where it does.
    """

    table: TableId
    shard: str
    epoch: int
    holder: str
    state: StreamState
    began_at: datetime
    heartbeat_at: datetime
    ended_at: datetime | None = None
    error: str = ""
    window: str = ""
    positions: Mapping[int, int] = field(default_factory=dict)
    records: int = 0
    lag: int | None = None
    watermark: datetime | None = None
    paused_since: datetime | None = None
    paused: str = ""

    def silent_for(self, at: datetime) -> timedelta:
        """How long nothing was heard of it at a time; nothing where it has ended."""
        return at - self.heartbeat_at if self.state is StreamState.RUNNING else timedelta(0)


class Streams:
    """Who reads streams, and the windows that are open, over the ledger's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, table: TableId, shard: str, *, holder: str, at: datetime, silent_after: timedelta) -> int:
        """Take the lease of a shard; the epoch in which its process writes.

        Args:
            table: The table.
            shard: The shard, as ``0/4``.
            holder: The process that takes it.
            at: When, in UTC.
            silent_after: A process of which nothing was heard for so long has lost its lease.

        Raises:
            LedgerBusyError: Another process has it; names the process.
        """
        with self._database.writing() as connection:
            before = connection.execute(select(STREAMS).where(_is_shard(table, shard))).one_or_none()
            if before is not None:
                _check_free(_shard(before), holder, at, silent_after)
            newest = connection.execute(select(func.max(STREAMS.c.epoch)).where(is_table(STREAMS, table))).scalar()
            epoch = int(newest or 0) + 1
            values: dict[str, Any] = {
                "epoch": epoch,
                "holder": holder,
                "state": StreamState.RUNNING.value,
                "began_at": at,
                "heartbeat_at": at,
                "ended_at": None,
                "error": None,
                "positions": before.positions if before is not None else {},
                "records": 0,
                "paused_since": None,
                "paused": None,
            }
            if before is None:
                connection.execute(insert(STREAMS).values(table_name=str(table), shard=shard, **values))
            else:
                connection.execute(update(STREAMS).where(_is_shard(table, shard)).values(**values))
        return epoch

    def beat(
        self,
        table: TableId,
        shard: str,
        *,
        epoch: int,
        at: datetime,
        window: str,
        positions: Mapping[int, int],
        records: int,
        lag: int | None,
        watermark: datetime | None,
        paused_since: datetime | None = None,
        paused: str = "",
    ) -> None:
        """Say that a shard's process is there, and how far it is.

        Raises:
            StreamFencedError: Another process has taken the shard.
        """
        values = {
            "heartbeat_at": at,
            "open_window": window or None,
            "positions": {str(partition): offset for partition, offset in positions.items()},
            "records": records,
            "lag": lag,
            "watermark": watermark,
            "paused_since": paused_since if paused else None,
            "paused": paused or None,
        }
        with self._database.writing() as connection:
            mine = _is_shard(table, shard) & (STREAMS.c.epoch == epoch)
            if connection.execute(update(STREAMS).where(mine).values(**values)).rowcount == 0:
                raise StreamFencedError(
                    f"another process has taken shard {shard} of {table}", way_out="nothing is to be done: it goes on"
                )

    def end(self, table: TableId, shard: str, *, epoch: int, at: datetime, error: str = "") -> None:
        """Give a shard back, where it is still held in that epoch."""
        state = StreamState.FAILED if error else StreamState.ENDED
        mine = _is_shard(table, shard) & (STREAMS.c.epoch == epoch)
        with self._database.writing() as connection:
            values = {"state": state.value, "ended_at": at, "error": error or None}
            connection.execute(update(STREAMS).where(mine).values(**values))

    def shards(self, tables: Collection[TableId] | None = None) -> tuple[ShardRecord, ...]:
        """The processes that read, or last read, the shards of some tables (of all where none are given)."""
        query = select(STREAMS).order_by(STREAMS.c.table_name, STREAMS.c.shard)
        if tables is not None:
            query = query.where(in_tables(STREAMS, tables))
        with self._database.reading() as connection:
            return tuple(map(_shard, connection.execute(query)))

    def running(self, at: datetime, *, tables: Collection[TableId] | None = None) -> tuple[ShardRecord, ...]:
        """The processes that have not ended, as far as is known: each may have staged files since it was heard of.

        Without those that were not heard of for `GONE_AFTER`: of a machine that was lost, nobody says that they ended.

        Args:
            at: The time, in UTC.
            tables: The tables that they read; all where none are given.
        """
        shards = (shard for shard in self.shards(tables) if shard.state is StreamState.RUNNING)
        return tuple(shard for shard in shards if shard.silent_for(at) <= GONE_AFTER)

    def keep_open(self, records: Sequence[BatchRecord], *, who: str) -> None:
        """Note how far open windows are; the first note of each opens it, and is in the trail.

        What was sealed meanwhile stays as it is.
        """
        with self._database.writing() as connection:
            for record in records:
                batches.check_counts(record)
                before = batches.get_record(connection, record.ref)
                if before is not None and before.state is not BatchState.OPEN:
                    continue
                batches.move_batch(connection, record)
                if before is None:
                    details = {"record": batches.record_digest(record)}
                    at = record.updated_at
                    trail.append_entry(connection, record.ref, at=at, what="opened", who=who, why=None, details=details)

    def announce(
        self,
        ref: BatchRef,
        *,
        what: str,
        who: str,
        why: str,
        at: datetime,
        details: Mapping[str, Any],
        found: Mapping[FindingKind, Sequence[BatchFinding]] | None = None,
        attempt: str | None = None,
    ) -> None:
        """Append to the trail what is about to happen to a batch, and keep what is to be told of it, all or nothing.

        Raises:
            CommitConflictError: Another delivery of the batch has begun than the one that is given as `attempt`.
        """
        with self._database.writing() as connection:
            if attempt is not None:
                attempts.check_not_superseded(connection, ref, attempt)
            if found:
                replace_findings(connection, ref, found, at=at)
            trail.append_entry(connection, ref, at=at, what=what, who=who, why=why, details=details)


def _check_free(before: ShardRecord, holder: str, at: datetime, silent_after: timedelta) -> None:
    if before.state is not StreamState.RUNNING or before.holder == holder or before.silent_for(at) > silent_after:
        return
    raise LedgerBusyError(
        f"shard {before.shard} of {before.table} is read by {before.holder}, last heard of "
        f"{before.silent_for(at).total_seconds():.0f} s ago",
        way_out=f"end that process first; if it is gone, the shard is free {silent_after.total_seconds():.0f} s "
        "after it was last heard of",
    )


def _is_shard(table: TableId, shard: str) -> ColumnElement[bool]:
    return is_table(STREAMS, table) & (STREAMS.c.shard == shard)


def _shard(row: Any) -> ShardRecord:
    return ShardRecord(
        table=table_of(row),
        shard=row.shard,
        epoch=row.epoch,
        holder=row.holder,
        state=StreamState(row.state),
        began_at=row.began_at,
        heartbeat_at=row.heartbeat_at,
        ended_at=row.ended_at,
        error=row.error or "",
        window=row.open_window or "",
        positions={int(partition): offset for partition, offset in row.positions.items()},
        records=row.records or 0,
        lag=row.lag,
        watermark=row.watermark,
        paused_since=row.paused_since,
        paused=row.paused or "",
    )
