"""How far distributions are apart: population stability index, Jensen-Shannon, Kolmogorov-Smirnov."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from readiness_pipelines.observability.chances import chi_squared_above, divergence, kolmogorov_above

Shares = np.ndarray[Any, np.dtype[np.float64]]

BINS = 10
"""Numbers are compared in tenths of the baseline."""

EMPTY_BIN = 0.5
"""So many rows are taken to be in a bin that has none: the index of an empty bin would be infinite."""


def distances(seen: Shares, expected: Shares, *, ordered: bool) -> Mapping[str, Shares]:
    """Distances between two distributions, row by row.

    Args:
        seen: Shares by bin, one row for each distribution, none of them 0.
        expected: The same, one row for each or one for all.
        ordered: Whether the bins are ranges of numbers, in order.

    Returns:
        ``psi``, the sum of (seen - expected)·ln(seen / expected) in nats (Siddiqi, Credit Risk Scorecards, 2006: below
        0.1 stable, above 0.25 moved); ``js``, the Jensen-Shannon distance with logarithms of base 2: 0 the same, 1
        nothing in common; and of numbers ``ks``, the greatest difference of the shares up to a bin's edge
        (Kolmogorov-Smirnov).
    """
    psi = np.asarray((divergence(seen, expected) + divergence(expected, seen)).sum(axis=1))
    middle = (seen + expected) / 2
    apart = (divergence(seen, middle) + divergence(expected, middle)).sum(axis=1) / (2 * np.log(2))
    js = np.sqrt(np.maximum(apart, 0))  # of equal shares, rounding leaves it a hair below 0
    if not ordered:
        return {"psi": psi, "js": js}
    return {"psi": psi, "js": js, "ks": np.abs(np.cumsum(seen, axis=1) - np.cumsum(expected, axis=1)).max(axis=1)}


def by_chance(measure: str, value: float, *, rows: int, bins: int) -> float:
    """How probable so great a distance is where some rows are drawn from the expected distribution itself.

    The indices, times the rows, are distributed as chi-squared with one degree of freedom less than there are bins:
    ``psi`` as it is, ``js`` as 8·ln 2·js² (both to the second order of the differences). ``ks`` is Kolmogorov's.
    """
    freedom = max(1, bins - 1)
    match measure:
        case "psi":
            return chi_squared_above(value * rows, freedom)
        case "js":
            return chi_squared_above(8 * np.log(2) * value**2 * rows, freedom)
        case _:
            return kolmogorov_above(value * np.sqrt(rows))


def smoothed(counts: Shares) -> Shares:
    """Rows by bin as shares, row by row, none of them 0."""
    filled = np.maximum(counts, EMPTY_BIN)
    return np.asarray(filled / filled.sum(axis=1, keepdims=True))


def merged(quantiles: Sequence[Sequence[float]], rows: Sequence[int]) -> tuple[Shares, Shares]:
    """Several batches' quantiles as one distribution: values in order, and the share of rows up to each."""
    values = np.concatenate([np.asarray(one, dtype=float) for one in quantiles])
    weights = np.concatenate([np.full(len(one), count / len(one)) for one, count in zip(quantiles, rows, strict=True)])
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weights[order])
    return values[order], shares / shares[-1]


def edges_of(values: Shares, shares: Shares) -> Shares:
    """Inner bin edges: the tenths of a distribution, each once, where many values are the same."""
    places = np.searchsorted(shares, np.arange(1, BINS) / BINS)
    return np.unique(values[np.minimum(places, len(values) - 1)])


def share_up_to(quantiles: Sequence[float], points: Shares) -> Shares:
    """The share of a batch's rows that are at most each point."""
    return np.asarray(np.searchsorted(np.asarray(quantiles, dtype=float), points, side="right") / len(quantiles))


def binned(up_to: Shares) -> Shares:
    """Shares up to the inner edges as shares of the bins."""
    return np.diff(np.concatenate([[0.0], up_to, [1.0]]))


def central_range(quantiles: Sequence[Sequence[float]], rows: Sequence[int]) -> tuple[float, float]:
    """The 2nd and the 98th percentile of several batches together."""
    values, shares = merged(quantiles, rows)
    low, high = np.searchsorted(shares, [0.02, 0.98])
    last = len(values) - 1
    return float(values[min(low, last)]), float(values[min(high, last)])
