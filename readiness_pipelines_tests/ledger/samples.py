"""What ledger tests share: a table, a batch, a time, and records that add up."""

from datetime import UTC, datetime

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId

ORDERS = TableId("shop", "orders")
PAID = TableId("shop", "paid")
REF = BatchRef(ORDERS, "day_1")
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
COUNTS = {
    BatchState.OPEN: Counts(ingested=3, published=3),
    BatchState.SEALED: Counts(ingested=3),
    BatchState.INGESTED: Counts(ingested=3),
    BatchState.PUBLISHED: Counts(ingested=3, published=3),
    BatchState.PARTLY_PUBLISHED: Counts(ingested=3, published=2, quarantined=1),
    BatchState.HELD: Counts(ingested=3, quarantined=3),
    BatchState.EMPTY: Counts(),
    BatchState.DISCARDED: Counts(ingested=3, discarded=3),
}


def a_record(state: BatchState, ref: BatchRef = REF) -> BatchRecord:
    return BatchRecord(ref=ref, state=state, counts=COUNTS[state], updated_at=NOW)
