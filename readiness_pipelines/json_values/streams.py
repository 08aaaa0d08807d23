"""The processes that read streams, as JSON."""

from datetime import datetime
from typing import Any

from readiness_pipelines.ledger import ShardRecord
from readiness_pipelines.streaming import Progress


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


def progress_value(progress: Progress, at: datetime) -> dict[str, Any]:
    """How far a process that reads a shard is, at a time; counts since it began, times in UTC."""
    judged = progress.published + progress.quarantined
    return {
        "time": at.isoformat(),
        "table": progress.table,
        "shard": progress.shard,
        "window": progress.window or None,
        "slices": progress.slices,
        "records": progress.records,
        "published": progress.published,
        "quarantined": progress.quarantined,
        "quarantined_share": progress.quarantined / judged if judged else None,
        "unreadable": progress.unreadable,
        "lag": progress.lag,
        "slice_seconds": round(progress.last_slice_seconds, 3),
        "published_within_p50": _seconds(progress.latencies.recent_quantile(0.5)),
        "published_within_p99": _seconds(progress.latencies.recent_quantile(0.99)),
        "watermark": _time(progress.watermark),
        "paused_since": _time(progress.paused_since),
        "paused": progress.paused or None,
    }


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
