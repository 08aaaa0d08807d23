"""Temperatures that a function fetches day by day, and the means of their weeks."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import DailyBatches, Domain, Function, Mean, Source, Steward, WeeklyBatches

API: dict[str, list[Any]] = {}
"""What the sensors' interface would answer, by day."""


class Temperature(pa.DataFrameModel):
    """One reading."""

    sensor: arrow.string()
    degrees: arrow.float64() = pa.Field(ge=-60, le=60, coerce=True)


class Week(pa.DataFrameModel):
    """A sensor's week."""

    sensor: arrow.string() = pa.Field(unique=True)
    degrees: arrow.float64()
    readings: arrow.int64()


def fetch(day: str) -> Iterator[dict[str, Any]]:
    """The readings of a day, one by one."""
    for number, degrees in enumerate(API[day]):
        yield {"sensor": "north" if number % 2 == 0 else "south", "degrees": degrees}


sensors = Domain("sensors", owner="building@campus.example")

temperatures = sensors.gated(
    "temperatures",
    source=Source(
        origin="Sensor interface",
        steward=Steward("Building", "building@campus.example"),
        reader=Function(fetch, arrivals=lambda: list(API), fingerprint=lambda day: str(API[day])),
    ),
    schema=Temperature,
    batches=DailyBatches(start=date(2026, 1, 5)),
)


@sensors.derived(schema=Week, batches=WeeklyBatches(start=date(2026, 1, 5)), key="sensor")
def weeks(temperatures: Relation) -> Relation:
    """Means of a week."""
    return temperatures.aggregate("sensor, avg(degrees) AS degrees, count(*) AS readings", "sensor")


@sensors.kpi(question="How warm is it?", unit="°C")
def warmth(weeks: Relation) -> Mean:  # its only input is what is counted
    """Mean of the sensors."""
    return Mean("degrees")
