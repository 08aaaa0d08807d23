"""Whether a column goes somewhere slowly: its mean, and its share of missing values and of each frequent value.

Each batch by itself is as usual, so none of them is a finding; several on the same side are.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from readiness_pipelines.observability.cusum import FIRST, CusumChart, Numbers, chart_of
from readiness_pipelines.observability.movement import Earlier, Measured, Moved
from readiness_pipelines.observability.profiles import ColumnKind, ColumnProfile
from readiness_pipelines.observability.usual import by_weekday, weekdays_differ

LEAST_EFFECT = 0.2
"""Means nearer to each other are no finding, however surely they differ: in deviations from row to row, Cohen's small
effect (Statistical Power Analysis for the Behavioral Sciences, 1988). Shares are compared by their angle, likewise."""

MOST_VALUES = 5
"""Of so many of a column's frequent values the shares are followed."""


def drifted_mean(name: str, column: ColumnProfile, past: Earlier) -> Iterator[Moved]:
    """Find numbers, or the lengths of texts, whose mean has been moving away."""
    columns = [*past.columns, column]
    rows = np.array([max(1, one.rows - one.nulls) for one in columns], dtype=float)
    means = np.array([_mean(one) for one in columns], dtype=float)
    spreads = np.array([one.deviation or 0.0 for one in columns])
    unit = float(max(np.abs(means).max(), spreads.max()))  # the square of a huge number is more than a float holds
    if not unit or not np.isfinite(unit):
        return
    means, spreads = means / unit, spreads / unit
    spread = float(np.sqrt(np.mean(spreads[:-1] ** 2)))
    if not spread:
        return  # all rows alike: whatever else comes is found as it comes
    found = _followed(means, np.maximum(spreads, spread) / np.sqrt(rows), past, least_effect=LEAST_EFFECT * spread)
    if found is not None and not _goes_on(means[: found[0].since]):
        chart, before = found
        of = "mean length" if column.kind is ColumnKind.TEXT else "mean"
        spelled = f"{of} {before * unit:.4g}", f"{of} {means[-1] * unit:.4g}"
        yield _moved(name, Measured.DRIFT, chart, spelled, len(columns))


def drifted_nulls(name: str, column: ColumnProfile, past: Earlier) -> Iterator[Moved]:
    """Find a share of missing values that has been moving away."""
    columns = [*past.columns, column]
    found = _drifted_share([one.null_ratio for one in columns], [max(1, one.rows) for one in columns], past)
    if found is not None:
        chart, before = found
        spelled = f"{before:.1%} missing", f"{column.null_ratio:.1%} missing"
        yield _moved(name, Measured.NULL_DRIFT, chart, spelled, len(columns))


def drifted_categories(name: str, column: ColumnProfile, past: Earlier) -> Iterator[Moved]:
    """Find the frequent value whose share has been moving away furthest."""
    columns = [*past.columns, column]
    rows = [one.rows - one.nulls for one in columns]
    totals: dict[str, int] = {}
    for one in past.columns:
        for value, count in one.top.items():
            totals[value] = totals.get(value, 0) + count
    followed = sorted(totals, key=lambda value: (-totals[value], value))[:MOST_VALUES]
    moved = []
    for value in followed:
        shares = [one.top.get(value, 0) / count for one, count in zip(columns, rows, strict=True)]
        found = _drifted_share(shares, rows, past)
        if found is not None:
            chart, before = found
            moved.append((chart, f"{value!r} {before:.1%}", f"{value!r} {shares[-1]:.1%}"))
    if moved:
        chart, promised, seen = max(moved, key=lambda one: one[0].score)
        yield _moved(name, Measured.DRIFT, chart, (promised, seen), len(columns))


def _drifted_share(shares: Sequence[float], rows: Sequence[int], past: Earlier) -> tuple[CusumChart, float] | None:
    """Shares as arcsine of their square root, whose deviation by chance is that of the rows alone."""
    angles = 2 * np.arcsin(np.sqrt(np.clip(shares, 0, 1)))
    found = _followed(angles, 1 / np.sqrt(np.array(rows, dtype=float)), past, least_effect=LEAST_EFFECT)
    return None if found is None else (found[0], float(np.sin(np.clip(found[1], 0, np.pi) / 2) ** 2))


def _followed(
    values: Numbers, least: Numbers, past: Earlier, *, least_effect: float
) -> tuple[CusumChart, float] | None:
    """The chart of some numbers that moved, without what weekdays make of them, and the mean before it grew."""
    level, residuals = _without_weekdays(values, past)
    before = np.cumsum(residuals)[FIRST - 1 : -1] / np.arange(FIRST, len(residuals))
    if not (np.abs(values[-1] - level - before) >= least_effect).any():
        return None  # wherever it began to move, it did not get far: nearly all columns of nearly all batches
    chart = chart_of([float(one) for one in residuals], [float(one) for one in least])
    if not chart.moved:
        return None
    usually = float(before[chart.since - FIRST])
    return (chart, level + usually) if abs(values[-1] - level - usually) >= least_effect else None


def _without_weekdays(values: Numbers, past: Earlier) -> tuple[float, Numbers]:
    """What is usual on the last number's weekday, and how far each number is from what is usual on its own."""
    earlier = [float(one) for one in values[:-1]]
    groups = by_weekday(earlier, past.weekdays) if past.weekday is not None else {}
    if past.weekday not in groups or not weekdays_differ(groups):
        level = float(np.mean(earlier))
        return level, values - level
    usually = {day: float(np.mean(group)) for day, group in groups.items()}
    # A number that its weekday's mean was made of is nearer to it than one that was not.
    own = [
        (value - usually[day]) * np.sqrt(len(groups[day]) / (len(groups[day]) - 1))
        for value, day in zip(earlier, past.weekdays, strict=True)
    ]
    here = len(groups[past.weekday])
    last = (float(values[-1]) - usually[past.weekday]) * np.sqrt(here / (here + 1))
    return usually[past.weekday], np.array([*own, last])


def _mean(column: ColumnProfile) -> float:
    """A column's mean; of a classified one, whose own is kept in two digits, that of its quantiles."""
    if column.kind is ColumnKind.NUMBER and column.minimum is None and column.quantiles:
        return float(np.mean(column.quantiles))
    return float("nan") if column.mean is None else column.mean


def _goes_on(values: Numbers) -> bool:
    """Whether numbers rose, or fell, from each to the next: counters and years do."""
    steps = np.sign(np.diff(values))
    return bool(steps[0] != 0 and (steps == steps[0]).all())


def _moved(name: str, measured: Measured, chart: CusumChart, spelled: tuple[str, str], batches: int) -> Moved:
    promised, seen = spelled
    side = "above" if chart.upwards else "below"
    return Moved(
        measured=measured,
        column=name,
        promised=f"{promised}, as in the batches until {batches - 1 - chart.since} before",
        seen=f"{seen}, {side} it in {batches - chart.since} batches (CUSUM {chart.score:.1f})",
        p=chart.chance,
        distances={"cusum": chart.score},
    )
