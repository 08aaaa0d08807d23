"""The processes that read streams, as they were last heard of."""

from collections.abc import Iterable

from readiness_pipelines.cli.output import say
from readiness_pipelines.contracts import Table
from readiness_pipelines.durations import format_duration
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import StreamState


def say_shards(tables: Iterable[Table], installation: Installation) -> None:
    """A line for each shard of some tables: whether it is read, how far it is behind, and the window that is open."""
    now = Run().clock()
    for shard in installation.ledger.streams.shards({table.id for table in tables}):
        lag = "" if shard.lag is None else f", {shard.lag:,} messages behind"
        if shard.state is StreamState.RUNNING:
            style = ""
            said = f"heard of {format_duration(now - shard.heartbeat_at)} ago, window {shard.window or 'none yet'}{lag}"
        else:
            style = "bold red" if shard.state is StreamState.FAILED else "dim"
            said = (
                f"{(shard.ended_at or now):%Y-%m-%d %H:%M} UTC{lag} {next(iter(shard.error.splitlines()), '')}".strip()
            )
        say(f"  stream {shard.table} {shard.shard}: ", (shard.state.value, style), f", {said}")
