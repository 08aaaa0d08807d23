"""Which batches of a plan are evaluated: all, or the newest and some spread over the rest."""

from collections.abc import Sequence

from readiness_pipelines.overview.plan import Plan, PlannedBatch

SAMPLE = 20
"""So many batches of each table are evaluated, unless it is said otherwise."""


def sample(plan: Plan, size: int | None) -> tuple[PlannedBatch, ...]:
    """Some batches of each table of a plan: half of them the newest, the others evenly spread over those before.

    Args:
        plan: The plan.
        size: How many of each table; ``None`` for all.
    """
    return tuple(one for table in plan.tables for one in _spread(table.batches, size))


def _spread(batches: Sequence[PlannedBatch], size: int | None) -> Sequence[PlannedBatch]:
    if size is None or len(batches) <= size:
        return batches
    newest = (size + 1) // 2
    older, wanted = batches[:-newest], size - newest
    # From the oldest one on: the first of each of so many equal parts.
    return [*(older[place * len(older) // wanted] for place in range(wanted)), *batches[-newest:]]
