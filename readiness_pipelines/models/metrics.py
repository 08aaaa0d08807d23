"""Metrics of predictions against what happened, with weights, so that a bootstrap sample is a weighting of the rows."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from readiness_pipelines.errors import DeclarationError

Values = np.ndarray[Any, Any]
"""A number for each row."""

_NEARLY = 1e-15
"""A probability is held off 0 and 1 by so much: the log of 0 is no loss."""


def measure(metric: str, actual: Values, predicted: Values, weights: Values | None = None) -> float | None:
    """A metric of some rows.

    Args:
        metric: Its name.
        actual: What happened: 0 or 1 for those of classifiers.
        predicted: What was predicted.
        weights: How often each row counts; once where none are given.

    Returns:
        The metric; ``None`` where it has no value: without rows, or for ``auc`` with rows of one class only.
    """
    counts = np.ones(len(actual)) if weights is None else np.asarray(weights, dtype=np.float64)
    return _KNOWN[metric](actual, predicted, counts) if counts.sum() > 0 else None


def check_labels(actual: Values, metrics: tuple[str, ...], *, what: str) -> None:
    """Refuse labels that a metric cannot be measured on.

    Raises:
        DeclarationError: Labels other than 0 and 1, for a metric of classifiers.
    """
    if (binary := [name for name in metrics if name in _BINARY]) and not np.isin(actual, (0.0, 1.0)).all():
        raise DeclarationError(
            f"the label of {what} has other values than 0 and 1, which {binary[0]} is measured on",
            way_out="make it 0 and 1 in the labels' table, or measure rmse or mae",
        )


def _auc(actual: Values, predicted: Values, weights: Values) -> float | None:
    values, groups = np.unique(predicted, return_inverse=True)
    positive = np.bincount(groups, weights=weights * actual, minlength=len(values))
    negative = np.bincount(groups, weights=weights * (1 - actual), minlength=len(values))
    pairs = positive.sum() * negative.sum()
    if pairs == 0:
        return None
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / pairs)


def _accuracy(actual: Values, predicted: Values, weights: Values) -> float:
    return _mean((predicted >= 0.5) == (actual == 1), weights)  # noqa: PLR2004  # the likelier class


def _log_loss(actual: Values, predicted: Values, weights: Values) -> float:
    held = np.clip(predicted, _NEARLY, 1 - _NEARLY)
    return _mean(-(actual * np.log(held) + (1 - actual) * np.log(1 - held)), weights)


def _brier(actual: Values, predicted: Values, weights: Values) -> float:
    return _mean((predicted - actual) ** 2, weights)


def _rmse(actual: Values, predicted: Values, weights: Values) -> float:
    return float(np.sqrt(_brier(actual, predicted, weights)))


def _mae(actual: Values, predicted: Values, weights: Values) -> float:
    return _mean(np.abs(predicted - actual), weights)


def _mean(values: Values, weights: Values) -> float:
    return float((values * weights).sum() / weights.sum())


_BINARY = frozenset({"auc", "accuracy", "log_loss", "brier"})

_KNOWN: Mapping[str, Callable[[Values, Values, Values], float | None]] = {
    "auc": _auc,
    "accuracy": _accuracy,
    "log_loss": _log_loss,
    "brier": _brier,
    "rmse": _rmse,
    "mae": _mae,
}
