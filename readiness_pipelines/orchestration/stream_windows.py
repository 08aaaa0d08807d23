"""Open windows of streams, in Dagster: an observation of a partition, at most once a minute.

A window is one of the table's partitions, and its seal an ordinary run. Slices are published without a run; what is
open, how far it is, and what its stream waits for would be seen nowhere else in Dagster.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from readiness_pipelines.contracts import Table
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.orchestration.keys import asset_key
from readiness_pipelines.overview import StreamStanding, pause_text, stream_standings

REPORTED_EVERY = timedelta(minutes=1)


def is_reported(last: str | None, now: datetime) -> bool:
    """Whether windows are to be reported now.

    Args:
        last: When they were reported last, as text; ``None`` where that is not known.
        now: The time.
    """
    try:
        before = datetime.fromisoformat(last) if last else None
    except ValueError:
        before = None
    if before is None or before.tzinfo is None:
        return True
    return now - before.astimezone(UTC) >= REPORTED_EVERY


def window_observations(tables: Iterable[Table], *, installation: Installation) -> Iterator[dg.AssetObservation]:
    """One for each open window of the streams among some tables.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    for stream in stream_standings(tables, installation=installation):
        for window in stream.open:
            yield dg.AssetObservation(
                asset_key=asset_key(stream.table.id),
                partition=window.ref.batch,
                description=f"open: {window.counts.ingested:,} rows so far",
                metadata=dict(_facts(stream, window)),
            )


def _facts(stream: StreamStanding, window: BatchRecord) -> Mapping[str, Any]:
    counts = window.counts
    facts: dict[str, Any] = {
        "readiness/state": "open",
        "readiness/ingested_rows": counts.ingested,
        "readiness/published_rows": counts.published,
        "readiness/quarantined_rows": counts.quarantined,
        "readiness/held_windows": len(stream.held),
        "readiness/shards": ", ".join(f"{one.shard} {one.state.value}" for one in stream.shards),
        "readiness/heard_of": dg.MetadataValue.timestamp(min(one.heartbeat_at for one in stream.shards)),
    }
    if stream.lag is not None:
        facts["readiness/lag"] = stream.lag
    if stream.watermark is not None:
        facts["readiness/watermark"] = dg.MetadataValue.timestamp(stream.watermark)
    if window.reason:
        facts["readiness/reason"] = window.reason
    paused = next((text for one in stream.shards if (text := pause_text(one))), "")
    if paused:
        facts["readiness/paused"] = paused
    return facts
