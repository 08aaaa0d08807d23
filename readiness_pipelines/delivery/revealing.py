"""A look of a person at values of classified columns: allowed with a reason, and kept in the trail."""

from collections.abc import Sequence

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.masking import Viewer

REVEALED = "classified values read"
"""What the trail calls it."""


def reveal(
    ref: BatchRef, *, columns: Sequence[str], rows: int, why: str, installation: Installation, run: Run
) -> Viewer:
    """Let somebody see values of classified columns. The trail has it before they see any.

    Args:
        ref: The batch.
        columns: The columns that are classified and looked at.
        rows: How many rows are looked at.
        why: The reason.
        installation: Where the ledger is.
        run: Who, and when.

    Returns:
        Who looks, with the right to see them.

    Raises:
        LedgerError: No reason, an unknown batch, or the ledger cannot be reached: then nothing is shown.
    """
    installation.ledger.note_look(
        ref, what=REVEALED, who=run.who, why=why, at=run.clock(), details={"columns": list(columns), "rows": rows}
    )
    return Viewer(run.who, reveals=True)
