"""What a table promises about itself."""

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
    """

    quarantined_ratio: float | None = Field(default=None, ge=0, le=1)
    quarantined_rows: int | None = Field(default=None, ge=0)


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
