"""Spark's SQL: what means the same as DuckDB's; the rest is refused."""

from datetime import date
from typing import Any

import pyarrow as pa

from readiness_pipelines.contracts.cleansing import Case, ColumnStep, Dates, Numbers, Trim
from readiness_pipelines.engines.cleansing import name_of, text_value, value_literal
from readiness_pipelines.engines.conversion import (
    DATE_TEXT,
    FALSE_TEXTS,
    FLOAT_TEXT,
    INTEGER_TEXT,
    TRUE_TEXTS,
    decimal_text,
)
from readiness_pipelines.engines.spark.patterns import SPACES, java_pattern
from readiness_pipelines.engines.spark.rules import OPERATIONS
from readiness_pipelines.errors import GateBuildError

_FOUR_DIGITS = 1000
USE_DUCKDB = 'let this table be judged by DuckDB: engine="duckdb"'


class SparkSql:
    """Spark's SQL; see `Dialect`."""

    name = "Spark"
    way_out = USE_DUCKDB
    operations: frozenset[str] | None = OPERATIONS
    error_list = "ARRAY<STRUCT<rule: STRING, column: STRING, reason: STRING>>"

    def pattern(self, pattern: str) -> str:
        """A regular expression that means to Spark, which reads it as Java does, what it means to RE2.

        Raises:
            ValueError: A part that cannot be rewritten; its message names it.
        """
        return java_pattern(pattern)

    def unwritable(self, value: Any) -> str:
        """Why Spark cannot compare with a plain value, for people: it would get a year without its zeros."""
        if isinstance(value, date) and value.year < _FOUR_DIGITS:
            return f"a date before the year {_FOUR_DIGITS}, which PySpark does not hand to Spark: {value}"
        return ""

    def identifier(self, name: str) -> str:
        """Quote a column or table name."""
        return "`" + name.replace("`", "``") + "`"

    def literal(self, text: str) -> str:
        """Quote a text value."""
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def type_name(self, kind: pa.DataType) -> str:
        """Spark's name for an Arrow type.

        Raises:
            GateBuildError: Spark has no such type.
        """
        if pa.types.is_decimal128(kind):
            return f"DECIMAL({kind.precision}, {kind.scale})"
        if pa.types.is_timestamp(kind) and kind.unit == "us":
            return "TIMESTAMP_LTZ" if kind.tz else "TIMESTAMP_NTZ"
        for kinds, name in _NAMES:
            if kind in kinds:
                return name
        raise GateBuildError(f"Spark has no type {kind}", way_out=f"declare another type, or {USE_DUCKDB}")

    def value(self, value: Any) -> str:
        """A Python value that a schema gives as a default."""
        return value_literal(value, literal=self.literal, zoned="TIMESTAMP_LTZ", naive="TIMESTAMP_NTZ")

    def as_type(self, value: str, *, arrived: pa.DataType, wanted: pa.DataType) -> str:
        """Read a value as another type; null where it is null or does not convert.

        Raises:
            GateBuildError: Spark would read it otherwise than DuckDB: times as text, text of floats and times.
        """
        name = self.type_name(wanted)
        if not _is_text(arrived):
            return self._from_typed(value, arrived=arrived, wanted=wanted)
        text = f"trim({value})"
        if pa.types.is_integer(wanted):
            return self._if_like(text, INTEGER_TEXT, f"try_cast({text} AS {name})")
        if pa.types.is_floating(wanted):
            # A signed NaN, which Spark does not read, is one.
            cast = f"try_cast(regexp_replace(lower({text}), '^[+-]nan', 'nan') AS {name})"
            kept = f"abs({cast}) <> double('infinity') OR NOT {text} RLIKE '[0-9]'"
            return self._if_like(text, FLOAT_TEXT, f"CASE WHEN {kept} THEN {cast} END")
        if pa.types.is_date32(wanted):
            return self._if_like(text, DATE_TEXT, f"try_cast({text} AS DATE)")
        if pa.types.is_decimal128(wanted):
            return self._if_like(text, decimal_text(wanted.scale), f"try_cast({text} AS {name})")
        if pa.types.is_boolean(wanted):
            true, false = (", ".join(map(self.literal, texts)) for texts in (TRUE_TEXTS, FALSE_TEXTS))
            return f"CASE WHEN lower({text}) IN ({true}) THEN true WHEN lower({text}) IN ({false}) THEN false END"
        raise _differs(f"text read as {wanted}")

    def as_known_type(self, value: str, *, arrived: pa.DataType, wanted: pa.DataType) -> str:
        """The same for values that are known to convert."""
        return self.as_type(value, arrived=arrived, wanted=wanted)

    def cleansed(self, step: ColumnStep, value: str) -> str | None:
        """A cleansing step over a text value; ``None`` for a step that looks at the absence of a value alone.

        Raises:
            GateBuildError: A step that Spark does otherwise: letter case, dates, numbers written for people.
        """
        match step:
            case Trim():
                pattern = self.literal(f"^[{SPACES}]+|[{SPACES}]+\\z")
                return f"regexp_replace({value}, {pattern}, '')"
            case Case() | Dates() | Numbers():
                raise _differs(f"the cleansing step {name_of(step)!r}")
            case _:
                return text_value(step, value, literal=self.literal)

    def sha256(self, value: str) -> str:
        """SHA-256 of some bytes, in hexadecimal digits."""
        return f"sha2({value}, 256)"

    def utf8(self, value: str) -> str:
        """A text as bytes."""
        return f"encode({value}, 'UTF-8')"

    def positive(self, digits: str) -> str:
        """The first 63 bits of 16 hexadecimal digits, as a whole number."""
        return f"CAST(CAST(conv({digits}, 16, 10) AS DECIMAL(20, 0)) div 2 AS BIGINT)"

    def is_like(self, value: str, pattern: str) -> str:
        """Whether a text as a whole is like a regular expression."""
        return f"rlike({value}, {self.literal(f'^(?:{pattern})$')})"

    def error(self, rule: str, column: str | None, reason: str) -> str:
        """One entry of ``_errors``."""
        named = "CAST(NULL AS STRING)" if column is None else self.literal(column)
        return f"named_struct('rule', {self.literal(rule)}, 'column', {named}, 'reason', {self.literal(reason)})"

    def unreadable_error(self, rule: str, reason: str) -> str:
        """One entry of ``_errors`` whose reason is SQL."""
        return f"named_struct('rule', {self.literal(rule)}, 'column', CAST(NULL AS STRING), 'reason', {reason})"

    def errors(self, entries: list[str]) -> str:
        """The entries that are not null, as a list."""
        there = f"filter(array({', '.join(entries)}), e -> e IS NOT NULL)" if entries else "array()"
        return f"CAST({there} AS {self.error_list})"

    def least_rows(self, count: int, table: str, condition: str) -> str:
        """The least ``_row`` of a table that meet a condition, as a list in an aggregate over that table."""
        least = f"SELECT _row FROM {table} WHERE {condition} ORDER BY _row LIMIT {count}"
        return f"(SELECT collect_list(_row) FROM ({least}))"

    def _if_like(self, text: str, pattern: str, value: str) -> str:
        return f"CASE WHEN {text} RLIKE {self.literal(f'^(?:{pattern})' + chr(92) + 'z')} THEN {value} END"

    def _from_typed(self, value: str, *, arrived: pa.DataType, wanted: pa.DataType) -> str:
        """A typed value as another type, where it comes back the same; floats may lose digits to a narrower float."""
        given, name = self.type_name(arrived), self.type_name(wanted)
        cast = f"try_cast({value} AS {name})"
        if pa.types.is_floating(arrived) and pa.types.is_floating(wanted):
            fits = f"abs({cast}) < CAST('inf' AS {name}) OR abs({value}) = CAST('inf' AS {given}) OR isnan({value})"
            return f"CASE WHEN {fits} THEN {cast} END"
        if pa.types.is_integer(arrived) and pa.types.is_integer(wanted):
            return cast
        if _is_text(wanted) and (pa.types.is_integer(arrived) or pa.types.is_boolean(arrived)):
            return cast
        if _is_number(arrived) and _is_number(wanted):
            if (arrived, wanted) in _SATURATING:
                # The greatest whole number is no float; on the way back, Spark cuts the float off at it.
                cast = f"CASE WHEN {value} <> {2 ** (arrived.bit_width - 1) - 1} THEN {cast} END"
            return f"CASE WHEN try_cast({cast} AS {given}) IS NOT DISTINCT FROM {value} THEN {cast} END"
        raise _differs(f"{arrived} read as {wanted}")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal128(kind))


def _differs(what: str) -> GateBuildError:
    return GateBuildError(f"{what} means something else on Spark than on DuckDB", way_out=USE_DUCKDB)


_SATURATING = frozenset([(pa.int64(), pa.float64()), (pa.int64(), pa.float32()), (pa.int32(), pa.float32())])

_NAMES: tuple[tuple[tuple[pa.DataType, ...], str], ...] = (
    ((pa.int8(),), "TINYINT"),
    ((pa.int16(),), "SMALLINT"),
    ((pa.int32(),), "INT"),
    ((pa.int64(),), "BIGINT"),
    ((pa.float32(),), "FLOAT"),
    ((pa.float64(),), "DOUBLE"),
    ((pa.bool_(),), "BOOLEAN"),
    ((pa.string(), pa.large_string()), "STRING"),
    ((pa.binary(), pa.large_binary()), "BINARY"),
    ((pa.date32(),), "DATE"),
)

SPARK = SparkSql()
