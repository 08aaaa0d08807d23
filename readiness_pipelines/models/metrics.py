"""Metrics of predictions against what happened, with weights, so that a bootstrap sample is a weighting of the rows."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from readiness_pipelines.errors import DeclarationError

Values = np.ndarray[Any, Any]
"""A number for each row."""

Measure = Callable[[Values], float | None]
"""From how often each row counts to a metric; ``None`` where it has no value."""

_NEARLY = 1e-15
"""A probability is held off 0 and 1 by so much: the log of 0 is no loss."""


def measure(metric: str, actual: Values, predicted: Values) -> float | None:
    """A metric of some rows; ``None`` where it has no value: without rows, for ``auc`` with one class, or past a float.

    Args:
        metric: Its name.
        actual: What happened: 0 or 1 for those of classifiers.
        predicted: What was predicted.
    """
    found = prepare(metric, actual, predicted)(np.ones(len(actual)))
    return found if found is not None and np.isfinite(found) else None  # JSON, and so the ledger, has no other


def prepare(metric: str, actual: Values, predicted: Values) -> Measure:
    """A metric of some rows, to be measured for many weightings of them; arguments as for `measure`."""
    return _KNOWN[metric](actual, predicted)


def check_labels(actual: Values, metrics: tuple[str, ...], *, what: str) -> None:
    """Refuse labels that a metric cannot be measured on.

    Raises:
        DeclarationError: Labels other than 0 and 1, for a metric of classifiers.
    """
    if (binary := [name for name in metrics if name in BINARY]) and not np.isin(actual, (0.0, 1.0)).all():
        raise DeclarationError(
            f"the label of {what} has other values than 0 and 1, which {binary[0]} is measured on",
            way_out="make it 0 and 1 in the labels' table, or measure rmse or mae",
        )


def _auc(actual: Values, predicted: Values) -> Measure:
    """The share of pairs of a positive and a negative row that are in the right order; equal ones count half."""
    values, groups = np.unique(predicted, return_inverse=True)

    def weighted(weights: Values) -> float | None:
        positive = np.bincount(groups, weights=weights * actual, minlength=len(values))
        negative = np.bincount(groups, weights=weights * (1 - actual), minlength=len(values))
        pairs = positive.sum() * negative.sum()
        below = np.cumsum(negative) - negative
        return float((positive * (below + negative / 2)).sum() / pairs) if pairs else None

    return weighted


def _accuracy(actual: Values, predicted: Values) -> Measure:
    return _mean((predicted >= 0.5) == (actual == 1))  # noqa: PLR2004  # the likelier class


def _log_loss(actual: Values, predicted: Values) -> Measure:
    held = np.clip(predicted, _NEARLY, 1 - _NEARLY)
    return _mean(-(actual * np.log(held) + (1 - actual) * np.log(1 - held)))


def _brier(actual: Values, predicted: Values) -> Measure:
    return _mean((predicted - actual) ** 2)


def _rmse(actual: Values, predicted: Values) -> Measure:
    squared = _brier(actual, predicted)

    def rooted(weights: Values) -> float | None:
        found = squared(weights)
        return None if found is None else float(np.sqrt(found))

    return rooted


def _mae(actual: Values, predicted: Values) -> Measure:
    return _mean(np.abs(predicted - actual))


def _mean(values: Values) -> Measure:
    def weighted(weights: Values) -> float | None:
        return float((values * weights).sum() / weights.sum()) if weights.sum() > 0 else None

    return weighted


BINARY = frozenset({"auc", "accuracy", "log_loss", "brier"})
"""The metrics of classifiers: their labels are 0 and 1."""

_KNOWN: Mapping[str, Callable[[Values, Values], Measure]] = {
    "auc": _auc,
    "accuracy": _accuracy,
    "log_loss": _log_loss,
    "brier": _brier,
    "rmse": _rmse,
    "mae": _mae,
}
