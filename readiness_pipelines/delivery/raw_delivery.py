"""Which delivery of a batch the raw rows are of: a row's number means another row in another one."""

import json
from collections.abc import Sequence
from hashlib import sha256

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import GatedTable, Origin, Table
from readiness_pipelines.delivery.windows import is_streamed
from readiness_pipelines.ledger import Ledger

DELIVERY = "delivery"
"""Under which an entry of the trail that says ``ingested`` keeps what tells this delivery from others."""


def delivery_of_content(origins: Sequence[Origin]) -> str:
    """What tells rows that were read from some origins from those of another content: what came back is the same."""
    content = [[origin.name, origin.fingerprint] for origin in origins]
    return sha256(json.dumps(content).encode()).hexdigest()[:16]


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
