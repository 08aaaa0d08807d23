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


_VERDICTS = frozenset(
    {
        BatchState.PUBLISHED,
        BatchState.PARTLY_PUBLISHED,
        BatchState.HELD,
        BatchState.EMPTY,
        BatchState.DISCARDED,
    }
)

MOVES: Mapping[BatchState | None, frozenset[BatchState]] = {
    # A batch first seen is ingested (raw tables) or judged at once (derived tables have no raw rows of their own).
    None: _VERDICTS - {BatchState.DISCARDED} | {BatchState.INGESTED},
    # A replay may end in any verdict, and new files start over. A discarded batch whose discarding was undone, too.
    **{state: _VERDICTS | {BatchState.INGESTED} for state in BatchState},
}
"""The states that may follow each state; ``None`` is a batch that the ledger has not seen."""
