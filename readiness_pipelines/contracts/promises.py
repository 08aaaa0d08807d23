"""What a table promises about itself."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from readiness_pipelines.contracts.base import Contract
from readiness_pipelines.contracts.durations import Duration


class Tolerance(Contract):
    """How much may go to quarantine before the whole batch is held.

    A batch is held when it is *over* a bound: at exactly the bound it is still published in part. A batch of which no
    row passes is held whatever the tolerance.

    Attributes:
        quarantined_ratio: Share of the batch's rows, 0 to 1; ``None`` for no bound.
        quarantined_rows: Count of rows; ``None`` for no bound.
        rules: Bounds for single rules, by name: rows that break that rule, whatever its route.
    """

    quarantined_ratio: float | None = Field(default=None, ge=0, le=1)
    quarantined_rows: int | None = Field(default=None, ge=0)
    rules: Mapping[str, "Tolerance"] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_level(self) -> Self:
        if any(bound.rules for bound in self.rules.values()):
            raise ValueError("the tolerance of one rule has no tolerances by rule of its own")
        return self

    def exceeded_by(self, rows: int, of: int) -> str:
        """The bound that some rows of a batch are over, for people; "" where they are within."""
        if self.quarantined_ratio is not None and rows > self.quarantined_ratio * of:
            return f"{self.quarantined_ratio:.2%}"
        if self.quarantined_rows is not None and rows > self.quarantined_rows:
            return f"{self.quarantined_rows:,} rows"
        return ""


class Freshness(Contract):
    """How old a table's newest published batch may be.

    Attributes:
        warn_after: Age at which the table is late.
        fail_after: Age at which the promise is broken; not before `warn_after`.
    """

    warn_after: Duration
    fail_after: Duration

    @model_validator(mode="after")
    def _warns_first(self) -> Self:
        if self.fail_after < self.warn_after:
            raise ValueError(f"fail_after ({self.fail_after}) comes before warn_after ({self.warn_after})")
        return self
