"""Scores as probabilities: what share of the rows with a score is of the class, by the holdout.

Two small ways, without a library. Isotonic: the rising steps that are nearest to the labels (pool adjacent violators;
Zadrozny and Elkan, KDD 2002). Platt: a logistic curve over the score's logit, with Platt's priors for the labels
(Advances in Large Margin Classifiers, 1999), for holdouts that are too small for steps.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from readiness_pipelines.models.metrics import Values

ENOUGH_FOR_STEPS = 1_000
"""With fewer rows of a holdout, steps follow its chance, and a curve of two parameters does better."""

_NEARLY = 1e-6
_ROUNDS, _STILL = 100, 1e-9
_LEAST_STEP, _FALL = 1e-10, 1e-4


class Calibrator(Protocol):
    """Scores in, probabilities out."""

    def __call__(self, scores: Values) -> Values:
        """The probability of the class for each score."""
        ...


@dataclass(frozen=True, slots=True)
class Steps:
    """A rising line through points; beyond them, the first and the last."""

    scores: Values
    probabilities: Values

    def __call__(self, scores: Values) -> Values:
        """The probability of the class for each score."""
        return np.interp(scores, self.scores, self.probabilities)


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over the logit of the score."""

    slope: float
    shift: float

    def __call__(self, scores: Values) -> Values:
        """The probability of the class for each score."""
        return _logistic(self.slope * _logit(scores) + self.shift)


def calibrated(scores: Values, actual: Values) -> Calibrator:
    """How to turn scores into probabilities, by rows whose labels are known.

    Args:
        scores: What was predicted, from 0 to 1.
        actual: What happened, 0 or 1; at least one row.
    """
    return isotonic(scores, actual) if len(scores) >= ENOUGH_FOR_STEPS else platt(scores, actual)


def isotonic(scores: Values, actual: Values) -> Steps:
    """The rising steps nearest to the labels; equal scores are one point."""
    values, places = np.unique(scores, return_inverse=True)
    weights = np.bincount(places).astype(float)
    means = np.bincount(places, weights=actual) / weights
    blocks: list[tuple[float, float, float]] = []  # mean, weight, weighted sum of scores
    for value, mean, weight in zip(values, means, weights, strict=True):
        block = (float(mean), float(weight), float(value * weight))
        while blocks and blocks[-1][0] >= block[0]:
            last = blocks.pop()
            heavy = last[1] + block[1]
            block = ((last[0] * last[1] + block[0] * block[1]) / heavy, heavy, last[2] + block[2])
        blocks.append(block)
    return Steps(
        scores=np.array([total / weight for _, weight, total in blocks]),
        probabilities=np.array([mean for mean, _, _ in blocks]),
    )


def platt(scores: Values, actual: Values) -> Curve:
    """The logistic curve of the greatest likelihood, by Newton's method."""
    positive = float(actual.sum())
    negative = len(actual) - positive
    wanted = np.where(actual == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    matrix = np.column_stack([_logit(scores), np.ones(len(scores))])
    weights = np.array([0.0, np.log((positive + 1) / (negative + 1))])

    def loss(at: Values) -> float:
        logits = matrix @ at
        return float((np.logaddexp(0, logits) - wanted * logits).sum())

    for _ in range(_ROUNDS):
        now = _logistic(matrix @ weights)
        slope = matrix.T @ (now - wanted)
        curve = (matrix * (now * (1 - now))[:, None]).T @ matrix + 1e-9 * np.eye(2)
        step, size, before = np.linalg.solve(curve, slope), 1.0, loss(weights)
        # Of scores that tell nearly all rows apart a whole step goes too far, and the next one further: to halve it
        # until the loss falls is from Lin, Lin and Weng (Machine Learning 68, 2007).
        while size > _LEAST_STEP and loss(weights - size * step) > before - _FALL * size * float(slope @ step):
            size /= 2
        weights = weights - size * step
        if np.abs(size * step).max() < _STILL:
            break
    return Curve(slope=float(weights[0]), shift=float(weights[1]))


def _logit(scores: Values) -> Values:
    held = np.clip(scores, _NEARLY, 1 - _NEARLY)
    return np.asarray(np.log(held / (1 - held)))


def _logistic(values: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -500, 500))))
