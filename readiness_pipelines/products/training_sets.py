"""A training set as a value: the rows a model learns from, what they are made of, and where each label went."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import pyarrow as pa

from readiness_pipelines.names import TableId

SPLIT = "_split"
"""The column of a training set that says what a row is for; see `TrainingSplit`."""

SYNTHETIC = "_synthetic"
"""The column that flags rows that nobody observed, where a training set has such rows: none is held out."""


def is_synthetic(of: str = "") -> str:
    """SQL for a row that is flagged as synthetic: one whose flag cannot be read is.

    Args:
        of: Before the column's name: "" or an alias with its dot.
    """
    return f"TRY_CAST({of}{SYNTHETIC} AS BOOLEAN) IS DISTINCT FROM false"


class TrainingSplit(StrEnum):
    """What a row of a training set is for: ``TRAIN`` to learn from, ``HOLDOUT`` to compare models on."""

    TRAIN = "train"
    HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class UsedBatch:
    """A published batch that a training set read, as it was then.

    Attributes:
        table: The table.
        batch: The batch's key.
        snapshot: The Iceberg snapshot by which it was read.
        gate: The version of the gate that judged it.
        decisions: The ids of the decisions that were in force for it, ascending.
    """

    table: TableId
    batch: str
    snapshot: int
    gate: str
    decisions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCounts:
    """Where each label of the labels' table went: labels = trained + held out + waiting + excluded.

    Attributes:
        labels: All of them.
        trained: Rows to learn from.
        held_out: Rows to compare models on.
        waiting: Labels that are not yet known, by reason.
        excluded: Labels that no model may use, by reason.
    """

    labels: int
    trained: int
    held_out: int
    waiting: Mapping[str, int] = field(default_factory=dict)
    excluded: Mapping[str, int] = field(default_factory=dict)

    @property
    def balanced(self) -> bool:
        """Whether each label went somewhere, once."""
        return self.labels == self.trained + self.held_out + sum(self.waiting.values()) + sum(self.excluded.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltTrainingSet:
    """A training set that was built: its rows, and what they follow from.

    Attributes:
        id: The hash of definition, snapshots, gate versions and decisions: the same id, the same bytes.
        name: The training set's identity, ``domain.name``.
        rows: One row a label, in a fixed order: the entity's columns, the label, the features, and ``_split``.
        entity: The columns that say whom or what a row is about.
        label: The column to be learned.
        features: The columns to learn from.
        counts: Where each label went.
        used: The batches it was made of, ascending.
        built_at: When it was first built, in UTC.
    """

    id: str
    name: TableId
    rows: pa.Table = field(repr=False)
    entity: tuple[str, ...]
    label: str
    features: tuple[str, ...]
    counts: LabelCounts
    used: tuple[UsedBatch, ...] = field(repr=False)
    built_at: datetime
