"""What came of bringing a batch into its raw table."""

from dataclasses import dataclass

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What was ingested of a batch.

    Attributes:
        ref: The batch of the raw table.
        rows: Rows, those that could not be parsed and those of erased persons among them.
        unreadable_rows: Rows that could not be parsed; kept as their raw text.
        origins: What they came from.
        columns: The columns that arrived.
        snapshot_id: Snapshot of the raw table that holds them.
        unchanged: Whether the same content had been ingested before, so that nothing was written.
    """

    ref: BatchRef
    rows: int
    unreadable_rows: int
    origins: tuple[Origin, ...]
    columns: tuple[str, ...]
    snapshot_id: int
    unchanged: bool
