"""How unusual a number is, given the same number of earlier batches."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from readiness_pipelines.observability.chances import same_mean, t_above, t_bound

WEEKS = 3
"""A weekday must have been there so often before it is compared with itself."""

SEASON_LEVEL = 0.01
"""Below this p-value of a one-way analysis of variance, weekdays differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What a number was expected to be.

    Attributes:
        expected: The mean of the earlier ones; of the same weekday, where weekdays differ.
        low: What is seen less than once in ``1 / level`` batches lies below.
        high: The same, above.
        p: How probable a number as far from the mean is: Student's t for a new observation.
        weekday: Whether it was compared with its own weekday.
    """

    expected: float
    low: float
    high: float
    p: float
    weekday: bool

    def is_unusual(self, level: float) -> bool:
        """Whether so improbable a number is a finding."""
        return self.p < level


def usual(
    value: float,
    past: Sequence[float],
    *,
    level: float,
    least_deviation: float,
    weekday: int | None = None,
    weekdays: Sequence[int | None] = (),
) -> Usual:
    """Hold a number against earlier ones.

    Args:
        value: The number.
        past: At least two earlier ones.
        level: Bounds are drawn at this p-value.
        least_deviation: Numbers that never varied are taken to vary by so much.
        weekday: The batch's weekday; ``None`` where it has none.
        weekdays: Those of the earlier ones.
    """
    seen = np.asarray(past, dtype=float)
    groups = by_weekday(past, weekdays) if weekday is not None else {}
    seasonal = weekdays_differ(groups) and len(groups.get(weekday, ())) >= WEEKS
    if seasonal:
        same = np.asarray(groups[weekday])
        residuals = np.concatenate([np.asarray(group) - np.mean(group) for group in groups.values()])
        freedom = len(seen) - len(groups)
    else:
        same, residuals, freedom = seen, seen - seen.mean(), len(seen) - 1
    deviation = max(float(np.sqrt((residuals**2).sum() / freedom)), least_deviation) * np.sqrt(1 + 1 / len(same))
    expected = float(same.mean())
    bound = t_bound(level / 2, freedom) * deviation
    p = 2 * t_above(abs(value - expected) / deviation, freedom)
    return Usual(expected=expected, low=expected - bound, high=expected + bound, p=p, weekday=seasonal)


def by_weekday(past: Sequence[float], weekdays: Sequence[int | None]) -> dict[int | None, list[float]]:
    """Numbers by their weekday."""
    groups: dict[int | None, list[float]] = defaultdict(list)
    for value, day in zip(past, weekdays, strict=True):
        groups[day].append(value)
    return groups


def weekdays_differ(groups: dict[int | None, list[float]]) -> bool:
    """Whether weekdays differ, where most of them were there often enough to tell."""
    often = [group for group in groups.values() if len(group) >= WEEKS]
    if len(often) < 2 or len(often) < len(groups):  # noqa: PLR2004  # two groups make a comparison
        return False
    if all(np.ptp(group) == 0 for group in often):
        return len({group[0] for group in often}) > 1
    return same_mean(often) < SEASON_LEVEL
