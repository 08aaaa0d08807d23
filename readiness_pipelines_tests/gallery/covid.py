"""Cases a day per country and per inhabitant, from cumulative daily files whose layout changed over the years."""

from datetime import date

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import DailyBatches, Domain, ExistsIn, FileDrop, Mean, Source, Steward, Sum, Versions

DAYS = DailyBatches(start=date(2020, 3, 1))
UNIVERSITY = Steward("University", "data@university.example")


class Population(pa.DataFrameModel):
    """How many live in a country."""

    country: arrow.string() = pa.Field(unique=True)
    inhabitants: arrow.int64() = pa.Field(gt=0)


class Cases(pa.DataFrameModel):
    """Cases of a region since the beginning."""

    country: arrow.string()
    region: arrow.string() = pa.Field(nullable=True)
    confirmed: arrow.int64() = pa.Field(ge=0)


class Daily(pa.DataFrameModel):
    """New cases of a country on a day."""

    country: arrow.string()
    new_cases: arrow.int64()


class Weekly(pa.DataFrameModel):
    """Mean of the new cases of the last seven days."""

    country: arrow.string()
    mean_cases: arrow.float64()
    days: arrow.int64()


covid = Domain("covid", owner="health@city.example")

population = covid.gated(
    "population",
    source=Source(origin="Census", steward=UNIVERSITY, reader=FileDrop("population/{batch}.csv")),
    schema=Population,
    batches=Versions(),
)

cases = covid.gated(
    "cases",
    source=Source(
        origin="Daily reports",
        steward=UNIVERSITY,
        reader=FileDrop(
            "reports/{batch:%m-%d-%Y}.csv",
            rename={
                "Country/Region": "country",
                "Country_Region": "country",
                "Province/State": "region",
                "Province_State": "region",
                "Confirmed": "confirmed",
            },
            ignore=("Last*", "Lat*", "Lon*", "Deaths", "Recovered", "FIPS", "Admin2", "Combined_Key", "Case*"),
        ),
    ),
    schema=Cases,
    batches=DAYS,
    rules=[ExistsIn("country", population)],
)


@covid.derived(schema=Daily, reads={"before": cases.before()}, key="country")
def new_cases(cases: Relation, before: Relation) -> Relation:
    """Today's sum less yesterday's."""
    today = cases.aggregate("country, sum(confirmed) AS confirmed", "country").set_alias("today")
    yesterday = before.aggregate("country, sum(confirmed) AS confirmed", "country").set_alias("yesterday")
    return today.join(yesterday, "today.country = yesterday.country", "left").project(
        "today.country, (today.confirmed - coalesce(yesterday.confirmed, 0))::BIGINT AS new_cases"
    )


@covid.derived(schema=Weekly, reads={"week": new_cases.last(7)}, key="country")
def seven_days(week: Relation) -> Relation:
    """Mean of the days that are there."""
    return week.aggregate("country, avg(new_cases) AS mean_cases, count(*) AS days", "country")


@covid.kpi(question="How many cases have there been?", unit="cases", additive=False)
def all_cases(cases: Relation) -> Sum:  # its only input is what is counted
    """Cases since the beginning."""
    return Sum("confirmed")


@covid.kpi(question="How many new cases does a country have a day?", unit="cases")
def mean_new_cases(new_cases: Relation) -> Mean:  # as above
    """New cases per country."""
    return Mean("new_cases")
