"""The shape that a source is known to have: what a batch's columns and types are compared with."""

from collections.abc import Mapping

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import GatedTable, Table
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import AUTOMATIC

FIRST_SEEN = "first seen"


def shape_in_force(table: Table, *, batch: str, installation: Installation) -> Mapping[str, str] | None:
    """The last shape that was accepted at a batch or before it, else the first; ``None`` where none ever was.

    A replayed old batch is compared with what its source looked like then.
    """
    if not isinstance(table, GatedTable):
        return None
    shapes = installation.ledger.shapes(table.id)
    if not shapes:
        return None
    order = table.batches.order
    before = [shape for shape in shapes if order(shape.batch) <= order(batch)]
    return (before[-1] if before else shapes[0]).columns


def learn_shape(
    table: Table, arrived: Mapping[str, str], *, ref: BatchRef, installation: Installation, run: Run
) -> None:
    """Take the shape of the first batch that was published for the source's."""
    if isinstance(table, GatedTable) and installation.ledger.accepted_shape(table.id) is None:
        installation.ledger.accept_shape(
            table.id, arrived, batch=ref.batch, who=AUTOMATIC, why=FIRST_SEEN, at=run.clock()
        )
