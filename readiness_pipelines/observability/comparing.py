"""Whether a batch is like the ones before it: in how many rows it has, and in what is in its columns."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from readiness_pipelines.observability.drifting import drifted_categories, drifted_mean, drifted_nulls
from readiness_pipelines.observability.movement import Comparison, Earlier, Measured, Moved, Past
from readiness_pipelines.observability.profiles import BatchProfile, ColumnKind, ColumnProfile
from readiness_pipelines.observability.shifting import shifted_categories, shifted_numbers
from readiness_pipelines.observability.usual import usual

LEVEL = 1e-4
"""One batch in so many that is like the others is taken for one that is not, whatever it is compared by."""

ENOUGH_BATCHES = 8
ENOUGH_DAYS = 14
"""Two weeks, so that every weekday was there."""

MOST_BATCHES = 56
"""A baseline reaches back so far: eight weeks of days. Further, and it would not follow what changes for good."""

LEAST_VOLUME_CHANGE = 0.2
LEAST_NULL_CHANGE = 0.01
KEY_SHARE = 0.9
"""Whole numbers of which so many are different name something: their distribution says nothing."""


def compare(
    batch: BatchProfile,
    past: Sequence[Past],
    *,
    weekday: int | None = None,
    level: float = LEVEL,
    restarts: Mapping[str | None, int] = MappingProxyType({}),
) -> Comparison:
    """Hold a batch against the batches before it.

    Args:
        batch: The batch.
        past: Earlier ones, oldest first, each with the columns in which it is unlike the others.
        weekday: The batch's weekday, where batches are days.
        level: How seldom a batch that is like the others may be found not to be.
        restarts: From which place of `past` on a column counts, or the rows (``None``): what was before is not normal
            any more.
    """
    needed = ENOUGH_BATCHES if weekday is None else ENOUGH_DAYS
    of_rows = _examples(None, past, restarts)
    expected, moved = None, []
    if len(of_rows) >= needed:
        volume, expected = _volume(batch, of_rows, weekday, level)
        moved = [volume] if volume else []
    for name, column in batch.columns.items() if batch.rows else ():
        since = _examples(name, past, restarts)
        there = [one for one in since if name in one.profile.columns and one.profile.rows]
        if len(there) >= needed:
            earlier = Earlier(
                columns=tuple(one.profile.columns[name] for one in there),
                weekdays=tuple(one.weekday for one in there),
                weekday=weekday,
                level=level / (3 * len(batch.columns)),
            )
            moved += _column(name, column, earlier)
    return Comparison(
        batches=min(len(past), MOST_BATCHES),
        needed=needed,
        expected_rows=expected,
        moved=tuple(sorted(moved, key=lambda one: one.p)),
    )


def _examples(column: str | None, past: Sequence[Past], restarts: Mapping[str | None, int]) -> Sequence[Past]:
    """The newest batches that are as others in a column, or in their rows."""
    return [one for one in past[restarts.get(column, 0) :] if column not in one.unlike][-MOST_BATCHES:]


def _volume(
    batch: BatchProfile, past: Sequence[Past], weekday: int | None, level: float
) -> tuple[Moved | None, tuple[float, float]]:
    """Rows in logarithms: what doubles is as far away as what halves."""
    found = usual(
        float(np.log1p(batch.rows)),
        [float(np.log1p(one.profile.rows)) for one in past],
        level=level,
        least_deviation=float(np.sqrt(0.05**2 + 1 / max(1.0, float(np.mean([one.profile.rows for one in past]))))),
        weekday=weekday,
        weekdays=[one.weekday for one in past],
    )
    bounds = (max(0.0, float(np.expm1(found.low))), float(np.expm1(found.high)))
    expected = float(np.expm1(found.expected))
    if not found.is_unusual(level) or abs(batch.rows - expected) < LEAST_VOLUME_CHANGE * expected:
        return None, bounds
    days = "on this weekday " if found.weekday else ""
    moved = Moved(
        measured=Measured.ROWS,
        column=None,
        promised=f"{expected:,.0f} rows {days}as in {len(past)} batches before ({bounds[0]:,.0f} to {bounds[1]:,.0f})",
        seen=f"{batch.rows:,} rows",
        p=found.p,
    )
    return moved, bounds


def _column(name: str, column: ColumnProfile, past: Earlier) -> Iterator[Moved]:
    """What is not as it was; and only where this batch by itself is, whether several have been going somewhere."""
    yield from list(_nulls(name, column, past)) or drifted_nulls(name, column, past)
    alike = past.only(column.kind)
    if column.has_distribution and len(alike.columns) >= ENOUGH_BATCHES:
        yield from list(_shifted(name, column, alike)) or _drifted(name, column, alike)


def _shifted(name: str, column: ColumnProfile, past: Earlier) -> Iterator[Moved]:
    match column.kind:
        case ColumnKind.NUMBER:
            if not _is_key(column, past):
                yield from shifted_numbers(name, Measured.VALUES, column, past)
        case ColumnKind.TEXT:
            yield from shifted_numbers(name, Measured.LENGTHS, column, past)
        case ColumnKind.CATEGORY:
            yield from shifted_categories(name, column, past)
        case ColumnKind.TIME:
            pass  # time goes on


def _drifted(name: str, column: ColumnProfile, past: Earlier) -> Iterator[Moved]:
    match column.kind:
        case ColumnKind.NUMBER | ColumnKind.TEXT:
            if column.kind is ColumnKind.TEXT or not _is_key(column, past):
                yield from drifted_mean(name, column, past)
        case ColumnKind.CATEGORY:
            yield from drifted_categories(name, column, past)
        case ColumnKind.TIME:
            pass


def _nulls(name: str, column: ColumnProfile, past: Earlier) -> Iterator[Moved]:
    """Shares as arcsine of their square root, which makes their deviation the same wherever they are."""
    found = usual(
        _angle(column.null_ratio),
        [_angle(one.null_ratio) for one in past.columns],
        level=past.level,
        least_deviation=float(np.sqrt(0.01**2 + 1 / (4 * column.rows))),
        weekday=past.weekday,
        weekdays=past.weekdays,
    )
    expected = float(np.sin(np.clip(found.expected, 0, np.pi / 2)) ** 2)
    if found.is_unusual(past.level) and abs(column.null_ratio - expected) >= LEAST_NULL_CHANGE:
        yield Moved(
            measured=Measured.NULLS,
            column=name,
            promised=f"{expected:.1%} missing, as in {len(past.columns)} batches before",
            seen=f"{column.null_ratio:.1%} missing",
            p=found.p,
        )


def _angle(share: float) -> float:
    return float(np.arcsin(np.sqrt(share)))


def _is_key(column: ColumnProfile, past: Earlier) -> bool:
    """Whether a column of whole numbers names something, in this batch or in the last."""

    def names(one: ColumnProfile) -> bool:
        present = one.rows - one.nulls
        # Between the least and the greatest, quantiles of whole numbers lie between two of them.
        return one.distinct >= KEY_SHARE * present and all(
            value.is_integer() for value in one.quantiles[:: len(one.quantiles) - 1 or 1]
        )

    return names(column) or names(past.columns[-1])
