"""What a KPI measures: DuckDB expressions that aggregate the rows of its input."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ratio:
    """One aggregate over another: over several batches, the sum of the ones over the sum of the others.

    Attributes:
        numerator: Aggregate expression: ``"count(*) FILTER (status = 'refunded')"``.
        denominator: Aggregate expression: ``"count(*)"``. Where it is 0, there is no value.
        of: The relation that is aggregated; ``None`` for the KPI's only input.

    Example:
        Ratio("count(*) FILTER (status = 'refunded')", "count(*)")
    """

    numerator: str
    denominator: str
    of: Any = None


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum: over several batches, the sum of theirs.

    Attributes:
        expression: What is summed, per row: ``"amount"``.
        of: The relation that is aggregated; ``None`` for the KPI's only input.

    Example:
        Sum("amount * rate")
    """

    expression: str
    of: Any = None


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of what has a value: over several batches, of all their rows.

    Attributes:
        expression: What is averaged, per row: ``"minutes"``.
        of: The relation that is aggregated; ``None`` for the KPI's only input.

    Example:
        Mean("minutes")
    """

    expression: str
    of: Any = None


@dataclass(frozen=True, slots=True)
class Value:
    """Any aggregate. Nothing says how batches would add up: it is known per batch only.

    Attributes:
        expression: Aggregate expression: ``"median(minutes)"``.
        of: The relation that is aggregated; ``None`` for the KPI's only input.

    Example:
        Value("median(minutes)")
    """

    expression: str
    of: Any = None


Measure = Ratio | Sum | Mean | Value
