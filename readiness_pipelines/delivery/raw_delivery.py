"""Which delivery of a batch the raw rows are of: a row's number means another row in another one."""

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import GatedTable, Table
from readiness_pipelines.delivery.windows import is_streamed
from readiness_pipelines.ledger import BatchContents, Ledger

DELIVERY = "delivery"
"""Under which an entry of the trail that says ``ingested`` keeps what tells this delivery from others."""


def delivery_of(rows: BatchContents, before: BatchContents | None, ref: BatchRef, ledger: Ledger) -> str:
    """What tells raw rows that are committed now from those of another delivery: rows that came back are the same.

    By the rows, numbers and all, and not by the files that they were read from: those may be read otherwise now.

    Args:
        rows: What is committed.
        before: What was committed of the batch before; ``None`` where nothing was.
        ref: The batch of the raw table.
        ledger: The ledger, in which the delivery of `before` may have had another name: before an erasure took rows.
    """
    again = raw_delivery(ref, ledger) if before is not None and before.digest == rows.digest else None
    return again or rows.digest


def raw_delivery(ref: BatchRef, ledger: Ledger) -> str | None:
    """What tells the delivery of the raw rows that a batch has now from others; ``None`` where nothing was ingested.

    An erasure leaves all rows that stay their numbers, and is none. What an older program ingested is told by the
    number of its entry in the trail.

    Args:
        ref: The batch of the raw table.
        ledger: The ledger.
    """
    entries = [entry for entry in ledger.trail(ref=ref) if entry.what == "ingested"]
    return str(entries[-1].details.get(DELIVERY, entries[-1].id)) if entries else None


def numbered_delivery(table: Table, batch: str, ledger: Ledger) -> str | None:
    """What a decision that names rows of a batch by number is about.

    ``None`` where that is not known: a stream's rows are numbered by their offsets, which always mean the same message,
    and computed rows are numbered by what they are computed from.
    """
    if not isinstance(table, GatedTable) or is_streamed(table):
        return None
    return raw_delivery(BatchRef(table.id.raw, batch), ledger)
