"""The processes that read streams, as they were last heard of, and the windows of their tables."""

from collections.abc import Iterable

from readiness_pipelines.cli.output import say
from readiness_pipelines.contracts import Table
from readiness_pipelines.durations import format_duration
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ShardRecord, StreamState
from readiness_pipelines.overview import StreamStanding, pause_text, stream_standings

SHOWN_WINDOWS, SHOWN_PARTITIONS = 3, 8
"""So many windows of each state are named, and the positions of so many partitions."""


def say_shards(tables: Iterable[Table], installation: Installation) -> None:
    """A line for each shard of some tables: whether it is read, how far it is behind, and the window that is open."""
    for stream in stream_standings(tables, installation=installation):
        for shard in stream.shards:
            _say_shard(shard)


def say_streams(streams: Iterable[StreamStanding]) -> None:
    """How streams stand: their windows, then each shard with its position."""
    for stream in streams:
        say((str(stream.table.id), "bold"))
        for words, windows, style in (("open", stream.open, "cyan"), ("held", stream.held, "bold red")):
            for one in windows[-SHOWN_WINDOWS:]:
                counts = one.counts
                rows = f"{counts.ingested:,} judged, {counts.published:,} published, {counts.quarantined:,} wait"
                say("  window ", one.ref.batch, ": ", (words, style), f", {rows}")
                if one.reason:
                    say(f"    {one.reason}")
            if len(windows) > SHOWN_WINDOWS:
                say(f"  {len(windows) - SHOWN_WINDOWS:,} more windows are {words}")
        say(f"  {stream.sealed:,} windows sealed")
        for shard in stream.shards:
            _say_shard(shard)
            at = [f"{partition}: {offset:,}" for partition, offset in sorted(shard.positions.items())]
            more = f" and {len(at) - SHOWN_PARTITIONS} more" if len(at) > SHOWN_PARTITIONS else ""
            if at:
                say(f"    next offset by partition {', '.join(at[:SHOWN_PARTITIONS])}{more}")
            if shard.watermark is not None:
                say(f"    events up to {shard.watermark:%Y-%m-%d %H:%M:%S} UTC")


def _say_shard(shard: ShardRecord) -> None:
    now = Run().clock()
    lag = "" if shard.lag is None else f", {shard.lag:,} messages behind"
    if shard.state is StreamState.RUNNING:
        style = ""
        said = f"heard of {format_duration(now - shard.heartbeat_at)} ago, window {shard.window or 'none yet'}{lag}"
    else:
        style = "bold red" if shard.state is StreamState.FAILED else "dim"
        said = f"{(shard.ended_at or now):%Y-%m-%d %H:%M} UTC{lag} {next(iter(shard.error.splitlines()), '')}".strip()
    say(f"  stream {shard.table} {shard.shard}: ", (shard.state.value, style), f", {said}")
    if shard.state is StreamState.RUNNING and (paused := pause_text(shard)):
        say("    ", (paused, "bold red"))
