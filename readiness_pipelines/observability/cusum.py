"""A self-starting CUSUM: small changes that stay, found where each batch by itself is not unusual.

D. M. Hawkins, "Self-starting CUSUM charts for location and scale", The Statistician 36 (1987): each number is held
against the mean and the deviation of all that were before it, so that no first, surely normal part is needed. By
Student's t the distance becomes a standard normal one, independent of the others, and what is over `ALLOWANCE` is
summed up, in both directions; over `LIMIT`, the mean has moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from readiness_pipelines.observability.chances import as_normal

Numbers = np.ndarray[Any, np.dtype[np.float64]]

ALLOWANCE = 1.0
"""So much of each step is chance: half of the change that is to be found, in deviations from batch to batch (k)."""

LIMIT = 5.0
"""Over so much, the mean has moved (h): with `ALLOWANCE`, once in some 50,000 batches that are alike."""

MOST_STEP = 3.0
"""No batch counts for more, however far away it is: so no chart is over its limit for less than three batches."""

FIRST = 8
"""So many numbers are before the first that is judged: by fewer, the deviation is a guess."""


MOST_EXPONENT = 700.0
"""The exponential of more is more than a float holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CusumChart:
    """Where a chart stands after its last number.

    Attributes:
        score: The greater of both sums; over `LIMIT`, the mean has moved.
        upwards: Whether it is the sum of what was above the mean.
        since: The place of the number from which on it grew; the chart's length where it did not.
        rising: Whether the last number added to it.
    """

    score: float
    upwards: bool
    since: int
    rising: bool

    @property
    def moved(self) -> bool:
        """Whether the mean has moved, and the last number says so, too."""
        return self.rising and self.score > LIMIT

    @property
    def chance(self) -> float:
        """In what share of the batches a chart of batches that are alike goes over this score.

        One over the mean run length by D. Siegmund, Sequential Analysis (1985), for both directions together.
        """
        over = 2 * ALLOWANCE * (self.score + 1.166)
        return min(1.0, 4 * ALLOWANCE**2 / (np.expm1(over) - over)) if over < MOST_EXPONENT else 0.0


def chart_of(values: Sequence[float], least_deviations: Sequence[float]) -> CusumChart:
    """Follow numbers from the first to the last.

    Args:
        values: The numbers, oldest first.
        least_deviations: Of each, how far it is from the mean by the chance of its own rows alone: numbers that never
            varied are taken to vary by so much. None is 0.
    """
    high = low = last = 0.0
    since_high = since_low = len(values)
    for place, last in enumerate(_steps(np.asarray(values, dtype=float), np.asarray(least_deviations)), start=FIRST):
        high, low = max(0.0, high + last - ALLOWANCE), max(0.0, low - last - ALLOWANCE)
        since_high = min(since_high, place) if high else len(values)
        since_low = min(since_low, place) if low else len(values)
    upwards = high >= low
    return CusumChart(
        score=max(high, low),
        upwards=upwards,
        since=since_high if upwards else since_low,
        rising=(last if upwards else -last) > ALLOWANCE,
    )


def _steps(values: Numbers, least: Numbers) -> list[float]:
    """How far each number from the first judged on is from all before it, as a normal deviate, bounded."""
    if len(values) <= FIRST:
        return []
    counts = np.arange(FIRST, len(values))
    centred = values - values[:FIRST].mean()  # numbers that are large and near to each other lose no digits
    means = np.cumsum(centred)[FIRST - 1 : -1] / counts
    squares = np.cumsum(centred**2)[FIRST - 1 : -1]
    deviations = np.sqrt(np.maximum(squares - counts * means**2, 0) / (counts - 1))
    distances = (centred[FIRST:] - means) / (np.maximum(deviations, least[FIRST:]) * np.sqrt(1 + 1 / counts))
    return [float(one) for one in np.clip(as_normal(distances, counts - 1.0), -MOST_STEP, MOST_STEP)]
