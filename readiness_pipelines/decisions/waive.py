"""A waiver: a rule that need not hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb

from readiness_pipelines.decisions.erased import last_erased
from readiness_pipelines.decisions.expressions import count_rows
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.gates import MASKING_VERIFIED, TOLERANCE
from readiness_pipelines.masking import Classes, redact_expression

if TYPE_CHECKING:
    from readiness_pipelines.gates import Gate  # to read decisions, no gate is built

UNWAIVABLE = frozenset({"readable", "columns_present"})
"""Rules without which there is nothing to publish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A rule that need not hold.

    Attributes:
        rule: Its name, or ``tolerance``.
        where: A DuckDB condition over the row's columns; ``None`` for the whole batch, which alone has a tolerance.
        until: When it ends, in UTC; ``None`` for never.
        second_person: Whether it holds only once a second person has approved it.
        erased_at: When its values were erased; it cannot be applied any more.
        delivery: The delivery of the batch that it is about, where it names rows by number; ``None`` where it does not,
            or an older program kept it.
    """

    kind: ClassVar[str] = "waive"
    verb: ClassVar[str] = "waive"

    rule: str
    where: str | None = None
    until: datetime | None = None
    second_person: bool = False
    erased_at: datetime | None = None
    delivery: str | None = None

    def describe(self) -> str:
        """The decision on one line, for people."""
        until = f" until {self.until:%Y-%m-%d %H:%M}" if self.until else ""
        return self.rule + (f" where {self.where}" if self.where else "") + until

    def to_json(self) -> dict[str, Any]:
        """The decision as JSON, without its values."""
        second = {"second_person": True} if self.second_person else {}
        delivery = {} if self.delivery is None else {"delivery": self.delivery}
        return {"rule": self.rule, "until": self.until.isoformat() if self.until else None, **second, **delivery}

    def values(self) -> dict[str, Any]:
        """The values that it names, by part: they can be erased."""
        return {"where": self.where} if self.where else {}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], erased: Mapping[str, datetime]) -> "Waiver":
        """The decision as it was stored, with its values as far as they are there."""
        until = datetime.fromisoformat(content["until"]) if content["until"] else None
        return cls(**{**content, "until": until}, erased_at=last_erased(erased))

    def redacted(self, classes: Classes) -> "Waiver":
        """The decision with its values redacted that are of classified columns."""
        return replace(self, where=redact_expression(self.where, classes)) if self.where else self

    def lasts(self, at: datetime) -> bool:
        """Whether it has not ended at a time."""
        return self.until is None or at < self.until

    def check(self, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection, gate: "Gate") -> int | None:
        """How many rows it touches; ``None`` for the whole batch.

        Raises:
            UnknownNameError: The gate has no such rule.
            DeclarationError: A rule that cannot be waived, or the tolerance for some rows; a condition that DuckDB
                refuses, or that no row meets.
        """
        names = [*(rule.name for rule in gate.rules), TOLERANCE]
        if self.rule not in names:
            raise UnknownNameError("rule", self.rule, names)
        if self.rule in UNWAIVABLE:
            raise DeclarationError(
                f"the rule {self.rule!r} cannot be waived: without it there is nothing to publish",
                way_out="discard the rows, or correct the source and run the batch again",
            )
        if gate.publishes_nothing_without(self.rule):
            raise DeclarationError(
                f"the rule {self.rule!r} cannot be waived: what does not convert would be published as no value in "
                "a column that must have one",
                way_out="correct the values, or discard the rows; or let the column be null in the schema",
            )
        if self.rule == TOLERANCE and self.where is not None:
            raise DeclarationError(
                "the tolerance is of the whole batch: it cannot be waived for some of its rows",
                way_out="leave the condition away, or waive for these rows the rule that they break",
            )
        if self.rule.startswith(MASKING_VERIFIED):
            raise DeclarationError(
                f"the rule {self.rule!r} cannot be waived: values of persons would be published as they arrived",
                way_out="mend the protection, or lower the column's class in the code, and replay the batch",
            )
        return None if self.where is None else count_rows(rows, self.where, engine)
