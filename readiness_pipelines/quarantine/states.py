"""The states of a batch and the moves between them, written down in this one place."""

from collections.abc import Mapping
from enum import StrEnum


class BatchState(StrEnum):
    """What became of a batch of a table.

    ``INGESTED``: its raw rows are there and no gate has judged them. ``PUBLISHED``: every row is published.
    ``PARTLY_PUBLISHED``: some rows wait in quarantine. ``HELD``: nothing of it was published, all rows wait.
    ``EMPTY``: it has no rows. ``DISCARDED``: someone decided that it will never be published.
    """

    INGESTED = "ingested"
    PUBLISHED = "published"
    PARTLY_PUBLISHED = "partly_published"
    HELD = "held"
    EMPTY = "empty"
    DISCARDED = "discarded"


_VERDICTS = frozenset({BatchState.PUBLISHED, BatchState.PARTLY_PUBLISHED, BatchState.HELD, BatchState.EMPTY})

MOVES: Mapping[BatchState | None, frozenset[BatchState]] = {
    # A batch first seen is ingested (raw tables) or judged at once (derived tables have no raw rows of their own).
    None: _VERDICTS | {BatchState.INGESTED},
    BatchState.INGESTED: _VERDICTS | {BatchState.INGESTED, BatchState.DISCARDED},
    # A replay may end in any verdict; new files start over; what has published rows cannot be discarded as a whole.
    BatchState.PUBLISHED: _VERDICTS | {BatchState.INGESTED},
    BatchState.PARTLY_PUBLISHED: _VERDICTS | {BatchState.INGESTED},
    BatchState.HELD: _VERDICTS | {BatchState.INGESTED, BatchState.DISCARDED},
    BatchState.EMPTY: _VERDICTS | {BatchState.INGESTED, BatchState.DISCARDED},
    # Discarding is undone by a decision, which puts the batch back where it waited.
    BatchState.DISCARDED: frozenset({BatchState.INGESTED, BatchState.HELD}),
}
"""The states that may follow each state; ``None`` is a batch that the ledger has not seen."""
