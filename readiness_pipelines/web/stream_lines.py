"""Streams, as lines of a page: what is open and held, how far each is behind, and whether its processes are there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Table
from readiness_pipelines.ledger import ShardRecord, StreamState
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import StreamStanding, pause_text, stream_standings
from readiness_pipelines.overview.streams import SILENT_AFTER
from readiness_pipelines.web.site import Site

SHOWN_PARTITIONS = 16


@dataclass(frozen=True, slots=True)
class ShardLine:
    """A process that reads a shard: how it is, in a word; when it was last heard of; how far it is."""

    shard: str
    state: str
    heard_at: datetime
    lag: int | None
    watermark: datetime | None
    position: str
    why: str


@dataclass(frozen=True, slots=True)
class StreamLine:
    """A table's stream: its windows by state, its lag, and its processes."""

    table: TableId
    open: tuple[BatchRef, ...]
    held: tuple[BatchRef, ...]
    sealed: int
    rows: int
    waiting: str
    lag: int | None
    watermark: datetime | None
    shards: tuple[ShardLine, ...]

    @property
    def state(self) -> str:
        """The worst of its processes, in a word."""
        words = [one.state for one in self.shards]
        return next((word for word in ("failed", "silent", "paused", "ended") if word in words), "reading")

    @property
    def heard_at(self) -> datetime:
        """When the process was heard of that is silent for the longest."""
        return min(one.heard_at for one in self.shards)

    @property
    def why(self) -> str:
        """Why it does not read, of the first process that does not."""
        return next((one.why for one in self.shards if one.why), "")


def stream_lines(tables: Iterable[Table], site: Site) -> list[StreamLine]:
    """The streams among some tables, those with trouble first."""
    now = site.clock()
    lines = [_line(one, now) for one in stream_standings(tables, installation=site.installation)]
    return sorted(lines, key=lambda line: (line.state == "reading", str(line.table)))


def _line(stream: StreamStanding, now: datetime) -> StreamLine:
    share = stream.quarantined_share
    return StreamLine(
        table=stream.table.id,
        open=tuple(one.ref for one in stream.open),
        held=tuple(one.ref for one in stream.held),
        sealed=stream.sealed,
        rows=sum(one.counts.ingested for one in stream.open),
        waiting="" if share is None else f"{share:.2%}",
        lag=stream.lag,
        watermark=stream.watermark,
        shards=tuple(_shard(one, now) for one in stream.shards),
    )


def _shard(shard: ShardRecord, now: datetime) -> ShardLine:
    at = [f"{partition}: {offset:,}" for partition, offset in sorted(shard.positions.items())]
    more = [f"{len(at) - SHOWN_PARTITIONS} more"] if len(at) > SHOWN_PARTITIONS else []
    state, why = _state(shard, now)
    return ShardLine(
        shard=shard.shard,
        state=state,
        heard_at=shard.ended_at or shard.heartbeat_at,
        lag=shard.lag,
        watermark=shard.watermark,
        position=", ".join([*at[:SHOWN_PARTITIONS], *more]),
        why=why,
    )


def _state(shard: ShardRecord, now: datetime) -> tuple[str, str]:
    if shard.state is StreamState.FAILED:
        return "failed", next(iter(shard.error.splitlines()), "it broke")
    if shard.state is StreamState.ENDED:
        return "ended", ""
    if shard.silent_for(now) > SILENT_AFTER:
        return "silent", f"nothing was heard of it for a while ({shard.holder})"
    paused = pause_text(shard)
    return ("paused", paused) if paused else ("reading", "")
