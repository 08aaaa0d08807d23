"""What is proposed for one table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from readiness_pipelines.detection import Proposal
from readiness_pipelines.drafting.columns import ColumnDraft
from readiness_pipelines.drafting.keys import KeyDraft
from readiness_pipelines.drafting.placing import Placement
from readiness_pipelines.drafting.rules import RuleDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingRule:
    """What the gate says of one rule over the sample.

    Attributes:
        rule: The rule's name.
        columns: The columns it looks at.
        rows: Rows that break it.
        reason: What it requires, for people.
        values: A few of the values that break it; none of columns about persons.
    """

    rule: str
    columns: tuple[str, ...]
    rows: int
    reason: str
    values: tuple[str, ...] = ()


LEAST_TOLERANCE = 0.05
MOST_TOLERANCE = 0.5
"""A batch of which more fails has another fault than the others: it would be held, and that is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the drafted gate says of the sample.

    Attributes:
        held: Why nothing would be published, of each batch that is held whatever the tolerance.
        shares: The share of rows that would wait, of each batch.
        rows: Rows judged.
        failed: Rows that would wait.
        broken: The rules that rows break.
        good: A row that passes, as text; ``None`` where none does, or it has values that text does not tell.
    """

    held: Mapping[str, str]
    shares: Mapping[str, float]
    rows: int
    failed: int
    broken: tuple[FailingRule, ...]
    good: Mapping[str, str | None] | None

    @property
    def tolerance(self) -> float:
        """The share of a batch that may wait: what its worst batch needs and some more, between a twentieth and half.

        A sample of one batch has twice what fails in it, though that is more than half.
        """
        if len(self.shares) == 1:
            (share,) = self.shares.values()
            return min(1.0, max(LEAST_TOLERANCE, math.ceil(200 * share) / 100))
        usual = [share for share in self.shares.values() if share <= MOST_TOLERANCE]
        return min(MOST_TOLERANCE, max(LEAST_TOLERANCE, math.ceil(120 * max(usual, default=0.0)) / 100))

    @property
    def would_be_held(self) -> Mapping[str, str]:
        """Why nothing would be published, of each batch of the sample of which that is so, by its tolerance, too."""
        over = {
            batch: f"{share:.0%} of its rows fail" for batch, share in self.shares.items() if share > self.tolerance
        }
        return {**over, **self.held}

    def of(self, column: str) -> tuple[FailingRule, ...]:
        """The rules over one column that rows break."""
        return tuple(one for one in self.broken if one.columns == (column,))


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyDraft:
    """Many columns of numbers that are called alike, but for a number: one field, by a pattern.

    Attributes:
        field: The name of the field.
        pattern: The pattern of the columns' names.
        type: Their Arrow type.
        columns: The columns.
    """

    field: str
    pattern: str
    type: pa.DataType
    columns: tuple[ColumnDraft, ...]


NOT_JUDGED = Judgement(held={}, shares={}, rows=0, failed=0, broken=(), good=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDraft:
    """What is proposed for a table.

    Attributes:
        model: The name of its Pandera model.
        placement: Where its files land, and its batches.
        options: Arguments of its `FileDrop`, without the pattern.
        notes: Why, by option.
        columns: Its columns.
        rules: The rules of each, by name.
        spans: From which value to which those of each reach, by name.
        key: What tells its rows apart.
        left_out: Columns that arrive and are not declared, with the reason.
        families: Columns that are declared together, and are not among `columns`.
        rows: Rows of the sample.
        whole: Whether these are all.
        judgement: What the gate says of them.
    """

    model: str
    placement: Placement
    options: Mapping[str, Any]
    notes: Mapping[str, str]
    columns: tuple[ColumnDraft, ...]
    rules: Mapping[str, tuple[RuleDraft, ...]]
    spans: Mapping[str, str]
    key: KeyDraft
    left_out: Mapping[str, str]
    families: tuple[FamilyDraft, ...]
    rows: int
    whole: bool
    judgement: Judgement = field(default=NOT_JUDGED)

    @property
    def name(self) -> str:
        """The table's name."""
        return self.placement.table

    @property
    def files(self) -> str:
        """Its files, or the table in a database, for people."""
        names = [path.name for path in self.placement.keys]
        return names[0] if len(names) == 1 else f"{len(names)} files like {names[0]}"

    @property
    def personal(self) -> tuple[str, ...]:
        """Columns that may be about persons."""
        return tuple(one.names.name for one in self.columns if one.personal)

    @property
    def proposals(self) -> Mapping[str, Proposal]:
        """What columns look like that are about persons, by column."""
        return {one.names.name: one.proposal for one in self.columns if one.proposal is not None}

    def nullable(self, column: ColumnDraft) -> bool:
        """Whether a column may be empty: where it is in the sample, and is no key."""
        return (column.empty > 0 or column.rows == 0) and column.names.name not in self.key.columns
