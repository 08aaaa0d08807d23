"""Streams that nobody reads any more, though somebody began to."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from readiness_pipelines.commands import stream_command
from readiness_pipelines.contracts import Table, answers_for, products_of
from readiness_pipelines.durations import format_duration
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import Finding, FindingKind, Severity, ShardRecord, StreamState
from readiness_pipelines.names import TableId

SILENT_AFTER = timedelta(seconds=60)
"""A process that reads a shard says every few seconds that it is there."""


def unread_streams(tables: Mapping[TableId, Table], *, installation: Installation, now: datetime) -> Iterator[Finding]:
    """The tables of which a shard's process is silent, or ended with an error; what was ended on purpose is none.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    found: dict[TableId, list[tuple[datetime, str, ShardRecord]]] = {}
    for shard in installation.ledger.streams.shards(tables):
        if shard.state is StreamState.FAILED:
            error = next(iter(shard.error.splitlines()), "it broke")
            found.setdefault(shard.table, []).append((shard.ended_at or now, error, shard))
        elif shard.silent_for(now) > SILENT_AFTER:
            silent = format_duration(shard.silent_for(now))
            seen = f"shard {shard.shard} was last heard of {silent} ago ({shard.holder})"
            found.setdefault(shard.table, []).append((shard.heartbeat_at, seen, shard))
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
