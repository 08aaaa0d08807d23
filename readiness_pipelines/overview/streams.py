"""Streams that nobody reads any more, though somebody began to."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness_pipelines.batches import BatchState, Publication
from readiness_pipelines.commands import status_command, stream_command
from readiness_pipelines.contracts import Table, answers_for, products_of
from readiness_pipelines.durations import format_duration
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, Finding, FindingKind, Severity, ShardRecord, StreamState
from readiness_pipelines.names import TableId

SILENT_AFTER = timedelta(seconds=60)
"""A process that reads a shard says every few seconds that it is there."""

PAUSED_AFTER = timedelta(seconds=60)
"""A stream that takes no messages for longer is a finding: what waits grows."""


def stream_publications(
    tables: Mapping[TableId, Table], *, installation: Installation, now: datetime
) -> Mapping[TableId, Publication]:
    """What streams show of windows that are open, as far as their freshness goes; other tables have nothing here.

    While all its processes are there and nothing of the topic waits, a stream shows all that there is: it is as fresh
    as when one of them was last heard of, however old the newest event is; unless all rows of the open window wait in
    quarantine. Else it is as old as the watermark that is furthest behind.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    shards = _shards_by_table(tables, installation)
    if not shards:
        return {}
    windows: dict[TableId, BatchRecord] = {}
    for record in installation.ledger.batches(tables=list(shards), state=BatchState.OPEN):
        table, before = tables[record.ref.table], windows.get(record.ref.table)
        if before is None or table.batches.order(before.ref.batch) < table.batches.order(record.ref.batch):
            windows[table.id] = record
    found = {ident: _publication(tables[ident], some, windows.get(ident), now) for ident, some in shards.items()}
    return {ident: one for ident, one in found.items() if one is not None}


def _shards_by_table(
    tables: Collection[TableId], installation: Installation
) -> Mapping[TableId, Sequence[ShardRecord]]:
    """The shards of some tables' topics, as they are divided now."""
    shards: dict[TableId, list[ShardRecord]] = {}
    for shard in installation.ledger.streams.shards(tables):
        shards.setdefault(shard.table, []).append(shard)
    return {table: _current(some) for table, some in shards.items()}


def _current_shards(tables: Collection[TableId], installation: Installation) -> Iterator[ShardRecord]:
    return (shard for some in _shards_by_table(tables, installation).values() for shard in some)


def _current(shards: Sequence[ShardRecord]) -> Sequence[ShardRecord]:
    """The shards as the topic is divided now: those of before may have ended when it was divided otherwise."""
    # The division that was heard of last: another may have begun since, by mistake, and ended.
    parts = max(shards, key=lambda one: (one.heartbeat_at, one.began_at)).shard.partition("/")[2]
    return [one for one in shards if one.shard.partition("/")[2] == parts]


def _publication(
    table: Table, shards: Sequence[ShardRecord], window: BatchRecord | None, now: datetime
) -> Publication | None:
    batch = window.ref.batch if window is not None else table.batches.key_at(now)
    if batch is None:
        return None
    there = all(one.state is StreamState.RUNNING and one.silent_for(now) <= SILENT_AFTER for one in shards)
    whole = len(shards) == int(shards[0].shard.partition("/")[2])
    all_wait = window is not None and window.counts.quarantined > 0 and not window.counts.published
    newest: datetime | None
    paused = any(one.paused for one in shards)
    if there and whole and not all_wait and not paused and all(one.lag == 0 for one in shards):
        newest = min(one.heartbeat_at for one in shards)
    else:
        # No event is newer than when its process was last heard of: the clock of a sender may be ahead.
        known = (min(one.watermark, one.heartbeat_at) for one in shards if one.watermark is not None)
        newest = min(known, default=None)
    if newest is None:
        return None
    return Publication(batch=batch, first_at=window.updated_at if window is not None else newest, newest_event=newest)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStanding:
    """How a table's stream stands.

    Attributes:
        table: The table.
        shards: Its processes, as they were last heard of.
        windows: Its windows that are open, or held, by the ledger: from old to new.
        sealed: How many windows were sealed and judged.
    """

    table: Table
    shards: tuple[ShardRecord, ...]
    windows: tuple[BatchRecord, ...]
    sealed: int

    @property
    def open(self) -> tuple[BatchRecord, ...]:
        """The windows to which slices are still added, or that are to be sealed."""
        return tuple(one for one in self.windows if one.state is BatchState.OPEN)

    @property
    def held(self) -> tuple[BatchRecord, ...]:
        """The windows that wait for a decision."""
        return tuple(one for one in self.windows if one.state is BatchState.HELD)

    @property
    def lag(self) -> int | None:
        """Messages that are there and not in raw; ``None`` where a process did not say, or none reads it."""
        lags = [one.lag for one in self.shards]
        return sum(lag for lag in lags if lag is not None) if lags and None not in lags else None

    @property
    def watermark(self) -> datetime | None:
        """The time up to which events have arrived, of the shard that is furthest behind; ``None`` if unknown."""
        return min((one.watermark for one in self.shards if one.watermark is not None), default=None)

    @property
    def quarantined_share(self) -> float | None:
        """The share of the open windows' rows that wait; ``None`` where none was judged."""
        judged = sum(one.counts.ingested for one in self.open)
        return sum(one.counts.quarantined for one in self.open) / judged if judged else None


def stream_standings(tables: Iterable[Table], *, installation: Installation) -> tuple[StreamStanding, ...]:
    """How the streams among some tables stand: those that a process has begun to read.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    known = {table.id: table for table in tables}
    shards = _shards_by_table(known, installation)
    if not shards:
        return ()
    ledger = installation.ledger
    counted = ledger.counted_batches(list(shards))
    windows: dict[TableId, list[BatchRecord]] = {}
    for state in (BatchState.OPEN, BatchState.HELD):
        for record in ledger.batches(tables=list(shards), state=state):
            windows.setdefault(record.ref.table, []).append(record)
    found = []
    for ident, some in shards.items():
        order = known[ident].batches.order
        mine = sorted(windows.get(ident, ()), key=lambda one: order(one.ref.batch))
        sealed = sum(number for state, number in counted.get(ident, {}).items() if state.judged)
        found.append(StreamStanding(table=known[ident], shards=tuple(some), windows=tuple(mine), sealed=sealed))
    return tuple(found)


def paused_streams(tables: Collection[TableId], *, installation: Installation) -> Mapping[TableId, ShardRecord]:
    """The tables of which a process takes no messages though it is there, each with the one that waits the longest.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    found: dict[TableId, ShardRecord] = {}
    for shard in _current_shards(tables, installation):
        if shard.state is StreamState.RUNNING and shard.paused_since is not None:
            before = found.get(shard.table)
            if before is None or before.paused_since is None or shard.paused_since < before.paused_since:
                found[shard.table] = shard
    return found


def unread_streams(tables: Mapping[TableId, Table], *, installation: Installation, now: datetime) -> Iterator[Finding]:
    """The tables of which a shard's process is silent, ended with an error, or has paused for a while.

    What was ended on purpose is none, nor is a shard of before the topic was divided otherwise: others read it now.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    found: dict[TableId, list[tuple[datetime, str, ShardRecord]]] = {}
    paused: dict[TableId, ShardRecord] = {}
    for shard in _current_shards(tables, installation):
        if shard.state is StreamState.FAILED:
            error = next(iter(shard.error.splitlines()), "it broke")
            found.setdefault(shard.table, []).append((shard.ended_at or now, error, shard))
        elif shard.silent_for(now) > SILENT_AFTER:
            silent = format_duration(shard.silent_for(now))
            seen = f"shard {shard.shard} was last heard of {silent} ago ({shard.holder})"
            found.setdefault(shard.table, []).append((shard.heartbeat_at, seen, shard))
        elif shard.paused_since is not None and now - shard.paused_since > PAUSED_AFTER:
            paused.setdefault(shard.table, shard)
    for ident, shard in paused.items():
        if ident not in found:
            yield _paused(tables[ident], shard)
    for ident, shards in found.items():
        since, seen, first = min(shards, key=lambda one: one[0])
        yield Finding(
            table=ident,
            answers=answers_for(tables[ident]),
            at_risk=products_of(tables[ident]),
            kind=FindingKind.STREAM,
            severity=Severity.ERROR,
            batch=None,
            promised="the topic is read",
            seen=seen + (f", and {len(shards) - 1} more" if len(shards) > 1 else ""),
            since=since,
            details=tuple(text for _, text, _ in shards[1:]),
            way_out=stream_command(ident, first.shard),
        )


def pause_text(shard: ShardRecord) -> str:
    """Since when a shard is paused, why, and what waits, for people; "" where it is not."""
    if shard.paused_since is None:
        return ""
    waits = "" if shard.lag is None else f"; {shard.lag:,} messages wait"
    return f"paused since {shard.paused_since:%Y-%m-%d %H:%M} UTC because {shard.paused}{waits}"


def _paused(table: Table, shard: ShardRecord) -> Finding:
    assert shard.paused_since is not None  # noqa: S101  # whoever finds it has looked
    return Finding(
        table=table.id,
        answers=answers_for(table),
        at_risk=products_of(table),
        kind=FindingKind.STREAM,
        severity=Severity.WARN,
        batch=None,
        promised="the topic is read",
        seen=f"shard {shard.shard} is {pause_text(shard)}",
        since=shard.paused_since,
        way_out=status_command(table.id.domain),
    )
