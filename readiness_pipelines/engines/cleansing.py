"""Cleansing as SQL: each step a projection over the one before, so that what it changed can be counted."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, assert_never

from readiness_pipelines.contracts.cleansing import (
    Case,
    Categories,
    ColumnStep,
    Dates,
    FillMissing,
    FlagMissing,
    NullTokens,
    Numbers,
    RejectMissing,
    RemovePrefix,
    Trim,
    ZeroPad,
)
from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.sql import literal

Literal = Callable[[str], str]
"""Quotes a text value for one engine's SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleansed:
    """One step over one column.

    Attributes:
        column: The column.
        step: What it does, for people ("trim").
        before: SQL name of the value before; a column of the level below.
        after: SQL name of the value after.
        value: SQL that makes the one of the other.
    """

    column: str
    step: str
    before: str
    after: str
    value: str

    @property
    def changed(self) -> str:
        """SQL: whether the step changed the cell."""
        return f"{self.after} IS DISTINCT FROM {self.before}"


def text_steps(column: str, steps: Sequence[ColumnStep], *, tag: int, given: str, sql: Dialect) -> tuple[Cleansed, ...]:
    """The steps over a text column, each on top of the one before.

    Args:
        column: The column's name as it arrived.
        steps: Its declared steps; those that only concern the absence of a value are left out.
        tag: Number of the column, to name what the steps make.
        given: SQL of the value, without the reader's tokens for "no value".
        sql: The SQL of the engine that will judge.
    """
    done: list[Cleansed] = []
    before = given
    for step in steps:
        value = sql.cleansed(step, before)
        if value is None:
            continue
        after = f"_cleansed_{tag}_{len(done)}"
        done.append(Cleansed(column=column, step=name_of(step), before=before, after=after, value=value))
        before = after
    return tuple(done)


def text_value(step: ColumnStep, value: str, *, literal: Literal = literal) -> str | None:
    """SQL of a step over a text value; ``None`` for a step that looks at the absence of a value alone.

    Null tokens, zero padding, prefixes and categories are written alike for every engine but for quoting, by `literal`.
    """
    match step:
        case Trim():
            return f"regexp_replace({value}, '^\\s+|\\s+$', '', 'g')"
        case Case(to=to):
            return f"{to}({value})"
        case NullTokens(tokens=tokens):
            return f"CASE WHEN {value} NOT IN ({', '.join(map(literal, tokens))}) THEN {value} END"
        case Dates(formats=formats, canonical=canonical):
            accepted = ", ".join(_date(given, value, literal) for given in formats)
            return f"coalesce(strftime(coalesce({accepted}), {literal(canonical)}), {value})"
        case Numbers():
            return _number(step, value)
        case ZeroPad(width=width):
            return (
                f"CASE WHEN length({value}) BETWEEN 1 AND {width - 1} THEN lpad({value}, {width}, '0') ELSE {value} END"
            )
        case RemovePrefix(prefix=prefix):
            cut = f"substr({value}, {len(prefix) + 1})"
            return f"CASE WHEN left({value}, {len(prefix)}) = {literal(prefix)} THEN {cut} ELSE {value} END"
        case Categories(mapping=mapping):
            cases = " ".join(
                f"WHEN {literal(old)} THEN {'NULL' if new is None else literal(new)}" for old, new in mapping.items()
            )
            return f"CASE {value} {cases} ELSE {value} END"
        case FlagMissing() | FillMissing() | RejectMissing():
            return None
        case _:
            assert_never(step)


def name_of(step: ColumnStep) -> str:
    """What a step is called, for people."""
    match step:
        case Trim():
            return "trim"
        case Case(to=to):
            return f"{to} case"
        case NullTokens():
            return "null tokens"
        case Dates():
            return "dates"
        case Numbers():
            return "numbers"
        case ZeroPad(width=width):
            return f"zero pad to {width}"
        case RemovePrefix():
            return "remove prefix"
        case Categories():
            return "categories"
        case FlagMissing(column=column):
            return f"flag missing in {column}"
        case FillMissing(value=value):
            return f"fill missing with {value!r}"
        case RejectMissing():
            return "reject missing"
        case _:
            assert_never(step)


def value_literal(
    value: Any, *, literal: Literal = literal, zoned: str = "TIMESTAMPTZ", naive: str = "TIMESTAMP"
) -> str:
    """SQL of a Python value that a schema gives as a default; `zoned` and `naive` are the engine's types of times."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return f"CAST({literal(repr(value))} AS DOUBLE)"
        case datetime():
            text = value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
            return f"CAST({literal(text)} AS {zoned if value.tzinfo else naive})"
        case date():
            return f"DATE {literal(value.isoformat())}"
        case _:
            return literal(str(value))


def step_facts(step: ColumnStep) -> Mapping[str, Any]:
    """A step as plain values, for fingerprints and for people."""
    return {"step": name_of(step), **{name: getattr(step, name) for name in step.__dataclass_fields__}}


def _date(given: str, value: str, literal: Literal) -> str:
    """The date that a text has in a format; DuckDB alone would take ``24`` for the year 24 where four digits belong."""
    parts = re.split(r"(%-?.)", given)
    read = f"try_strptime({value}, {literal(given)})"
    if _YEARS.keys().isdisjoint(parts):
        return read
    shape = "".join(
        _YEARS.get(part) or (".*" if part.startswith("%") and part != "%%" else _escaped(part.replace("%%", "%")))
        for part in parts
    )
    shape = rf"\s*{shape}\s*"
    return f"CASE WHEN regexp_full_match({value}, {literal(shape)}) THEN {read} END"


_YEARS = {"%Y": "[0-9]{4}", "%y": "[0-9]{2}"}


def _number(step: Numbers, value: str) -> str:
    """The plain number inside a text written for people; the text itself where it is none."""
    decimal, thousands = _class(step.decimal), _class(step.thousands)
    digits = f"[0-9]+|[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+" if step.thousands else "[0-9]+"
    currency = f"(?:{'|'.join(_escaped(sign) for sign in step.currencies)})?" if step.currencies else ""
    shape = rf"\s*{currency}\s*([+-]?)\s*{currency}\s*((?:{digits})(?:{decimal}[0-9]+)?)\s*{currency}\s*"
    sign, number = (f"regexp_extract({value}, {literal(f'^{shape}$')}, {group})" for group in (1, 2))
    if step.thousands:
        number = f"replace({number}, {literal(step.thousands)}, '')"
    plain = f"{sign} || replace({number}, {literal(step.decimal)}, '.')"
    return f"CASE WHEN regexp_full_match({value}, {literal(shape)}) THEN {plain} ELSE {value} END"


def _class(sign: str) -> str:
    return f"\\{sign}" if sign in "^]\\" else f"[{sign}]"


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter.isascii() and not letter.isalnum() else letter for letter in text)
