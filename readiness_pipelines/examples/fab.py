"""First-pass yield: the share of wafers that pass their first test, from the readings of a line's 590 sensors."""

from datetime import date
from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    Classification,
    DailyBatches,
    Domain,
    FileDrop,
    Freshness,
    Ratio,
    Route,
    Sla,
    Source,
    Steward,
    WithinUsualRange,
)

SENSORS = r"^\d{1,3}$"
PASSED, FAILED = -1, 1


class Wafer(pa.DataFrameModel):
    """One wafer: when it was tested, what the line's sensors said on its way, and whether it passed."""

    tested_at: arrow.timestamp("us") = pa.Field(alias="Time")
    sensors: arrow.float64() = pa.Field(alias=SENSORS, regex=True, nullable=True)
    result: arrow.int8() = pa.Field(alias="Pass/Fail", isin=[PASSED, FAILED])

    @pa.dataframe_check(native=False)
    def dated_in_its_batch(cls, _frame: nw.LazyFrame[Any]) -> nw.Expr:
        """A wafer is tested on the day whose file it is in; another date was written with day and month swapped."""
        return nw.col("Time").dt.to_string("%Y-%m-%d") == nw.col("_batch")


fab = Domain("fab", owner="yield@fab.example", on_call="metrology@fab.example", answer_within="1h")

wafers = fab.gated(
    "wafers",
    source=Source(
        origin="Test floor export",
        steward=Steward("Line metrology", "metrology@fab.example"),
        reader=FileDrop("first_pass_yield/wafers/{batch}/*.csv.gz"),
        refresh="1d",
        classification=Classification.INTERNAL,
        known_issues=(
            "day and month are swapped in every timestamp of a day up to the 12th",
            "28 sensors are missing in more than half of the wafers, 116 never change",
            "on five days nothing was tested: their files have no row",
        ),
        schema_version="SECOM re-pack",
    ),
    schema=Wafer,
    batches=DailyBatches(start=date(2008, 7, 19), end=date(2008, 10, 18)),
    rules=(WithinUsualRange((SENSORS,), widened_by=5),),
    routes={"sensors_within_usual_range": Route.WARN},
    allow_empty=True,
    freshness=Freshness(due="5 0 * * *", warn_after="5m", fail_after="1h"),
    latency="5m",
    synonyms=["dies", "test floor"],
)


@fab.kpi(
    question="How many wafers pass their first test?",
    unit="ratio",
    target=">= 0.93",
    sla=Sla(published=0.99, repaired_within="3d"),
)
def first_pass_yield(wafers: Relation) -> Ratio:  # noqa: ARG001  # its only input is what is counted
    """Share of the wafers that passed; unknown on days without any."""
    return Ratio(f'count(*) FILTER ("Pass/Fail" = {PASSED})', "count(*)")
