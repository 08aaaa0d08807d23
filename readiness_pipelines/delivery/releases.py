"""Releases with noise: drawn once, kept in the ledger, and paid from the product's budget."""

from collections.abc import Callable

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Computed
from readiness_pipelines.delivery.transform_facts import transform_facts
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.products.noise import NoisyMeasure, Release, mechanism


def release_of(table: Computed, *, batch: str, installation: Installation, run: Run | None) -> Release:
    """What gives the noisy counts of a batch: those that were released, or new ones where a run may draw them.

    Args:
        table: The KPI.
        batch: The batch.
        installation: Where the ledger is.
        run: The delivery; ``None`` where nothing is delivered, and nothing may be drawn: dry runs, proofs.
    """
    ref = BatchRef(table.id, batch)

    def release(measure: NoisyMeasure, count: Callable[[], tuple[int, int]]) -> tuple[int, int] | None:
        definition = {**measure.definition, "code": transform_facts(table)["code"]}
        kept = installation.ledger.released(ref, definition)
        if kept is None and run is not None:
            counts = count()  # before the ledger is held
            kept = installation.ledger.release(
                ref,
                definition=definition,
                epsilon=measure.epsilon,
                budget=measure.budget,
                draw=lambda: mechanism(measure)(counts),
                who=run.who,
                run_id=run.run_id,
                at=run.clock(),
            )
        return None if kept is None else (kept[0], kept[1])

    return release
