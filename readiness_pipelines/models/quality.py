"""How good a batch's predictions are: measured once the labels are there, estimated before.

The estimate is NannyML's confidence-based performance estimation (CBPE; "How it works: performance estimation",
https://nannyml.readthedocs.io, and Kivimäki et al., Uncertainty, 2025): where a score is a calibrated probability, it
says by itself how often it will be right, so each row counts as both classes, by its probability. It sees what comes
of other inputs; it cannot see that the same inputs mean something else than they did (concept drift). That is seen
when the labels arrive.
"""

from dataclasses import dataclass

import numpy as np

from readiness_pipelines.contracts.models import METRICS
from readiness_pipelines.models.calibrating import Calibrator
from readiness_pipelines.models.drift_actions import DriftSign, DriftSubject
from readiness_pipelines.models.metrics import Values, measure, prepare

ESTIMATED = frozenset({"auc", "accuracy", "log_loss", "brier"})
"""The metrics that probabilities say something about."""

DRAWS = 200
DRAWN_ROWS = 10_000
"""The interval comes of so many rows; that of more is as much narrower as the root of their number."""

SEED = 20_260_101
LEAST_ROWS = 30
CONFIDENCE = 0.99
"""A batch whose interval leaves the holdout's value out is not by chance worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchQuality:
    """How good the predictions of a batch are.

    Attributes:
        batch: The batch.
        metric: The metric.
        rows: Rows it is of.
        value: The metric; ``None`` where it has no value: with too few rows, or rows of one class for ``auc``.
        low: What chance alone leaves below in half of a percent of such batches.
        high: The same, above.
        worthless: What a prediction that is the same for all rows would be; ``None`` with `value`.
        estimated: Whether no label was known.
    """

    batch: str
    metric: str
    rows: int
    value: float | None
    low: float | None = None
    high: float | None = None
    worthless: float | None = None
    estimated: bool = False


def measured_quality(batch: str, metric: str, actual: Values, predicted: Values) -> BatchQuality:
    """The metric of a batch whose labels are known, with the interval of a bootstrap."""
    value = measure(metric, actual, predicted) if len(actual) >= LEAST_ROWS else None
    if value is None:
        return BatchQuality(batch=batch, metric=metric, rows=len(actual), value=None)
    chosen, narrower = _chosen(len(actual))
    draw, rows = np.random.default_rng(SEED), len(chosen)
    weighted = prepare(metric, actual[chosen], predicted[chosen])
    drawn = [weighted(np.bincount(draw.integers(0, rows, rows), minlength=rows).astype(float)) for _ in range(DRAWS)]
    low, high = _interval(value, drawn, narrower)
    level = float(np.median(actual) if metric == "mae" else actual.mean())
    return BatchQuality(
        batch=batch,
        metric=metric,
        rows=len(actual),
        value=value,
        low=low,
        high=high,
        worthless=measure(metric, actual, np.full(len(actual), level)),
    )


def estimated_quality(batch: str, metric: str, scores: Values, calibrator: Calibrator) -> BatchQuality:
    """What the metric of a batch without labels will be, as far as its scores know.

    Args:
        batch: The batch.
        metric: One of `ESTIMATED`; of others there is no value.
        scores: What was predicted, from 0 to 1.
        calibrator: How scores become probabilities, by the holdout of the model that predicted.
    """
    if len(scores) < LEAST_ROWS or metric not in ESTIMATED:
        return BatchQuality(batch=batch, metric=metric, rows=len(scores), value=None, estimated=True)
    chances = calibrator(scores)
    value = expected(metric, scores, chances)
    chosen, narrower = _chosen(len(scores))
    draw = np.random.default_rng(SEED)
    drawn = [
        measure(metric, (draw.random(len(chosen)) < chances[chosen]).astype(float), scores[chosen])
        for _ in range(DRAWS)
    ]
    low, high = _interval(value, drawn, narrower) if value is not None else (None, None)
    return BatchQuality(
        batch=batch,
        metric=metric,
        rows=len(scores),
        value=value,
        low=low,
        high=high,
        worthless=expected(metric, np.full(len(scores), float(chances.mean())), chances),
        estimated=True,
    )


def expected(metric: str, scores: Values, chances: Values) -> float | None:
    """The metric that is to be expected where each row is of the class with its own chance."""
    match metric:
        case "accuracy":
            return float(np.where(scores >= 0.5, chances, 1 - chances).mean())  # noqa: PLR2004  # the likelier class
        case "brier":
            return float((chances * (1 - scores) ** 2 + (1 - chances) * scores**2).mean())
        case _:  # of these, a row that is a class in part counts in part
            return measure(metric, chances, scores)


def quality_sign(quality: BatchQuality, *, holdout: float | None, margin: float) -> DriftSign | None:
    """A batch's quality as a sign of drift: worse than the holdout's by more than the margin, and not by chance.

    Args:
        quality: The batch's.
        holdout: The holdout's metric; ``None`` where it has none.
        margin: How much worse is nothing to speak of, as for a promotion.
    """
    if quality.value is None or holdout is None or quality.low is None or quality.high is None:
        return None
    sign = 1 if METRICS[quality.metric] else -1
    best = quality.high if sign > 0 else quality.low
    worse = sign * (holdout - quality.value)
    if worse <= margin or sign * (holdout - best) <= 0:
        return None
    worth = sign * (holdout - quality.worthless) if quality.worthless is not None else 0.0
    return DriftSign(
        subject=DriftSubject.ESTIMATE if quality.estimated else DriftSubject.QUALITY,
        column=quality.metric,
        seen=f"{quality.metric} {quality.value:.4f} of {quality.rows:,} rows, {holdout:.4f} on the holdout",
        lost=min(1.0, worse / worth) if worth > 0 else 1.0,
    )


def _chosen(rows: int) -> tuple[Values, float]:
    """The rows that an interval is made of, and how much narrower that of all rows is."""
    if rows <= DRAWN_ROWS:
        return np.arange(rows), 1.0
    return np.random.default_rng(SEED).choice(rows, DRAWN_ROWS, replace=False), float(np.sqrt(DRAWN_ROWS / rows))


def _interval(value: float, drawn: list[float | None], narrower: float) -> tuple[float | None, float | None]:
    values = np.array([one for one in drawn if one is not None])
    if len(values) < DRAWS / 2:
        return None, None
    middle = float(values.mean())
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return value + (float(low) - middle) * narrower, value + (float(high) - middle) * narrower
