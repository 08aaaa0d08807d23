"""What others find on the series of `alarms`: the rules of the field, on the same batches.

KS and chi-square with Bonferroni's correction; the population stability index alone; and Evidently's rule, written
anew from its documentation ("Data drift algorithm", "Data drift preset"), since the package is not needed for it: by
column, up to 1,000 reference rows a two-sample Kolmogorov-Smirnov or chi-square test at 0.05, beyond Wasserstein's
distance in standard deviations or Jensen-Shannon's at 0.1; the data set drifts where half of its columns do. None of
them looks at how many rows there are, or at missing values. Each has the rows of up to 56 batches before in which it
found nothing, 5,000 of them drawn.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

Values = np.ndarray[Any, Any]
Rows = Mapping[str, Values]

NUMBERS, CATEGORIES = ("score", "amount"), ("status",)
COLUMNS = (*NUMBERS, *CATEGORIES)
NEEDED, MOST = 14, 56
MOST_ROWS = 5_000
CODES = ("new", "paid", "shipped", "returned", "unknown")

LEVEL, SMALL_LEVEL, DISTANCE, INDEX = 1e-4, 0.05, 0.1, 0.2
SMALL = 1_000


def tests_with_bonferroni(now: Rows, before: Rows) -> bool:
    """KS of numbers and chi-square of categories, at 1e-4 over all columns."""
    return any(_chance(name, now, before) < LEVEL / len(COLUMNS) for name in COLUMNS)


def stability_index(now: Rows, before: Rows) -> bool:
    """The population stability index over 0.2, in tenths of the reference."""
    return any(_index(*_binned(name, now, before)) > INDEX for name in COLUMNS)


def evidently_by_column(now: Rows, before: Rows) -> bool:
    """Any column drifts, by a test of few reference rows, by a distance of many."""
    return any(_drifts(name, now, before) for name in COLUMNS)


def evidently_by_data_set(now: Rows, before: Rows) -> bool:
    """Half of the columns drift."""
    return sum(_drifts(name, now, before) for name in COLUMNS) >= len(COLUMNS) / 2


PEERS: Mapping[str, Callable[[Rows, Rows], bool]] = {
    "KS, chi-square, Bonferroni": tests_with_bonferroni,
    "PSI over 0.2": stability_index,
    "Evidently, a column": evidently_by_column,
    "Evidently, data set": evidently_by_data_set,
}


def found_by_peers(batches: list[pa.Table]) -> dict[str, list[int]]:
    """The days on which each of them finds something."""
    days = [{name: _values(rows, name) for name in COLUMNS} for rows in batches]
    found: dict[str, list[int]] = {peer: [] for peer in PEERS}
    for peer, finds in PEERS.items():
        past: list[Rows] = []
        for day, now in enumerate(days):
            if len(past) >= NEEDED and finds(now, _reference(past[-MOST:], day)):
                found[peer].append(day)
            else:
                past.append(now)
    return found


def _values(rows: pa.Table, name: str) -> Values:
    present = rows.column(name).drop_null()
    return np.asarray((pc.index_in(present, pa.array(CODES)) if name in CATEGORIES else present).to_numpy())


def _reference(past: list[Rows], day: int) -> Rows:
    chance = np.random.default_rng(day)
    joined = {name: np.concatenate([one[name] for one in past]) for name in COLUMNS}
    return {
        name: values if len(values) <= MOST_ROWS else values[chance.integers(0, len(values), MOST_ROWS)]
        for name, values in joined.items()
    }


def _chance(name: str, now: Rows, before: Rows) -> float:
    if name in NUMBERS:
        return float(ks_2samp(now[name], before[name], method="asymp").pvalue)
    return float(chi2_contingency(np.stack(_counted(now[name], before[name])) + 0.0).pvalue)


def _drifts(name: str, now: Rows, before: Rows) -> bool:
    if len(before[name]) <= SMALL:
        return _chance(name, now, before) < SMALL_LEVEL
    if name in NUMBERS:
        return bool(wasserstein_distance(now[name], before[name]) / max(before[name].std(), 0.001) >= DISTANCE)
    return bool(jensenshannon(*_counted(now[name], before[name]), base=2) >= DISTANCE)


def _counted(now: Values, before: Values) -> tuple[Values, Values]:
    seen, expected = (np.bincount(one, minlength=len(CODES)) for one in (now, before))
    there = (seen + expected) > 0
    return seen[there], expected[there]


def _binned(name: str, now: Rows, before: Rows) -> tuple[Values, Values]:
    if name in CATEGORIES:
        return _counted(now[name], before[name])
    edges = np.unique(np.quantile(before[name], np.linspace(0.1, 0.9, 9)))
    bins = len(edges) + 1
    return (
        np.bincount(np.searchsorted(edges, now[name]), minlength=bins),
        np.bincount(np.searchsorted(edges, before[name]), minlength=bins),
    )


def _index(now: Values, before: Values) -> float:
    seen, expected = (np.maximum(one, 0.5) / np.maximum(one, 0.5).sum() for one in (now, before))
    return float(((seen - expected) * np.log(seen / expected)).sum())
