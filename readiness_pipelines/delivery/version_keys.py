"""Under which key a version is delivered that has no name of its own: by its time, and in force as long as it is there.

The time of files may be older than that of the version before: one that was put back, restored from a backup, or sent
with the sender's times. What is there now is in force all the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from readiness_pipelines.batches import VERSION_KEY
from readiness_pipelines.contracts import Arrival, GatedTable, RawBatch
from readiness_pipelines.ledger import BatchRecord

_STEP = timedelta(seconds=1)
"""Keys tell seconds."""


def newest_raw(table: GatedTable, records: Iterable[BatchRecord]) -> BatchRecord | None:
    """Of the batches of a raw table the newest; ``None`` where there are none."""
    return max(records, key=lambda record: table.batches.order(record.ref.batch), default=None)


def key_of(table: GatedTable, arrival: Arrival, newest: BatchRecord | None) -> str:
    """The key under which an arrival is delivered, or was.

    It is the same at each look, so that nobody is asked twice to deliver it: after the newest version, and not before
    the arrival came to be where it is.

    Args:
        table: The table.
        arrival: What its source has now.
        newest: The newest batch of its raw table; ``None`` where there is none.
    """
    if arrival.put_at is None or newest is None:
        return arrival.batch
    if newest.arrival == arrival.fingerprint:
        return newest.ref.batch
    if table.batches.order(arrival.batch) >= table.batches.order(newest.ref.batch):
        return arrival.batch
    begun, _ = table.batches.order(newest.ref.batch)  # of versions, when it is in force from
    return max(arrival.put_at, datetime.fromtimestamp(begun, UTC) + _STEP).strftime(VERSION_KEY)


def with_key(found: RawBatch, batch: str) -> RawBatch:
    """The same rows as those of a batch of another key."""

    def rows() -> Iterator[pa.RecordBatch]:
        schema = found.rows.schema
        place = schema.get_field_index("_batch")
        for part in found.rows:
            key = pa.repeat(pa.scalar(batch, schema.field(place).type), part.num_rows)
            yield part.set_column(place, schema.field(place), key)

    return replace(found, rows=pa.RecordBatchReader.from_batches(found.rows.schema, rows()))
