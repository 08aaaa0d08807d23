"""A KPI's values as they are read back, and several batches together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness_pipelines.contracts.tables import Kpi
from readiness_pipelines.contracts.targets import Target
from readiness_pipelines.products.suppression import SUPPRESSED


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiValue:
    """One value of a KPI.

    Attributes:
        batch: The batch it speaks of; ``None`` for several batches together.
        dimensions: The values of the dimensions, by column; empty for the total.
        value: The value, in the KPI's unit; ``None`` where nothing could be counted.
        numerator: What was counted, where the measure has such a thing.
        denominator: Of how many, where the measure has such a thing.
        target: What the value should be.
        met: Whether it is; ``None`` without a target or a value.
        suppressed: Why it has no value, where it is of too few rows or persons to be published; ``None`` else.
    """

    batch: str | None
    dimensions: Mapping[str, str | None]
    value: float | None
    numerator: float | None
    denominator: float | None
    target: Target | None
    met: bool | None
    suppressed: str | None = None

    @property
    def is_total(self) -> bool:
        """Whether it speaks of all values of the dimensions together."""
        return not self.dimensions


def values_of(kpi: Kpi, rows: Sequence[Mapping[str, Any]]) -> tuple[KpiValue, ...]:
    """Rows of a KPI's table as values; the target in the code says whether it is met."""
    found = []
    for row in rows:
        dimensions = {} if row["is_total"] else {name: row.get(name) for name in kpi.by}
        found.append(
            _value(
                kpi,
                row["_batch"],
                dimensions,
                value=row["value"],
                numerator=row["numerator"],
                denominator=row["denominator"],
                suppressed=row.get(SUPPRESSED),
            )
        )
    return tuple(found)


def combined(kpi: Kpi, values: Sequence[KpiValue]) -> KpiValue | None:
    """The totals of several batches as one number, by numerator and denominator.

    Returns:
        ``None`` where batches do not add up: a KPI that says so, or a measure without a numerator.
    """
    totals = [value for value in values if value.is_total and value.value is not None]
    if not kpi.additive or not totals or any(value.numerator is None for value in totals):
        return None
    numerator = sum(value.numerator or 0 for value in totals)
    if all(value.denominator is None for value in totals):
        return _value(kpi, None, {}, value=numerator, numerator=numerator, denominator=None)
    denominator = sum(value.denominator or 0 for value in totals)
    value = numerator / denominator if denominator else None
    return _value(kpi, None, {}, value=value, numerator=numerator, denominator=denominator)


def _value(
    kpi: Kpi,
    batch: str | None,
    dimensions: Mapping[str, str | None],
    *,
    value: float | None,
    numerator: float | None,
    denominator: float | None,
    suppressed: str | None = None,
) -> KpiValue:
    target = kpi.target_of(tuple(dimensions.values()))
    return KpiValue(
        batch=batch,
        dimensions=dimensions,
        value=value,
        numerator=numerator,
        denominator=denominator,
        target=target,
        met=target.met_by(value) if target else None,
        suppressed=suppressed,
    )
