"""Kinds of batches, their windows and their order; one batch of one table, and where it stands."""

from readiness_pipelines.batches.event_times import QUARTER, EventTimes, bounds
from readiness_pipelines.batches.kinds import (
    VERSION_KEY,
    Batches,
    Calendar,
    DailyBatches,
    Grid,
    Growing,
    HourlyBatches,
    Keys,
    MonthlyBatches,
    QuarterHourlyBatches,
    Scope,
    StaticBatches,
    TimeZone,
    Versions,
    WeeklyBatches,
    Window,
    checked_key,
    in_order,
)
from readiness_pipelines.batches.publication import Publication
from readiness_pipelines.batches.refs import BatchRef, BatchState, Counts

__all__ = [
    "QUARTER",
    "VERSION_KEY",
    "BatchRef",
    "BatchState",
    "Batches",
    "Calendar",
    "Counts",
    "DailyBatches",
    "EventTimes",
    "Grid",
    "Growing",
    "HourlyBatches",
    "Keys",
    "MonthlyBatches",
    "Publication",
    "QuarterHourlyBatches",
    "Scope",
    "StaticBatches",
    "TimeZone",
    "Versions",
    "WeeklyBatches",
    "Window",
    "bounds",
    "checked_key",
    "in_order",
]
