"""What a gate says of a batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pyarrow as pa

from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.engines.port import Rows
from readiness_pipelines.gates.schema.rules import MASKING_VERIFIED, SCHEMA_UNCHANGED, Rule
from readiness_pipelines.gates.verdict.findings import SchemaFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """How often a rule was broken.

    Attributes:
        rule: The rule.
        broken_rows: Rows that break it; all rows where a shape rule, or a condition on the batch, is broken.
        columns: Broken rows by column, for a rule over several columns.
        samples: Up to ten of the rows, each with ``_row``, ``_file`` and the rule's columns as they arrived, up to ten
            of these and a thousand characters of each.
        decided: Whether it was evaluated: a batch of the wrong shape is judged by its shape alone.
        detail: What was seen of the batch, for rules that are about all of it; "" for others.
        waived_rows: Rows that break it and for which it is waived, not counted among the broken ones; none for a
            condition on the batch; ``None`` where nothing is waived.
    """

    rule: Rule
    broken_rows: int
    columns: Mapping[str, int] = field(default_factory=dict)
    samples: tuple[Mapping[str, Any], ...] = ()
    decided: bool = True
    detail: str = ""
    waived_rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CleansedCount:
    """How many cells a cleansing step changed; rows, for deduplication.

    Attributes:
        column: The column; the key's columns, joined, for deduplication.
        step: What the step does, for people.
        cells: Cells it changed, or rows it discarded.
    """

    column: str
    step: str
    cells: int


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


@dataclass(frozen=True, slots=True)
class Discard:
    """It was decided that no row of the batch will be published."""


Outcome = Publish | Split | Hold | Empty | Discard


class Masking(Protocol):
    """Looks at what is about to be published."""

    def faults(self, published: Rows) -> str:
        """Why it may not be; "" where nothing is wrong."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a gate says of a batch.

    Attributes:
        gate: The gate's name.
        version: The gate's version.
        outcome: The route the batch takes.
        ingested_rows: Rows of the batch.
        failed_rows: Rows that break at least one rule that is not routed ``warn``.
        discarded_rows: Rows that a decision or deduplication discarded; none of a held batch.
        rules: One count per rule of the gate, in its order.
        cleansed: One count per cleansing step, in the order of the columns.
        findings: What differs from the source's last accepted shape.
        arrived: The shape that arrived: types by column, to be accepted with the batch.
        schema: Arrow schema of the published rows: the schema's columns, then ``_batch``, ``_row``, ``_file``.
        published: The rows to publish, typed, lazily; empty when nothing is.
        quarantined: The rows that are not published, as they arrived, plus ``_errors`` (list of rule, column, reason)
            and ``_discarded`` (true where no decision is needed any more), lazily: those that failed
            or were discarded, or all rows of a held batch.
        keys: Ids of the keys by which columns were protected, by their names.
        masking: Looks at what is about to be published; ``None`` where nothing is protected.
        all_rows: Gives all rows as `quarantined` has them of a held batch.
        failing: Gives the numbers of the failed rows, as ``_row``.
    """

    gate: str
    version: str
    outcome: Outcome
    ingested_rows: int
    failed_rows: int
    discarded_rows: int
    rules: tuple[RuleCount, ...]
    cleansed: tuple[CleansedCount, ...]
    findings: tuple[SchemaFinding, ...]
    arrived: Mapping[str, str]
    schema: pa.Schema
    published: Rows
    quarantined: Rows
    keys: Mapping[str, str] = field(default_factory=dict)
    masking: "Masking | None" = None
    all_rows: Callable[[], Rows] | None = None
    failing: Callable[[], Rows] | None = None

    def verified(self, published: Rows | None = None) -> "Verdict":
        """The verdict after a look at what is about to be published: held where a protected value is given away.

        Args:
            published: The rows as they were written; `published` where nothing was.

        Returns:
            This verdict where nothing is protected, published, or wrong.
        """
        if self.masking is None or self.all_rows is None or not isinstance(self.outcome, Publish | Split):
            return self
        fault = self.masking.faults(self.published if published is None else published)
        if not fault:
            return self
        broken: dict[str, Any] = {"broken_rows": self.ingested_rows, "detail": fault}
        rules = tuple(replace(c, **broken) if c.rule.name == MASKING_VERIFIED else c for c in self.rules)
        return replace(
            self,
            outcome=Hold(f"{MASKING_VERIFIED}: {fault}"),
            discarded_rows=0,
            rules=rules,
            published=self.published.limit(0),
            quarantined=self.all_rows(),
            masking=None,
        )

    @property
    def failing_rows(self) -> Rows:
        """The numbers of the failed rows, as ``_row``."""
        assert self.failing is not None  # noqa: S101  # a gate gives it
        return self.failing()

    def held_for(self, reason: str) -> "Verdict":
        """The verdict, held for one more reason that is not the gate's own; an empty or discarded batch stays so."""
        match self.outcome:
            case Hold(before):
                return replace(self, outcome=Hold(f"{before}; {reason}"))
            case Empty() | Discard():
                return self
            case _:
                assert self.all_rows is not None  # noqa: S101  # a gate gives it
                return replace(
                    self,
                    outcome=Hold(reason),
                    discarded_rows=0,
                    published=self.published.limit(0),
                    quarantined=self.all_rows(),
                    masking=None,
                )

    @property
    def published_rows(self) -> int:
        """Rows to publish."""
        return self.ingested_rows - self.quarantined_rows - self.discarded_rows

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
        """The rules that were broken: those that hold the batch, then those that quarantine rows, then warnings.

        Most rows first among each; a changed schema comes last.
        """
        order = {Route.HOLD: 0, Route.QUARANTINE: 1, Route.WARN: 2}

        def place(count: RuleCount) -> tuple[bool, int, int]:
            return count.rule.name == SCHEMA_UNCHANGED, order[count.rule.route], -count.broken_rows

        return tuple(sorted((count for count in self.rules if count.broken_rows), key=place))

    @property
    def deciding(self) -> tuple[RuleCount, ...]:
        """The broken rules, as messages name them.

        Without a changed schema where a rule that holds or quarantines is broken; it is in `findings` all the same.
        """
        rules = [count for count in self.broken if count.rule.name != SCHEMA_UNCHANGED]
        return tuple(rules) if any(count.rule.route is not Route.WARN for count in rules) else self.broken
