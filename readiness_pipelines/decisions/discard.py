"""A discarding: rows, or a batch, that will not be published."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb

from readiness_pipelines.decisions.expressions import count_rows

if TYPE_CHECKING:
    from readiness_pipelines.gates import Gate  # to read decisions, no gate is built


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarding:
    """Rows, or where there is no condition the batch, that will not be published.

    Attributes:
        where: A DuckDB condition over the row's columns; ``None`` for the whole batch.
    """

    kind: ClassVar[str] = "discard"
    verb: ClassVar[str] = "discard"

    where: str | None = None

    def describe(self) -> str:
        """The decision on one line, for people."""
        return f"rows where {self.where}" if self.where else "the batch"

    def to_json(self) -> dict[str, Any]:
        """The decision as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Discarding":
        """The decision as it was stored."""
        return cls(**content)

    def check(self, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection, gate: "Gate") -> int | None:  # noqa: ARG002  # as every kind
        """How many rows it touches; ``None`` for the whole batch.

        Raises:
            DeclarationError: A condition that DuckDB refuses, or that no row meets.
        """
        return None if self.where is None else count_rows(rows, self.where, engine)
