"""Rules that the values of a column suggest: bounds, lists of values, patterns, lengths."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

import pyarrow as pa

from readiness_pipelines.detection import words_of
from readiness_pipelines.drafting.columns import ColumnDraft
from readiness_pipelines.drafting.words import rows_shown, values_shown

MOST_CHOICES = 20
_ROWS_A_CHOICE = 3
_LOOKS_LIKE = 0.7
_RARE = 0.005
_NEGATIVE = 0.01
_FITS = 0.98
_FEW = 10
_MOST_SCALE = 19

_BOUNDS: tuple[tuple[frozenset[str], float, float, str], ...] = (
    (frozenset({"lat", "latitude", "breitengrad"}), -90, 90, "degrees of latitude"),
    (frozenset({"lon", "lng", "long", "longitude", "längengrad"}), -180, 180, "degrees of longitude"),
    (frozenset({"month", "monat"}), 1, 12, "months"),
    (frozenset({"hour", "stunde"}), 0, 23, "hours of a day"),
    (frozenset({"year", "jahr"}), 1900, 2100, "years"),
    (frozenset({"percent", "pct", "prozent", "percentage"}), 0, 100, "percent"),
    (frozenset({"ratio", "share", "rate", "probability", "anteil"}), 0, 1, "shares"),
    (frozenset({"age", "alter"}), 0, 130, "years of a life"),
)
_MAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """A check of a column.

    Attributes:
        argument: The argument of `pandera.Field`.
        value: Its value.
        note: Why, for people.
    """

    argument: str
    value: Any
    note: str = ""


def draft_rules(column: ColumnDraft, values: Mapping[Any, int]) -> tuple[RuleDraft, ...]:
    """Rules that most values keep.

    Args:
        column: The column.
        values: Its values as they would be published, with how many rows have each.
    """
    if not values:
        return ()
    kind = column.reading.type
    if pa.types.is_string(kind):
        return _of_texts(column, values)
    if pa.types.is_decimal(kind) and kind.scale > _MOST_SCALE:
        return ()  # Pandera cannot compare so many digits with a whole number
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _of_numbers(column, {value: count for value, count in values.items() if value == value})  # noqa: PLR0124  # no NaN
    return ()


def span(column: ColumnDraft, values: Mapping[Any, int]) -> str:
    """From which value to which; "" where that says nothing, or is about persons."""
    kind = column.reading.type
    spread = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if column.personal or not (spread or pa.types.is_temporal(kind)):
        return ""
    plain = [value for value in values if value == value]  # noqa: PLR0124  # no NaN
    if not plain:
        return ""
    reaches = f"{_shown(min(plain))} to {_shown(max(plain))}"
    negative = {value for value in plain if spread and value < 0}
    if len(negative) == 1 and values[(odd := negative.pop())] > 1 and -odd > max(plain) / 10 and len(plain) > _FEW:
        return f"{reaches}; {_shown(odd)}, in {rows_shown(values[odd])}, may mean that there is no value"
    return reaches


def _shown(value: Any) -> str:
    return (
        f"{value:,g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int | Decimal) else str(value)
    )


def _of_numbers(column: ColumnDraft, values: Mapping[Any, int]) -> tuple[RuleDraft, ...]:
    if not values:
        return ()
    rows = sum(values.values())
    if set(values) == {0, 1}:
        return (RuleDraft(argument="isin", value=[0, 1]),)
    words = set(words_of(column.names.arrived))
    for names, low, high, what in _BOUNDS:
        within = sum(count for value, count in values.items() if low <= value <= high)
        if words & names and within >= _FITS * rows:
            return (RuleDraft(argument="ge", value=low), RuleDraft(argument="le", value=high, note=what))
    negative = sum(count for value, count in values.items() if value < 0)
    return (RuleDraft(argument="ge", value=0),) if negative <= _NEGATIVE * rows else ()


def _of_texts(column: ColumnDraft, values: Mapping[str, int]) -> tuple[RuleDraft, ...]:
    rows = sum(values.values())
    if column.personal:
        mails = sum(count for value, count in values.items() if re.fullmatch(_MAIL[1:-1], value))
        return (RuleDraft(argument="str_matches", value=_MAIL),) if mails >= 0.95 * rows else ()
    if all(value[:1] in ("[", "{") for value in values):
        return ()  # values inside values, as JSON
    if len(values) > 1 and (choices := _choices(values, rows)):
        return choices
    if rows < _FEW or len(values) < _FEW / 2:
        return ()
    if (pattern := _pattern(values, rows)) is not None:
        return (RuleDraft(argument="str_matches", value=pattern),)
    (length, often), *others = Counter(map(len, values)).most_common()
    if not others and often > 1 and length > 1:
        return (RuleDraft(argument="str_length", value={"min_value": length, "max_value": length}),)
    return ()


def _choices(values: Mapping[str, int], rows: int) -> tuple[RuleDraft, ...]:
    rare = {value for value, count in values.items() if count <= max(1, _RARE * rows)} if rows > _FEW * 5 else set()
    frequent = [value for value in values if value not in rare]
    if len(frequent) > MOST_CHOICES or len(rare) > MOST_CHOICES:
        return ()
    odd = {value: other for value in rare if (other := _like(value, frequent))}
    kept = [value for value in values if value not in odd]
    if not 1 < len(kept) <= MOST_CHOICES or rows < _ROWS_A_CHOICE * len(kept):
        return ()
    notes = [
        f"{value!r} in {rows_shown(values[value])} looks like {other!r}" for value, other in sorted(odd.items())[:3]
    ]
    return (RuleDraft(argument="isin", value=sorted(kept), note="; ".join(notes)),)


def _like(value: str, others: Sequence[str]) -> str | None:
    """The frequent value that a rare one is nearly, if there is one."""
    if any(letter.isdigit() for letter in value):
        return None  # 10-20 and 10-30 are no typing errors
    return next(
        (one for one in others if SequenceMatcher(None, value.lower(), one.lower()).ratio() > _LOOKS_LIKE), None
    )


def _pattern(values: Mapping[str, int], rows: int) -> str | None:
    """The shape that nearly all values have, where it is more than words: digits and signs at fixed places."""
    shapes: Counter[tuple[tuple[str, int], ...]] = Counter()
    for value, count in values.items():
        shapes[_shape(value)] += count
    shape, often = shapes.most_common(1)[0]
    if often < _FITS * rows or not any(part == r"\d" for part, _ in shape):
        return None
    return f"^{''.join(part if count == 1 else f'{part}{{{count}}}' for part, count in shape)}$"


def _shape(value: str) -> tuple[tuple[str, int], ...]:
    parts: list[tuple[str, int]] = []
    for letter in value:
        part = _kind(letter)
        if parts and parts[-1][0] == part:
            parts[-1] = (part, parts[-1][1] + 1)
        else:
            parts.append((part, 1))
    return tuple(parts)


def _kind(letter: str) -> str:
    if letter.isascii() and letter.isdigit():
        return r"\d"
    if letter.isascii() and letter.isalpha():
        return "[A-Z]" if letter.isupper() else "[a-z]"
    return f"\\{letter}" if letter in r"\.^$*+?{}[]|()" else letter


def choices_shown(rule: RuleDraft) -> str:
    """The values of a rule, for people."""
    return values_shown(rule.value) if rule.argument == "isin" else repr(rule.value)
