"""Masking verified: what is about to be published is looked at, not the query that made it.

Of each protected column, over all rows: as many values as arrived, each in the protection's own form, none equal to a
value that arrived, as many different ones as before; and for a sample the value itself, computed a second time without
the engine. Of the other columns, and of the names of files: whether they repeat a person's value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from readiness_pipelines.contracts.classification import Classified, PersonalKind
from readiness_pipelines.contracts.protections import (
    WITHHELD,
    Bucket,
    FormatPreserving,
    KeepFirst,
    KeepLast,
    Pseudonym,
    SetNull,
    Token,
    Withhold,
    YearOnly,
)
from readiness_pipelines.detection import Certainty, detect
from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.engines.port import Engine, Rows
from readiness_pipelines.engines.tokens import value_of_token
from readiness_pipelines.gates.judge.protecting import ProtectedColumn, Protections, pseudonym_of
from readiness_pipelines.keys import Keys

SAMPLE = 1_000
"""So many rows are computed a second time."""

LEAST_LENGTH = 6
"""A shorter value is in other columns by chance."""

CHANCE = 0.01
"""A name may be in another column by chance (a surname that is a town) in so many rows; a number of a person never."""

LOST = 0.9
"""Of the different values that arrived, at least such a share is different in what is published."""

_ANYWHERE = (PersonalKind.ID, PersonalKind.DIRECT, PersonalKind.FREE_TEXT, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskingCheck:
    """Looks at what is about to be published.

    Attributes:
        engine: Where the rows live.
        arrived: SQL to select the typed rows that will be published from, as ``t``: before protection.
        protections: What was done to them.
        keys: Gives the bytes of a key.
        tag: Makes names unique in the engine.
    """

    engine: Engine
    arrived: str
    protections: Protections
    keys: Keys
    tag: str

    def faults(self, published: Rows) -> str:
        """Why what is about to be published may not be; "" where nothing is wrong.

        Args:
            published: It, with ``_row`` and ``_file``. Values are not part of what is said of them.
        """
        name = f"masked_{self.tag}"
        self.engine.view(name, published)
        found = []
        for column in self.protections.columns.values():
            found += [f"{column.column.name}: {fault}" for fault in self._of_column(column, name)]
            found += [*self._looks_personal(column, name), *self._copies(column, name)]
        return "; ".join(found)

    def _of_column(self, column: ProtectedColumn, published: str) -> Iterator[str]:
        sql = self.engine.sql
        value = sql.identifier(column.column.name)
        form = _form(column, value, sql)
        ((rows, differing, odd),) = self.engine.fetch(
            f"SELECT count({value}), approx_count_distinct({value}), "
            f"count(*) FILTER (WHERE {value} IS NOT NULL AND NOT coalesce({form}, false)) FROM {published}"
        )
        ((arrived, differed),) = self.engine.fetch(
            f"SELECT count(t.{value}), approx_count_distinct(t.{value}) FROM {self.arrived}"
        )
        if isinstance(column.protection, SetNull):
            if rows:
                yield f"{rows:,} values, where all should be null"
            return
        if rows != arrived:
            yield f"{rows:,} values, where {arrived:,} arrived"
        if odd:
            yield f"{odd:,} values are not in the form of the protection"
        if isinstance(column.protection, Pseudonym | Token) and differing < LOST * differed:
            differing, differed = self._counted(value, published)  # two estimates may be so far apart by chance
            if differing < LOST * differed:
                yield f"{differing:,} different values, where {differed:,} arrived"
        if survived := self._survivors(column, published):
            yield f"{survived:,} values are published as some arrived"
        if wrong := self._wrong(column, published):
            yield f"{wrong:,} of {min(rows, SAMPLE):,} values are not what the key makes of them"

    def _counted(self, value: str, published: str) -> tuple[int, int]:
        """How many different values are published, and how many arrived: exactly, which takes its time."""
        ((differing,),) = self.engine.fetch(f"SELECT count(DISTINCT {value}) FROM {published}")
        ((differed,),) = self.engine.fetch(f"SELECT count(DISTINCT t.{value}) FROM {self.arrived}")
        return int(differing), int(differed)

    def _survivors(self, column: ProtectedColumn, published: str) -> int:
        """How many published values are values that arrived.

        Only what arrived in the form of the protection can be among them, so that few values are compared.
        """
        value = self.engine.sql.identifier(column.column.name)
        match column.protection:
            case Pseudonym() if pa.types.is_integer(column.column.type):
                ((largest,),) = self.engine.fetch(f"SELECT max(t.{value}) FROM {self.arrived}")
                small = f"SELECT {value} FROM {published} WHERE {value} <= {largest or 0}"
                query = f"SELECT count(DISTINCT t.{value}) FROM {self.arrived} WHERE t.{value} IN ({small})"
            case Pseudonym() | Token():
                alike = f"SELECT t.{value} FROM {self.arrived} WHERE {_form(column, f't.{value}', self.engine.sql)}"
                query = f"SELECT count(*) FROM {published} WHERE {value} IN ({alike})"
            case FormatPreserving():
                query = (
                    f"SELECT count(*) FROM {published} p JOIN (SELECT t._row, t.{value} FROM {self.arrived}) a "
                    f"ON p._row = a._row AND p.{value} = a.{value} AND p.{value} <> '{WITHHELD}'"
                )
            case _:
                return 0
        ((survivors,),) = self.engine.fetch(query)
        return int(survivors)

    def _wrong(self, column: ProtectedColumn, published: str) -> int:
        """How many values of a sample are not what the key makes of what arrived, computed without the engine."""
        name, protection = self.engine.sql.identifier(column.column.name), column.protection
        if not isinstance(protection, Pseudonym | Token):
            return 0
        sample = self.engine.fetch(
            f"SELECT t._row, CAST(t.{name} AS {_text(self.engine.sql)}) FROM {self.arrived} "
            f"WHERE t.{name} IS NOT NULL ORDER BY t._row LIMIT {SAMPLE}"
        )
        if not sample:
            return 0
        rows = ", ".join(str(row) for row, _ in sample)
        there: dict[int, Any] = dict(self.engine.fetch(f"SELECT _row, {name} FROM {published} WHERE _row IN ({rows})"))
        key = self.keys(protection.key)
        if isinstance(protection, Token):
            return sum(value_of_token(there[row], key) != value for row, value in sample)
        if pa.types.is_integer(column.column.type):
            return sum(there.get(row) != int(pseudonym_of(value, key, 16), 16) >> 1 for row, value in sample)
        return sum(there.get(row) != pseudonym_of(value, key, protection.length) for row, value in sample)

    def _looks_personal(self, column: ProtectedColumn, published: str) -> Iterator[str]:
        """Whether a sample of what is to be published looks personal still; its name is not looked at."""
        if not isinstance(column.protection, Pseudonym | Token | KeepFirst | KeepLast):
            return
        value = self.engine.sql.identifier(column.column.name)
        sample = self.engine.arrow(f"SELECT {value} AS published FROM {published} ORDER BY _row LIMIT {SAMPLE}")
        for found in detect(sample):
            if found.certainty is Certainty.SURE:
                yield f"{column.column.name}: the published values look like {found.what}"

    def _copies(self, column: ProtectedColumn, published: str) -> Iterator[str]:
        """The other columns that repeat a person's values, in the same row."""
        classified = _class(column)
        if isinstance(column.protection, Bucket | YearOnly) or classified.kind not in _ANYWHERE:
            return
        sql, kind = self.engine.sql, column.column.type
        schema = self.engine.schema(published)
        others = [
            field
            for field in schema
            if field.name not in (*self.protections.columns, "_batch", "_row") and may_repeat(field)
        ]
        if not others:
            return
        own = pa.field(column.column.name, kind)
        counts = ", ".join(f"count(*) FILTER (WHERE {_repeats(field, own, sql)})" for field in others)
        # The other columns are published as they arrived: they are compared where they arrived, without a join.
        names = ", ".join(f"t.{sql.identifier(name)}" for name in (column.column.name, *(f.name for f in others)))
        query = f"SELECT count(a.{sql.identifier(own.name)}), {counts} FROM (SELECT {names} FROM {self.arrived}) a"
        ((rows, *found),) = self.engine.fetch(query)
        bound = 0 if classified.kind is PersonalKind.ID or pa.types.is_integer(kind) else CHANCE * rows
        for field, count in zip(others, found, strict=True):
            if count > bound:
                yield f"{field.name} repeats {column.column.name} in {count:,} rows"


def _class(column: ProtectedColumn) -> Classified:
    return next(spec.classified for spec in column.column.specs if spec.classified)


def may_repeat(field: pa.Field) -> bool:
    """Whether a column could hold a value of another: text, and whole numbers."""
    kind = field.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind))


def _repeats(field: pa.Field, column: pa.Field, sql: Dialect) -> str:
    """SQL: whether another column has a row's value; what is cheap to know is asked first."""
    other, value = f"a.{sql.identifier(field.name)}", f"a.{sql.identifier(column.name)}"
    if pa.types.is_integer(field.type):
        number = value if pa.types.is_integer(column.type) else _as_number(value)
        return f"({other} = {number} AND abs({other}) >= {10 ** (LEAST_LENGTH - 1)})"
    text = f"CAST({value} AS {_text(sql)})" if pa.types.is_integer(column.type) else value
    repeats = f"length({text}) >= {LEAST_LENGTH} AND contains(lower({other}), lower(trim({text})))"
    # Not AND: engines evaluate all of its conditions.
    return f"(CASE WHEN length({other}) >= {LEAST_LENGTH} THEN {repeats} ELSE false END)"


def _as_number(value: str) -> str:
    """SQL of a text as a whole number; what does not begin like one is not tried, which would take long."""
    return f"CASE WHEN {value} >= '0' AND {value} < ':' THEN TRY_CAST({value} AS BIGINT) END"


def _form(column: ProtectedColumn, value: str, sql: Dialect) -> str:
    """SQL: whether a value is in the form that the protection gives."""
    match column.protection:
        case Pseudonym(length=length):
            if pa.types.is_integer(column.column.type):
                return f"{value} >= 0"
            return sql.is_like(value, f"[0-9a-f]{{{length}}}")
        case Token():
            return sql.is_like(value, "[A-Za-z0-9_-]{22,}")
        case KeepFirst(count=count):
            return sql.is_like(value, rf"(?s)(.{{{count}}})?\*")
        case KeepLast(count=count):
            return sql.is_like(value, rf"(?s)\*(.{{{count}}})?")
        case YearOnly():
            return f"{value} = date_trunc('year', {value})"
        case Bucket(width=width, at_most=at_most):
            steps = f"abs({value} - round({value} / {width!r}) * {width!r}) <= 1e-9 * greatest(1, abs({value}))"
            form = steps if at_most is None else f"({steps} OR {value} = {at_most!r})"
            # NaN and infinities are of no interval, and stay what they are.
            odd = f"(isnan({value}) OR abs({value}) = CAST('Infinity' AS {sql.type_name(column.column.type)}))"
            return f"({odd} OR {form})" if pa.types.is_floating(column.column.type) else form
        case Withhold():
            return f"{value} = '{WITHHELD}'"
        case SetNull():
            return "false"
        case FormatPreserving():
            return "true"


def _text(sql: Dialect) -> str:
    return sql.type_name(pa.string())
