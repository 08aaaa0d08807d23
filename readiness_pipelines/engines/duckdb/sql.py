"""DuckDB's SQL."""

from typing import Any

import pyarrow as pa

from readiness_pipelines.contracts.cleansing import ColumnStep
from readiness_pipelines.engines.cleansing import text_value, value_literal
from readiness_pipelines.engines.conversion import as_known_type, as_type
from readiness_pipelines.sql import duckdb_type, identifier, literal


class DuckDbSql:
    """DuckDB's SQL; see `Dialect`. What it means is the measure for other engines."""

    name = "DuckDB"
    way_out = ""
    operations: frozenset[str] | None = None
    error_list = 'STRUCT("rule" VARCHAR, "column" VARCHAR, reason VARCHAR)[]'

    def pattern(self, pattern: str) -> str:
        """The pattern itself: DuckDB reads patterns with RE2."""
        return pattern

    def unwritable(self, value: Any) -> str:  # noqa: ARG002  # the port's
        """Nothing: what DuckDB cannot compare with does not bind."""
        return ""

    def identifier(self, name: str) -> str:
        """Quote a column or table name."""
        return identifier(name)

    def literal(self, text: str) -> str:
        """Quote a text value."""
        return literal(text)

    def type_name(self, kind: pa.DataType) -> str:
        """DuckDB's name for an Arrow type."""
        return duckdb_type(kind)

    def value(self, value: Any) -> str:
        """A Python value that a schema gives as a default."""
        return value_literal(value)

    def as_type(self, value: str, *, arrived: pa.DataType, wanted: pa.DataType) -> str:
        """Read a value as another type; null where it is null or does not convert."""
        return as_type(value, arrived=duckdb_type(arrived), wanted=duckdb_type(wanted))

    def as_known_type(self, value: str, *, arrived: pa.DataType, wanted: pa.DataType) -> str:
        """The same for values that are known to convert."""
        return as_known_type(value, arrived=duckdb_type(arrived), wanted=duckdb_type(wanted))

    def cleansed(self, step: ColumnStep, value: str) -> str | None:
        """A cleansing step over a text value; ``None`` for a step that looks at the absence of a value alone."""
        return text_value(step, value)

    def sha256(self, value: str) -> str:
        """SHA-256 of some bytes, in hexadecimal digits."""
        return f"sha256({value})"

    def utf8(self, value: str) -> str:
        """A text as bytes."""
        return f"encode({value})"

    def positive(self, digits: str) -> str:
        """The first 63 bits of 16 hexadecimal digits, as a whole number."""
        return f"CAST(CAST('0x' || {digits} AS UBIGINT) >> 1 AS BIGINT)"

    def is_like(self, value: str, pattern: str) -> str:
        """Whether a text as a whole is like a regular expression."""
        return f"regexp_full_match({value}, {literal(pattern)})"

    def error(self, rule: str, column: str | None, reason: str) -> str:
        """One entry of ``_errors``."""
        named = "NULL" if column is None else literal(column)
        return f"{{'rule': {literal(rule)}, 'column': {named}, 'reason': {literal(reason)}}}"

    def unreadable_error(self, rule: str, reason: str) -> str:
        """One entry of ``_errors`` whose reason is SQL."""
        return f"{{'rule': {literal(rule)}, 'column': NULL, 'reason': {reason}}}"

    def errors(self, entries: list[str]) -> str:
        """The entries that are not null, as a list."""
        there = f"list_filter([{', '.join(entries)}], lambda e: e IS NOT NULL)" if entries else "[]"
        return f"CAST({there} AS {self.error_list})"

    def least_rows(self, count: int, table: str, condition: str) -> str:  # noqa: ARG002  # the port's
        """The least ``_row`` that meet a condition, as a list in an aggregate."""
        return f"min(_row, {count}) FILTER (WHERE {condition})"


DUCKDB = DuckDbSql()
