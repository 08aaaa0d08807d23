"""How probable a number is under the distributions that we compare with; SciPy is loaded when the first is asked for.

Its special functions are what its statistics are made of, and load in a tenth of the time: a run of one small batch,
and all that only reads, would pay for the rest.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np


def _special() -> Any:
    from scipy import special  # noqa: PLC0415  # whoever compares nothing does not load it

    return special


def t_above(value: float, freedom: float) -> float:
    """The chance of more than a value under Student's t."""
    return float(_special().stdtr(freedom, -value))


def t_bound(chance: float, freedom: float) -> float:
    """What is exceeded with that chance under Student's t."""
    return float(-_special().stdtrit(freedom, chance))


def chi_squared_above(value: float, freedom: float) -> float:
    """The chance of more than a value under chi-squared."""
    return float(_special().chdtrc(freedom, value))


def kolmogorov_above(value: float) -> float:
    """The chance of more than a value under Kolmogorov's limit: the two-sided difference, times the root of rows."""
    return float(_special().kolmogorov(value))


def binomial_above(count: int, trials: int, chance: float) -> float:
    """The chance of more than so many successes in independent trials."""
    return float(_special().bdtrc(count, trials, chance)) if count >= 0 else 1.0


def same_mean(groups: Sequence[Sequence[float]]) -> float:
    """The p-value of a one-way analysis of variance: how probable groups so different are where their means are one."""
    values = [np.asarray(group, dtype=float) for group in groups]
    everything = np.concatenate(values)
    # Around the mean of all: numbers that are large and near to each other lose no digits.
    middle = everything.mean()
    between = sum(len(group) * (group.mean() - middle) ** 2 for group in values)
    within = sum(((group - group.mean()) ** 2).sum() for group in values)
    freedom = len(values) - 1, len(everything) - len(values)
    if not within:
        return 0.0 if between else 1.0
    return float(_special().fdtrc(*freedom, (between / freedom[0]) / (within / freedom[1])))


def divergence(seen: Any, expected: Any) -> Any:
    """Seen·ln(seen / expected), element by element; 0 where nothing was seen."""
    return _special().rel_entr(seen, expected)


def as_normal(values: Any, freedom: Any) -> Any:
    """The normal deviates that are exceeded as often as some values under Student's t."""
    special = _special()
    # Of the lower tail: near 1, a chance has no digits left.
    return np.copysign(-special.ndtri(special.stdtr(freedom, -np.abs(values))), values)
