"""Metrics by the values of declared columns: whether a model is worse for some than for others."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from readiness_pipelines.contracts.classification import Classified
from readiness_pipelines.models.metrics import Values, measure

LEAST_ROWS = 30
"""Slices of fewer rows are counted, and not measured: of so few a metric says nothing, and perhaps too much."""

MOST_VALUES = 20
"""A column of numbers with more values is cut into quarters; of others, the rest is one slice."""

MISSING, OTHER = "missing", "other values"


def measure_slices(
    rows: pa.Table,
    actual: Values,
    predicted: Values,
    *,
    columns: Sequence[str],
    metrics: Sequence[str],
    classes: Mapping[str, Classified],
) -> Mapping[str, Any]:
    """Metrics by column and slice, as JSON; see `LEAST_ROWS`.

    Values of classified columns are not named: their slices are numbered, from the largest on.
    """
    return {
        column: list(_of_column(rows.column(column), actual, predicted, metrics, classes.get(column)))
        for column in columns
    }


def _of_column(
    column: pa.ChunkedArray, actual: Values, predicted: Values, metrics: Sequence[str], classified: Classified | None
) -> Iterator[Mapping[str, Any]]:
    labels = np.asarray(_labels(column), dtype=object)
    names, counts = np.unique(labels.astype(str), return_counts=True)
    order = sorted(zip(names, counts, strict=True), key=lambda one: (-one[1], one[0]))
    for number, (name, count) in enumerate(order, start=1):
        chosen = labels.astype(str) == name
        hidden = classified is not None and not classified.level.shown
        yield {
            "slice": f"group {number}" if hidden else str(name),
            "rows": int(count),
            "metrics": {
                metric: measure(metric, actual[chosen], predicted[chosen]) if count >= LEAST_ROWS else None
                for metric in metrics
            },
        }


def _labels(column: pa.ChunkedArray) -> list[str]:
    values = column.to_pylist()
    known = [value for value in values if value is not None]
    distinct = sorted(set(map(str, known)))
    if len(distinct) > MOST_VALUES and all(isinstance(value, int | float) for value in known):
        edges = np.quantile(np.asarray(known, dtype=np.float64), [0.25, 0.5, 0.75])
        names = (
            f"up to {edges[0]:g}",
            f"{edges[0]:g} to {edges[1]:g}",
            f"{edges[1]:g} to {edges[2]:g}",
            f"over {edges[2]:g}",
        )
        return [MISSING if value is None else names[int(np.searchsorted(edges, value))] for value in values]
    if len(distinct) > MOST_VALUES:
        counts: dict[str, int] = {}
        for value in map(str, known):
            counts[value] = counts.get(value, 0) + 1
        largest = set(sorted(counts, key=lambda value: (-counts[value], value))[: MOST_VALUES - 1])
        return [MISSING if value is None else str(value) if str(value) in largest else OTHER for value in values]
    return [MISSING if value is None else str(value) for value in values]
