"""Decisions about an earlier decision of the same batch: what undoing and approving share."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

import duckdb

from readiness_pipelines.masking import Classes

if TYPE_CHECKING:
    from readiness_pipelines.gates import Gate  # to read decisions, no gate is built


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutDecision:
    """What is decided about an earlier decision.

    Attributes:
        decision: The earlier decision's number.
    """

    kind: ClassVar[str]
    verb: ClassVar[str]

    decision: int

    def describe(self) -> str:
        """The decision on one line, for people."""
        return f"decision {self.decision}"

    def to_json(self) -> dict[str, Any]:
        """The decision as JSON."""
        return asdict(self)

    def values(self) -> dict[str, Any]:
        """It names no values."""
        return {}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], erased: Mapping[str, datetime]) -> Self:  # noqa: ARG003  # as every kind
        """The decision as it was stored."""
        return cls(**content)

    def redacted(self, classes: Classes) -> Self:  # noqa: ARG002  # as every kind
        """The decision: it names no values."""
        return self

    def check(self, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection, gate: "Gate") -> None:  # noqa: ARG002  # as every kind
        """It touches no rows by itself; whether there is such a decision is checked where it is kept."""
        return
