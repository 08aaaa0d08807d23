"""Air quality from a station's spreadsheet export: semicolons, decimal commas, nameless columns, empty lines."""

from datetime import date

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import DailyBatches, Domain, FileDrop, Mean, Numbers, Source, Steward, cleanse


class Reading(pa.DataFrameModel):
    """One hour at one station."""

    station: arrow.string()
    hour: arrow.int64() = pa.Field(ge=0, le=23, unique=True)
    ozone: arrow.float64() = pa.Field(alias="O3 (µg/m³)", nullable=True, ge=0, metadata=cleanse(Numbers(decimal=",")))


air = Domain("air", owner="air@city.example")

readings = air.gated(
    "readings",
    source=Source(
        origin="Station export",
        steward=Steward("Stations", "stations@city.example"),
        reader=FileDrop("air/{batch}.csv", delimiter=";", encoding="latin-1", ignore=("",), missing="-200"),
    ),
    schema=Reading,
    batches=DailyBatches(start=date(2026, 3, 28), timezone="Europe/Rome"),
)


@air.kpi(question="How much ozone is in the air?", unit="µg/m³", target="<= 120")
def ozone(readings: Relation) -> Mean:  # its only input is what is counted
    """Mean of the hours that were measured."""
    return Mean('"O3 (µg/m³)"')
