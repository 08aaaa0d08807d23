"""What a batch held against the batches before it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from readiness_pipelines.observability.profiles import BatchProfile, ColumnKind, ColumnProfile


class Measured(StrEnum):
    """What of a batch was compared: its rows, or a column's missing, new or all values; or where a column is going."""

    ROWS = "rows"
    NULLS = "missing values"
    NEW_VALUES = "new values"
    VALUES = "values"
    LENGTHS = "lengths"
    DRIFT = "drift"
    NULL_DRIFT = "drift of missing values"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a histogram: the shares of the rows seen and expected in it."""

    label: str
    seen: float
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Something of a batch that is not as in the batches before it.

    Attributes:
        measured: What was compared.
        column: The column; ``None`` for the batch's rows.
        promised: What was expected, for people.
        seen: What was seen, for people.
        p: How probable that is, by chance.
        distances: ``psi``, ``js``, and of numbers ``ks``, where distributions were compared; ``cusum``, where a chart
            was followed.
        histogram: Both distributions, where distributions were compared.
    """

    measured: Measured
    column: str | None
    promised: str
    seen: str
    p: float
    distances: Mapping[str, float] = field(default_factory=dict)
    histogram: tuple[Bar, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An earlier batch.

    Attributes:
        profile: What was in it.
        weekday: Its weekday, where batches are days.
        unlike: Its columns, ``None`` for its number of rows, that were found, or said, to be unlike the others: in
            these it is no example. In the rest it is, so that a column does not hide what becomes of another.
    """

    profile: BatchProfile
    weekday: int | None = None
    unlike: frozenset[str | None] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A batch held against earlier ones.

    Attributes:
        batches: How many it was held against.
        needed: How many are needed; with fewer, nothing is said.
        expected_rows: The rows it was expected to have, low and high; ``None`` with too few batches.
        moved: What is not as it was, the least probable first.
    """

    batches: int
    needed: int
    expected_rows: tuple[float, float] | None = None
    moved: tuple[Moved, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether there were enough earlier batches to say something."""
        return self.batches >= self.needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A column in the batches before.

    Attributes:
        columns: The column of each, oldest first.
        weekdays: The weekday of each; ``None`` where batches are not days.
        weekday: That of the batch that is held against them.
        level: How seldom a column that is like the others may be found not to be.
    """

    columns: tuple[ColumnProfile, ...]
    weekdays: tuple[int | None, ...]
    weekday: int | None
    level: float

    @property
    def rows(self) -> list[int]:
        """The rows of each batch that have a value."""
        return [one.rows - one.nulls for one in self.columns]

    def only(self, kind: ColumnKind) -> "Earlier":
        """The batches in which the column is of a kind, and distributed somehow."""
        pairs = zip(self.columns, self.weekdays, strict=True)
        chosen = [(one, day) for one, day in pairs if one.kind is kind and one.has_distribution]
        return replace(self, columns=tuple(c for c, _ in chosen), weekdays=tuple(day for _, day in chosen))
