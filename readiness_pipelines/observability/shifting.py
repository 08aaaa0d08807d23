"""Whether what is in a column is distributed as in the batches before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from readiness_pipelines.observability.chances import binomial_above
from readiness_pipelines.observability.distances import (
    Shares,
    binned,
    by_chance,
    distances,
    edges_of,
    merged,
    share_up_to,
    smoothed,
)
from readiness_pipelines.observability.movement import Bar, Earlier, Measured, Moved
from readiness_pipelines.observability.profiles import ColumnProfile
from readiness_pipelines.observability.usual import usual

LEAST = {"psi": 0.1, "ks": 0.1, "js": 0.1}
"""Distances below are no finding, however seldom: nobody would act on them."""

LEAST_DEVIATION = 0.01
LEAST_NEW_SHARE = 0.01
LEAST_NEW_ROWS = 5
OTHER = "other"


def shifted_numbers(name: str, measured: Measured, column: ColumnProfile, past: Earlier) -> Iterator[Moved]:
    """Find a column of numbers, or the lengths of a column of text, spread as it never was."""
    edges = edges_of(*merged([one.quantiles for one in past.columns], past.rows))
    before = np.array([binned(share_up_to(one.quantiles, edges)) for one in past.columns])
    shift = _shift(binned(share_up_to(column.quantiles, edges)), before, column, past, ordered=True)
    if shift is not None:
        middle = float(np.median(column.quantiles))
        was = float(np.median([np.median(one.quantiles) for one in past.columns]))
        promised = f"median {was:.4g}, as in {len(past.columns)} batches before"
        yield _moved(name, measured, shift, _ranges(edges), (promised, f"median {middle:.4g}"))


def shifted_categories(name: str, column: ColumnProfile, past: Earlier) -> Iterator[Moved]:
    """Find values that were never there, and shares as they never were."""
    known = sorted({value for one in past.columns for value in one.top})
    yield from _new_values(name, column, past, known)
    before = np.array([_shares(one, known) for one in past.columns])
    shift = _shift(_shares(column, known), before, column, past, ordered=False)
    if shift is not None:
        labels = [*known, OTHER]
        most = int(np.abs(shift.seen - shift.expected).argmax())
        promised = f"{labels[most]!r} {shift.expected[most]:.1%}, as in {len(past.columns)} batches before"
        yield _moved(name, Measured.VALUES, shift, labels, (promised, f"{labels[most]!r} {shift.seen[most]:.1%}"))


@dataclass(frozen=True, slots=True)
class _Shift:
    seen: Shares
    expected: Shares
    distances: Mapping[str, float]
    p: float


def _shift(seen: Shares, before: Shares, column: ColumnProfile, past: Earlier, *, ordered: bool) -> _Shift | None:
    """The distances of a batch from all before it, where they are not what theirs are from each other.

    Each earlier batch is held against all others: that is how far two batches that are alike are apart, with the
    noise of batches of their size. That of its own size is what chance alone would make of so few rows.
    """
    counts = before * np.array(past.rows, dtype=float)[:, None]
    total = counts.sum(axis=0, keepdims=True)
    theirs = distances(smoothed(counts), smoothed(total - counts), ordered=ordered)
    own = distances(smoothed(seen[None, :] * _present(column)), smoothed(total), ordered=ordered)
    p = 0.0
    for measure, (value,) in own.items():
        # The square root of an index grows evenly with the distance; the other measures do so themselves.
        scale = np.sqrt if measure == "psi" else np.asarray
        found = usual(
            float(scale(value)),
            [float(one) for one in scale(theirs[measure])],
            level=past.level,
            least_deviation=LEAST_DEVIATION,
            weekday=past.weekday,
            weekdays=past.weekdays,
        )
        chance = by_chance(measure, float(value), rows=_present(column), bins=seen.size)
        p = max(p, found.p, chance)
        if value < LEAST[measure] or scale(value) < found.expected or p >= past.level:
            return None
    figures = {measure: float(value) for measure, (value,) in own.items()}
    return _Shift(seen=seen, expected=smoothed(total)[0], distances=figures, p=p)


def _new_values(name: str, column: ColumnProfile, past: Earlier, known: Sequence[str]) -> Iterator[Moved]:
    """Values that no batch before had, where all of theirs are known; three in all their rows could have been missed.

    The rule of three: what was not seen in N rows is, with 95 % confidence, less than 3/N of them.
    """
    new = {value: rows for value, rows in column.top.items() if value not in known}
    if not new or any(one.distinct != len(one.top) for one in past.columns):
        return
    present, counted = _present(column), sum(new.values())
    chance = binomial_above(counted - 1, present, min(1.0, 3 / sum(past.rows)))
    if counted >= max(LEAST_NEW_ROWS, LEAST_NEW_SHARE * present) and chance < past.level:
        shown = ", ".join(f"{value!r} {rows / present:.1%}" for value, rows in list(new.items())[:3])
        yield Moved(
            measured=Measured.NEW_VALUES,
            column=name,
            promised=f"one of the {len(known)} values of {len(past.columns)} batches before",
            seen=shown,
            p=chance,
        )


def _moved(name: str, measured: Measured, shift: _Shift, labels: Sequence[str], spellings: tuple[str, str]) -> Moved:
    figures = ", ".join(f"{measure.upper()} {value:.2f}" for measure, value in shift.distances.items())
    promised, seen = spellings
    bars = zip(labels, shift.seen, shift.expected, strict=True)
    return Moved(
        measured=measured,
        column=name,
        promised=promised,
        seen=f"{seen} ({figures})",
        p=shift.p,
        distances=shift.distances,
        histogram=tuple(Bar(label=label, seen=float(s), expected=float(e)) for label, s, e in bars),
    )


def _present(column: ColumnProfile) -> int:
    return column.rows - column.nulls


def _shares(column: ColumnProfile, known: Sequence[str]) -> Shares:
    present = _present(column)
    shares = [column.top.get(value, 0) / present for value in known]
    return np.array([*shares, max(0.0, 1 - sum(shares))])


def _ranges(edges: Shares) -> list[str]:
    shown = [f"{edge:.4g}" for edge in edges]
    return [
        f"≤ {shown[0]}",
        *(f"{low} – {high}" for low, high in pairwise(shown)),
        f"> {shown[-1]}",
    ]
