"""What is published in place of a protected column's values: SQL over the typed rows, part of the query that publishes.

Every protection of a value depends on the value and the key alone, so that a batch published twice is published alike.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import pyarrow as pa

from readiness_pipelines.contracts.protections import (
    WITHHELD,
    Bucket,
    FormatPreserving,
    KeepFirst,
    KeepLast,
    Protection,
    Pseudonym,
    SetNull,
    Token,
    Withhold,
    YearOnly,
    key_of,
)
from readiness_pipelines.engines.port import Engine
from readiness_pipelines.engines.tokens import Columnwise, format_maker, token_maker
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.gates.judge.layout import LaidColumn, Layout
from readiness_pipelines.keys import Keys, key_id

_BLOCK = 64
"""Bytes of a block of SHA-256, to which HMAC brings its key (RFC 2104)."""


LEAST_ROWS = 10_000
REPEATED = 5
"""From so many rows on, and where values are repeated so often, each is hashed once: a hash takes a microsecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedColumn:
    """One column that is published protected.

    Attributes:
        column: The column.
        protection: What is done to its values.
        value: SQL of what is published, over the typed rows, which are called ``t``.
        table: Table of the engine with ``_plain`` and ``_protected``, by which values are looked up; "" for none.
    """

    column: LaidColumn
    protection: Protection
    value: str
    table: str = ""

    def join(self, engine: Engine) -> str:
        """SQL that joins the table of values to the typed rows: few values, and the rows stream; "" for no table."""
        if not self.table:
            return ""
        return f"LEFT JOIN {self.table} ON {self.table}._plain = t.{engine.sql.identifier(self.column.name)}"

    @property
    def joined(self) -> str:
        """SQL of what is published, where `join` is there."""
        return f"{self.table}._protected" if self.table else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Protections:
    """The protected columns of a batch.

    Attributes:
        columns: Them, by name.
        keys: Ids of the keys, by their names.
        missing: Why a key cannot be had; "" where all are there. Nothing may be published then.
    """

    columns: Mapping[str, ProtectedColumn] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True)
class _Work:
    """Where a column is protected: its rows, the keys, and a name that is unique in the engine."""

    engine: Engine
    rows: str
    keys: Mapping[str, bytes]
    name: str


def protect_columns(layout: Layout, rows: str, engine: Engine, *, keys: Keys, tag: str) -> Protections:
    """The protections of a batch's columns, with their keys in the engine.

    Args:
        layout: The columns.
        rows: View of the typed rows.
        engine: Where they live.
        keys: Gives the bytes of a key.
        tag: Makes names unique in the engine.
    """
    wanted = list(_wanted(layout))
    found: dict[str, bytes] = {}
    try:
        for _, protection in wanted:
            if (name := key_of(protection)) is not None:
                found[name] = keys(name)
        columns = {
            column.name: _protected(column, protection, _Work(engine, rows, found, f"protection_{tag}_{place}"))
            for place, (column, protection) in enumerate(wanted)
        }
    except ReadinessError as error:
        return Protections(missing=f"{error.what}: {error.way_out}")
    return Protections(columns=columns, keys={name: key_id(key) for name, key in found.items()})


def _wanted(layout: Layout) -> Iterator[tuple[LaidColumn, Protection]]:
    for column in layout.columns:
        declared = (spec.classified.protection for spec in column.specs if spec.classified)
        if protection := next((one for one in declared if one), None):
            yield column, protection


def _protected(column: LaidColumn, protection: Protection, work: _Work) -> ProtectedColumn:
    """How a column is protected: looked up in a table of its different values, or computed row by row."""
    name, table = work.engine.sql.identifier(column.name), ""
    match protection:
        case Pseudonym() if _repeats(name, work):
            different = f"SELECT DISTINCT {name} AS v FROM {work.rows} WHERE {name} IS NOT NULL"
            made = _pseudonym("d.v", column, protection, work)
            work.engine.keep(work.name, f"SELECT v AS _plain, {made} AS _protected FROM ({different}) d")
            table = work.name
        case Token(key=key):
            table = _looked_up(name, token_maker(work.keys[key]), work)
        case FormatPreserving(key=key):
            table = _looked_up(name, format_maker(protection, work.keys[key]), work)
    looked_up = f"(SELECT max(m._protected) FROM {table} m WHERE m._plain = t.{name})"
    value = looked_up if table else _value(column, protection, work)
    return ProtectedColumn(column=column, protection=protection, value=value, table=table)


def _value(column: LaidColumn, protection: Protection, work: _Work) -> str:
    """SQL of what is published of a column."""
    sql = work.engine.sql
    value, kind = f"t.{sql.identifier(column.name)}", sql.type_name(column.type)
    match protection:
        case Pseudonym():
            return _pseudonym(value, column, protection, work)
        case Token() | FormatPreserving():
            raise AssertionError("looked up")  # `_protected` does
        case KeepFirst(count=count):
            return _kept(value, f"left({value}, {count}) || '*'", count)
        case KeepLast(count=count):
            return _kept(value, f"'*' || right({value}, {count})", count)
        case YearOnly():
            return f"CAST(date_trunc('year', {value}) AS {kind})"
        case Bucket(width=width, at_most=at_most):
            return _lower_bound(value, column.type, width, at_most, kind)
        case SetNull():
            return f"CAST(NULL AS {kind})"
        case Withhold():
            return f"CASE WHEN {value} IS NOT NULL THEN {sql.literal(WITHHELD)} END"


def _repeats(name: str, work: _Work) -> bool:
    """Whether few values are repeated over and over: each is hashed once then, and looked up."""
    ((rows, values),) = work.engine.fetch(f"SELECT count({name}), approx_count_distinct({name}) FROM {work.rows}")
    return bool(rows >= LEAST_ROWS and values * REPEATED <= rows)


def _pseudonym(value: str, column: LaidColumn, protection: Pseudonym, work: _Work) -> str:
    """SQL of the keyed hash of a value."""
    sql = work.engine.sql
    text = f"CAST({value} AS {sql.type_name(pa.string())})"
    digest = hmac_sql(text, work.keys[protection.key], work.engine, work.name)
    if pa.types.is_integer(column.type):
        return sql.positive(f"left({digest}, 16)")
    return f"left({digest}, {protection.length})"


def _looked_up(name: str, make: Columnwise, work: _Work) -> str:
    """A table of what Python makes of a column's different values, each once."""
    plain = work.engine.arrow(f"SELECT DISTINCT {name} AS v FROM {work.rows} WHERE {name} IS NOT NULL").column("v")
    made = [make(chunk) for chunk in plain.chunks]
    work.engine.view(work.name, pa.table({"_plain": plain, "_protected": pa.chunked_array(made, pa.string())}))
    return work.name


def _lower_bound(value: str, type_: pa.DataType, width: float, at_most: float | None, kind: str) -> str:
    """The lower bound of a number's interval; exact for whole numbers and decimals."""
    if pa.types.is_floating(type_):
        lower = f"floor({value} / {width!r}) * {width!r}"
    else:
        whole = f"CAST({value} AS DECIMAL(38, 0))" if pa.types.is_integer(type_) else value
        step = int(width) if width == int(width) else f"CAST({width!r} AS {kind})"
        lower = f"{whole} - (({whole} % {step}) + {step}) % {step}"
    bounded = lower if at_most is None else f"least({lower}, {at_most!r})"
    if pa.types.is_floating(type_):  # to engines, NaN is larger than any number, or its floor is 0
        infinite = ["-Infinity", *(["Infinity"] if at_most is None else [])]
        odd = [f"isnan({value})", *(f"{value} = CAST('{one}' AS {kind})" for one in infinite)]
        bounded = f"CASE WHEN {' OR '.join(odd)} THEN {value} ELSE {bounded} END"
    return f"CASE WHEN {value} IS NOT NULL THEN CAST({bounded} AS {kind}) END"


def _kept(value: str, kept: str, count: int) -> str:
    """A text cut down; one that the cut would leave whole is not kept at all."""
    return f"CASE WHEN {value} IS NULL THEN NULL WHEN length({value}) > {count} THEN {kept} ELSE '*' END"


def hmac_sql(text: str, key: bytes, engine: Engine, name: str) -> str:
    """SQL of HMAC-SHA256 (RFC 2104) of a text under a key, in hexadecimal digits; null stays null.

    Args:
        text: SQL of the text.
        key: The key's bytes.
        engine: Where it is computed; gets the key, padded, as variables.
        name: Unique in the engine.
    """
    padded = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = engine.remember(f"{name}_inner", bytes(byte ^ 0x36 for byte in padded))
    outer = engine.remember(f"{name}_outer", bytes(byte ^ 0x5C for byte in padded))
    sql = engine.sql
    return sql.sha256(f"{outer} || unhex({sql.sha256(f'{inner} || {sql.utf8(text)}')})")


def pseudonym_of(value: str, key: bytes, length: int = 32) -> str:
    """The pseudonym of a text, as `Pseudonym` publishes it."""
    return hmac.digest(key, value.encode(), sha256).hex()[:length]
