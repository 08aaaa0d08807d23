"""What is said of a batch that the ledger does not know."""

from collections.abc import Iterable

from readiness_pipelines.batches import BatchRef, Growing
from readiness_pipelines.commands import run_command
from readiness_pipelines.contracts import Table
from readiness_pipelines.errors import LedgerError, ReadinessError, UnknownNameError


def unknown_batch(table: Table, batch: str, known: Iterable[str]) -> ReadinessError:
    """The error for a batch that the ledger does not know.

    A batch that the table can have was never delivered; only a key that it cannot have is taken for a misspelling.
    """
    if not isinstance(table.batches.grid(), Growing) and table.batches.has(batch):
        ref = BatchRef(table.id, batch)
        return LedgerError(f"{ref} was never delivered", way_out=run_command(ref))
    return UnknownNameError(f"batch of {table.id}", batch, known)
