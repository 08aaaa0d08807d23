"""Rules over what a profile tells: ranges, missing values, lists of values, variety, rows."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from readiness_pipelines.detection import personal_by_name
from readiness_pipelines.drafting.python_text import value_text
from readiness_pipelines.drafting.words import values_shown
from readiness_pipelines.gates.schema.rules import rule_name
from readiness_pipelines.observability import BatchProfile, ColumnKind, ColumnProfile

MOST_CHOICES = 20
_HIGH = 0.98
_SLACK = 0.1
_ROWS_SLACK = 0.25
_STEADY = 0.5

Into = Literal["schema", "rules"]


@dataclass(frozen=True, slots=True)
class ProfileRule:
    """A rule, and whether a batch of some profile breaks it.

    Attributes:
        into: Whether it is an argument of the schema's field, or one of the table's `rules`.
        text: It, as Python writes it.
        seen: What the batches have that it is made of, for people.
        breaks: Whether a batch breaks it.
        names: Names of rules that say it already.
    """

    into: Into
    text: str
    seen: str
    breaks: Callable[[BatchProfile], bool]
    names: tuple[str, ...] = ()


MakeRule = Callable[[Sequence[BatchProfile]], ProfileRule | None]
"""Makes a rule of the profiles of some batches; ``None`` where they suggest none."""


def makers(profiles: Sequence[BatchProfile], known: Collection[str] = ()) -> Iterator[tuple[str | None, MakeRule]]:
    """What makes each of the rules, with the column that it is about.

    Args:
        profiles: Those of the batches.
        known: Names of the rules that the gate has: of a range, only the end that it lacks is made.
    """
    yield None, _row_counts
    names = list(dict.fromkeys(name for profile in profiles for name in profile.columns))
    personal = personal_by_name(names)
    for name in names:
        yield name, _uniqueness(name)
        yield name, _range(name, known)
        yield name, _missing(name)
        if name not in personal:  # a list of values would be a list of persons
            yield name, _choices(name)
        yield name, _variety(name)


def _row_counts(profiles: Sequence[BatchProfile]) -> ProfileRule:
    rows = [profile.rows for profile in profiles]
    low, high = (int(bound) for bound in _bounds(rows, rows, whole=True, slack=_ROWS_SLACK))
    low = max(low, 1)
    return ProfileRule(
        "rules",
        f"row_count(at_least={low:_}, at_most={high:_})",
        f"{min(rows):,} to {max(rows):,} rows",
        lambda profile: not low <= profile.rows <= high,
        ("row_count",),
    )


def _columns(name: str, profiles: Sequence[BatchProfile]) -> list[ColumnProfile]:
    return [profile.columns[name] for profile in profiles if name in profile.columns]


def _of(name: str, breaks: Callable[[ColumnProfile], bool]) -> Callable[[BatchProfile], bool]:
    """A column that a batch does not have breaks nothing."""
    return lambda profile: name in profile.columns and breaks(profile.columns[name])


def _uniqueness(name: str) -> MakeRule:
    def make(profiles: Sequence[BatchProfile]) -> ProfileRule | None:
        columns = [one for one in _columns(name, profiles) if one.rows > 1]
        repeated = [one.distinct < one.rows - one.nulls for one in columns]
        usual = columns and sum(repeated) <= (1 - _HIGH) * len(columns)
        if any(one.kind is ColumnKind.NUMBER and not (one.minimum or 0.0).is_integer() for one in columns):
            return None  # measurements rarely repeat, and mean nothing by it
        if not usual or any(one.nulls for one in columns) or all(one.kind is ColumnKind.TIME for one in columns):
            return None
        breaks = _of(name, lambda one: one.distinct < one.rows - one.nulls)
        return ProfileRule("schema", "unique=True", "as many values as rows", breaks, (rule_name(name, "unique"),))

    return make


def _range(name: str, known: Collection[str]) -> MakeRule:
    has = {end for end, checks in _END_CHECKS.items() if any(rule_name(name, check) in known for check in checks)}

    def make(profiles: Sequence[BatchProfile]) -> ProfileRule | None:
        columns = [
            one
            for one in _columns(name, profiles)
            if one.kind is ColumnKind.NUMBER and one.minimum is not None and one.maximum is not None
        ]
        least, most = (
            [value for value in (getattr(one, end) for one in columns) if np.isfinite(value)] for end in _ENDS
        )
        if not least or not most or _grows(least, most) or len(has) == len(_ENDS):
            return None
        whole = all(float(value).is_integer() for value in (*least, *most))
        low, high = _bounds(least, most, whole=whole)
        seen = f"{min(least):,g} to {max(most):,g}"
        ends = {"minimum": f"ge={_number(low, whole)}", "maximum": f"le={_number(high, whole)}"}
        text = ", ".join(said for end, said in ends.items() if end not in has)
        low, high = -np.inf if "minimum" in has else low, np.inf if "maximum" in has else high
        breaks = _of(name, lambda one: (one.minimum or 0) < low or (one.maximum or 0) > high)
        return ProfileRule("schema", text, seen, breaks, (rule_name(name, "in_range"), rule_name(name, "isin")))

    return make


_ENDS = ("minimum", "maximum")
_END_CHECKS = {
    "minimum": ("greater_than_or_equal_to", "greater_than"),
    "maximum": ("less_than_or_equal_to", "less_than"),
}


def _grows(least: Sequence[float], most: Sequence[float]) -> bool:
    """Whether each batch begins where the one before ended: a running number, which has no range."""
    return (
        len(least) > 1 and all(low >= high for low, high in zip(least[1:], most, strict=False)) and most[-1] > most[0]
    )


def _missing(name: str) -> MakeRule:
    def make(profiles: Sequence[BatchProfile]) -> ProfileRule | None:
        shares = [one.null_ratio for one in _columns(name, profiles) if one.rows]
        if not shares:
            return None
        if _nearly_most(shares) == 0:
            breaks = _of(name, lambda one: one.nulls > 0)
            said = rule_name(name, "not_nullable"), rule_name(name, "null_share")
            return ProfileRule("schema", "nullable=False", f"at most {max(shares):.1%} missing", breaks, said)
        most = min(1.0, float(np.ceil(_nearly_most(shares) * (1 + _SLACK) * 100)) / 100)
        if most == 1:
            return None
        breaks = _of(name, lambda one: one.null_ratio > most)
        text = f"null_share({value_text(name)}, at_most={most:g})"
        seen = f"{min(shares):.1%} to {max(shares):.1%} missing"
        return ProfileRule(
            "rules", text, seen, breaks, (rule_name(name, "null_share"), rule_name(name, "not_nullable"))
        )

    return make


def _choices(name: str) -> MakeRule:
    def make(profiles: Sequence[BatchProfile]) -> ProfileRule | None:
        columns = [one for one in _columns(name, profiles) if one.rows > one.nulls]
        if not columns or any(not _is_whole(one) for one in columns):
            return None
        often: dict[str, int] = {}
        for one in columns:
            for value in one.top:
                often[value] = often.get(value, 0) + 1
        usual = sorted(value for value, count in often.items() if count > max(1, (1 - _HIGH) * len(columns)))
        if not 1 < len(usual) <= MOST_CHOICES or len(usual) >= sum(one.rows for one in columns) / 3:
            return None
        odd = sorted(set(often) - set(usual))
        seen = f"{len(usual)} values" + (f", and {values_shown(odd)} in single batches" if odd else "")
        breaks = _of(name, lambda one: not set(one.top) <= set(usual))
        return ProfileRule("schema", f"isin={value_text(usual)}", seen, breaks, (rule_name(name, "isin"),))

    return make


def _is_whole(column: ColumnProfile) -> bool:
    """Whether the most frequent values that are kept are all values."""
    return column.kind is ColumnKind.CATEGORY and len(column.top) >= column.distinct


def _variety(name: str) -> MakeRule:
    def make(profiles: Sequence[BatchProfile]) -> ProfileRule | None:
        columns = [one for one in _columns(name, profiles) if one.rows > one.nulls]
        counts = [one.distinct for one in columns]
        if not columns or any(one.kind is not ColumnKind.CATEGORY for one in columns):
            return None
        least = int(np.floor(-_nearly_most([-count for count in counts]) * (1 - _SLACK)))
        if least <= 1 or min(counts) < _STEADY * max(counts) or all(one.distinct == one.rows for one in columns):
            return None
        check = f"pa.Check(lambda _: nw.col({value_text(name)}).n_unique() >= {least}, native=False, "
        text = f"{check}name={value_text(f'{name}_distinct')})"
        breaks = _of(name, lambda one: one.distinct < least)
        return ProfileRule(
            "rules", text, f"{min(counts):,} to {max(counts):,} different values", breaks, (f"{name}_distinct",)
        )

    return make


def _bounds(
    least: Sequence[float], most: Sequence[float], *, whole: bool, slack: float = _SLACK
) -> tuple[float, float]:
    """About where nearly all batches were, and some of that further out, at round numbers, but not below 0.

    Where most batches end is an end already, and is kept.
    """
    low, high = -_nearly_most([-value for value in least]), _nearly_most(most)
    width = max(high - low, abs(high) * slack, 1 if whole else 0) or 1.0
    unit = 10.0 ** np.floor(np.log10(width * slack))
    unit = max(unit, 1.0) if whole else unit
    below, above = np.floor((low - slack * width) / unit) * unit, np.ceil((high + slack * width) / unit) * unit
    digits = int(max(0, -np.floor(np.log10(unit))))
    below, above = round(float(below), digits), round(float(above), digits)
    if low >= 0:
        below = max(0.0, below)
    return (
        low if list(least).count(low) > _STEADY * len(least) else below,
        high if list(most).count(high) > _STEADY * len(most) else above,
    )


def _nearly_most(values: Sequence[float]) -> float:
    """What nearly all of some values are not above: one batch that was out of the way widens no rule."""
    return float(np.quantile(values, _HIGH, method="lower"))


def _number(value: float, whole: bool) -> str:
    short = f"{value:g}"
    return f"{int(value):_}" if whole else short if float(short) == value and "e" not in short else repr(float(value))
