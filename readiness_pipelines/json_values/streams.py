"""The processes that read streams, as JSON."""

from datetime import datetime
from typing import Any

from readiness_pipelines.ledger import ShardRecord


def shard_value(shard: ShardRecord) -> dict[str, Any]:
    """A process that reads a shard, as it was last heard of; times in UTC."""
    return {
        "table": str(shard.table),
        "shard": shard.shard,
        "state": shard.state.value,
        "holder": shard.holder,
        "epoch": shard.epoch,
        "began_at": shard.began_at.isoformat(),
        "heartbeat_at": shard.heartbeat_at.isoformat(),
        "ended_at": _time(shard.ended_at),
        "error": shard.error or None,
        "window": shard.window or None,
        "positions": {str(partition): offset for partition, offset in sorted(shard.positions.items())},
        "records": shard.records,
        "lag": shard.lag,
        "watermark": _time(shard.watermark),
        "paused_since": _time(shard.paused_since),
        "paused": shard.paused or None,
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
