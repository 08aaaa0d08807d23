"""A correction by an expression: a column is set in the rows that meet a condition."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb

from readiness_pipelines.decisions.erased import last_erased
from readiness_pipelines.decisions.expressions import (
    check_column,
    check_expression,
    column_type,
    count_rows,
    named_view,
)
from readiness_pipelines.masking import Classes, redact_expression
from readiness_pipelines.sql import identifier

if TYPE_CHECKING:
    from readiness_pipelines.gates import Gate  # to read decisions, no gate is built

READABLE = "_unreadable IS NULL"
"""Rows that could not be parsed have no columns to correct."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A column set by an expression, in the rows that meet a condition. Raw keeps what arrived.

    Attributes:
        column: The column.
        expression: A DuckDB expression over the row's columns.
        where: A DuckDB condition over the row's columns; ``None`` for all rows.
        erased_at: When its values were erased; it cannot be applied any more.
        delivery: The delivery of the batch that it is about, where it names rows by number; ``None`` where it does not,
            or an older program kept it.
    """

    kind: ClassVar[str] = "correct_expression"
    verb: ClassVar[str] = "correct"

    column: str
    expression: str
    where: str | None = None
    erased_at: datetime | None = None
    delivery: str | None = None

    def describe(self) -> str:
        """The decision on one line, for people."""
        return f"{self.column} = {self.expression}" + (f" where {self.where}" if self.where else "")

    def to_json(self) -> dict[str, Any]:
        """The decision as JSON, without its values."""
        return {"column": self.column} if self.delivery is None else {"column": self.column, "delivery": self.delivery}

    def values(self) -> dict[str, Any]:
        """The values that it names, by part: they can be erased."""
        return {"expression": self.expression, "where": self.where}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], erased: Mapping[str, datetime]) -> "Correction":
        """The decision as it was stored, with its values as far as they are there."""
        return cls(**{"expression": "", **content}, erased_at=last_erased(erased))

    def redacted(self, classes: Classes) -> "Correction":
        """The decision with its values redacted that are of classified columns."""
        expression = redact_expression(self.expression, classes, target=self.column)
        where = redact_expression(self.where, classes) if self.where else self.where
        return replace(self, expression=expression, where=where)

    def check(self, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection, gate: "Gate") -> int:  # noqa: ARG002  # as every kind
        """How many rows it touches.

        Raises:
            UnknownNameError: No such column.
            DeclarationError: An expression that DuckDB refuses, that reads other tables, or that gives another answer
                every time; a condition that no row meets.
        """
        check_column(self.column, rows)
        check_expression(self.expression, rows, engine)
        rows = rows.filter(READABLE)
        return count_rows(rows, self.where, engine, evaluating=f"CAST(({self.expression}) AS {self._type(rows)})")

    def apply(self, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """The rows, corrected.

        Raises:
            duckdb.Error: It cannot be applied to these rows.
            KeyError: The column is not there.
        """
        column, view = identifier(self.column), named_view(rows)
        where = f"{READABLE} AND ({self.where or 'true'})"
        value = f"CASE WHEN {where} THEN CAST(({self.expression}) AS {self._type(rows)}) ELSE {column} END"
        return engine.sql(f"SELECT * REPLACE ({value} AS {column}) FROM {view}")  # noqa: S608  # checked when it was kept

    def _type(self, rows: duckdb.DuckDBPyRelation) -> str:
        return column_type(rows, self.column)
