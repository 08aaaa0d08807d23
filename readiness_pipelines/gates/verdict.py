"""What a gate says of a batch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.gates.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """How often a rule was broken.

    Attributes:
        rule: The rule.
        broken_rows: Rows that break it; all rows where a shape or batch rule is broken.
        columns: Broken rows by column, for a rule over several columns.
        samples: Up to ten of the rows, each with ``_row``, ``_file`` and the rule's columns as they arrived.
        decided: Whether it was evaluated: a batch of the wrong shape is judged by its shape alone.
    """

    rule: Rule
    broken_rows: int
    columns: Mapping[str, int] = field(default_factory=dict)
    samples: tuple[Mapping[str, Any], ...] = ()
    decided: bool = True


@dataclass(frozen=True, slots=True)
class Publish:
    """Every row passed."""


@dataclass(frozen=True, slots=True)
class Split:
    """Rows that passed are published, the others wait in quarantine."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing is published, all rows wait. `reason` is one line for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Empty:
    """The batch has no rows; nothing is published and nothing replaced."""


Outcome = Publish | Split | Hold | Empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a gate says of a batch.

    Attributes:
        gate: The gate's name.
        version: The gate's version.
        outcome: The route the batch takes.
        ingested_rows: Rows of the batch.
        failed_rows: Rows that break at least one rule that is not routed ``warn``.
        rules: One count per rule of the gate, in its order.
        schema: Arrow schema of the published rows: the schema's columns, then ``_batch``, ``_row``, ``_file``.
        published: The rows to publish, typed, lazily; empty when nothing is.
        quarantined: The rows that wait, as they arrived, plus ``_errors`` (list of rule, column, reason), lazily: those
            that failed, or all rows of a held batch.
    """

    gate: str
    version: str
    outcome: Outcome
    ingested_rows: int
    failed_rows: int
    rules: tuple[RuleCount, ...]
    schema: pa.Schema
    published: duckdb.DuckDBPyRelation
    quarantined: duckdb.DuckDBPyRelation

    @property
    def published_rows(self) -> int:
        """Rows to publish."""
        return self.ingested_rows - self.quarantined_rows

    @property
    def quarantined_rows(self) -> int:
        """Rows that wait: the failed ones, or all of a held batch."""
        match self.outcome:
            case Hold():
                return self.ingested_rows
            case _:
                return self.failed_rows

    @property
    def broken(self) -> tuple[RuleCount, ...]:
        """The rules that were broken, most rows first."""
        return tuple(sorted((count for count in self.rules if count.broken_rows), key=lambda count: -count.broken_rows))
