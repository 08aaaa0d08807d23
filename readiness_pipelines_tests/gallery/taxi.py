"""Tolls of taxi trips, from monthly Parquet files whose types drift from month to month."""

from datetime import date

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import Domain, FileDrop, MonthlyBatches, Source, Steward, Sum


class Trip(pa.DataFrameModel):
    """One trip; some operators send no toll."""

    trip: arrow.int64() = pa.Field(unique=True)
    toll: arrow.int64() = pa.Field(nullable=True, ge=0)


taxi = Domain("taxi", owner="city@taxi.example")

trips = taxi.gated(
    "trips",
    source=Source(
        origin="Taxi commission",
        steward=Steward("Commission", "data@taxi.example"),
        reader=FileDrop("trips/{batch}.parquet"),
    ),
    schema=Trip,
    batches=MonthlyBatches(start=date(2026, 1, 1)),
)


@taxi.kpi(question="How much toll is paid?", unit="USD")
def tolls(trips: Relation) -> Sum:  # its only input is what is counted
    """Tolls of a month."""
    return Sum("toll")
