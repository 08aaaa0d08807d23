"""What a table promises about itself."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Self

from pydantic import Field, model_validator

from readiness_pipelines.batches.kinds import TimeZone
from readiness_pipelines.batches.schedules import CronExpression
from readiness_pipelines.durations import Duration
from readiness_pipelines.frozen import Frozen


class Tolerance(Frozen):
    """How much may go to quarantine before the whole batch is held.

    A batch is held when it is *over* a bound: at exactly the bound it is still published in part. A batch of which no
    row passes is held whatever the tolerance.

    Attributes:
        quarantined_ratio: Share of the batch's rows, 0 to 1; ``None`` for no bound.
        quarantined_rows: Count of rows; ``None`` for no bound.
        over: For streams: the ratio is not one of the batch's rows, but of so many last rows of each partition of the
            topic, whatever slices and windows they are in. ``None`` for the batch's rows.
        rules: Bounds for single rules, by name: rows that break that rule, whatever its route.

    Example:
        Tolerance(quarantined_ratio=0.06, rules={"diagnosis_str_matches": Tolerance(quarantined_rows=100)})
    """

    quarantined_ratio: float | None = Field(default=None, ge=0, le=1)
    quarantined_rows: int | None = Field(default=None, ge=0)
    over: int | None = Field(default=None, ge=1)
    rules: Mapping[str, "Tolerance"] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_level(self) -> Self:
        if self.over is not None and self.quarantined_ratio is None:
            raise ValueError("over says of how many last rows quarantined_ratio is: declare both")
        if any(bound.over is not None for bound in self.rules.values()):
            raise ValueError("the tolerance of one rule is over a batch's rows: drop its over=…")
        if any(bound.rules for bound in self.rules.values()):
            raise ValueError("the tolerance of one rule has no tolerances by rule of its own")
        return self

    def exceeded_by(self, rows: int, of: int) -> str:
        """The bound that some rows of a batch are over, for people; "" where they are within."""
        # A quotient of whole numbers is the float nearest to it, as the bound is: 29 / 100 is 0.29. The product is not.
        if self.quarantined_ratio is not None and self.over is None and rows and rows / of > self.quarantined_ratio:
            return f"{self.quarantined_ratio:.2%}"
        if self.quarantined_rows is not None and rows > self.quarantined_rows:
            return f"{self.quarantined_rows:,} rows"
        return ""

    @property
    def bounds(self) -> dict[str, Any]:
        """The bounds by name, without those of single rules; `over` only where it is declared."""
        return self.model_dump(exclude={"rules"} if self.over is not None else {"rules", "over"})

    @property
    def rolling_rows(self) -> int:
        """How many of the last `over` rows may break a rule: whole rows, by the ratio as it is written."""
        return int(Fraction(str(self.quarantined_ratio or 0)) * (self.over or 0))


class Freshness(Frozen):
    """How old a table's newest published batch may be, or by when a batch is due.

    Without `due`, the age counts from the end of the newest published day or hour; for batches without a calendar, from
    its first publication; with `event_time`, from the newest event that is published. A held batch, or an old one
    replayed, makes nothing fresh.

    With `due`, every tick of the schedule asks for the newest batch that has ended by then (without a calendar: for one
    published since the tick before), and `warn_after` and `fail_after` count from the tick.

    Attributes:
        warn_after: Age, or delay after the due time, at which the table is late.
        fail_after: Age or delay at which the promise is broken; not before `warn_after`.
        due: When a batch is due, as a cron expression ("0 6 * * 1-5"); ``None`` to promise an age.
        timezone: IANA name of the schedule's time zone.
        event_time: Column with the time of an event; only without `due`.

    Example:
        Freshness(warn_after="26h", fail_after="36h")
        Freshness(warn_after="30m", fail_after="2h", due="0 6 * * 1-5", timezone="Europe/Vienna")
    """

    warn_after: Duration
    fail_after: Duration
    due: CronExpression | None = None
    timezone: TimeZone = "UTC"
    event_time: str | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.fail_after < self.warn_after:
            raise ValueError(f"fail_after ({self.fail_after}) comes before warn_after ({self.warn_after})")
        if self.due is not None and self.event_time is not None:
            raise ValueError("a promise counts from a schedule (due) or from the events (event_time), not from both")
        return self


class Sla(Frozen):
    """What a product promises about its data for each calendar month (UTC): its data quality SLA.

    `readiness scorecard` reckons it from the ledger. What is not given is not promised.

    Attributes:
        published: The least share of the rows that its sources delivered for the month and that are published, 0 to 1.
        fresh: The least share of the month in which its freshness promise was kept, 0 to 1; needs `freshness`.
        repaired_within: The longest that a batch of its data path, held in the month, may take until it is published
            or discarded.

    Example:
        Sla(published=0.98, fresh=0.99, repaired_within="8h")
    """

    published: float | None = Field(default=None, ge=0, le=1)
    fresh: float | None = Field(default=None, ge=0, le=1)
    repaired_within: Duration | None = None

    @model_validator(mode="after")
    def _promises_something(self) -> Self:
        if self.published is None and self.fresh is None and self.repaired_within is None:
            raise ValueError("nothing is promised: give published, fresh or repaired_within")
        return self
