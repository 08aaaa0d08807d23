"""A discarding: rows, or a batch, that will not be published."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb

from readiness_pipelines.decisions.erased import last_erased
from readiness_pipelines.decisions.expressions import count_rows
from readiness_pipelines.masking import Classes, redact_expression

if TYPE_CHECKING:
    from readiness_pipelines.gates import Gate  # to read decisions, no gate is built


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarding:
    """Rows, or where there is no condition the batch, that will not be published.

    Attributes:
        where: A DuckDB condition over the row's columns; ``None`` for the whole batch.
        second_person: Whether it holds only once a second person has approved it.
        erased_at: When its values were erased; it cannot be applied any more.
        delivery: The delivery of the batch that it is about, where it names rows by number; ``None`` where it does not,
            or an older program kept it.
    """

    kind: ClassVar[str] = "discard"
    verb: ClassVar[str] = "discard"

    where: str | None = None
    second_person: bool = False
    erased_at: datetime | None = None
    delivery: str | None = None

    def describe(self) -> str:
        """The decision on one line, for people."""
        return f"rows where {self.where}" if self.where else "the batch"

    def to_json(self) -> dict[str, Any]:
        """The decision as JSON, without its values."""
        second = {"second_person": True} if self.second_person else {}
        return second if self.delivery is None else {**second, "delivery": self.delivery}

    def values(self) -> dict[str, Any]:
        """The values that it names, by part: they can be erased."""
        return {"where": self.where} if self.where else {}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], erased: Mapping[str, datetime]) -> "Discarding":
        """The decision as it was stored, with its values as far as they are there."""
        return cls(**content, erased_at=last_erased(erased))

    def redacted(self, classes: Classes) -> "Discarding":
        """The decision with its values redacted that are of classified columns."""
        return replace(self, where=redact_expression(self.where, classes)) if self.where else self

    def check(self, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection, gate: "Gate") -> int | None:  # noqa: ARG002  # as every kind
        """How many rows it touches; ``None`` for the whole batch.

        Raises:
            DeclarationError: A condition that DuckDB refuses, or that no row meets.
        """
        return None if self.where is None else count_rows(rows, self.where, engine)
