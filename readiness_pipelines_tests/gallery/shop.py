"""Revenue in euros by country, from orders of a day and rates that are delivered when they change."""

from datetime import date

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import DailyBatches, Domain, FileDrop, MonthlyBatches, Ratio, Source, Steward, Sum, Versions

SALES = Steward("Sales", "sales@shop.example")


class Order(pa.DataFrameModel):
    """One order, in the currency of its country."""

    order_id: arrow.int64() = pa.Field(unique=True)
    country: arrow.string()
    currency: arrow.string()
    cents: arrow.int64() = pa.Field(ge=0)
    returned: arrow.bool_()


class Rate(pa.DataFrameModel):
    """What a currency is worth."""

    currency: arrow.string() = pa.Field(unique=True)
    euros: arrow.float64() = pa.Field(gt=0)


class Revenue(pa.DataFrameModel):
    """A country's orders of a day."""

    country: arrow.string() = pa.Field(unique=True)
    orders: arrow.int64()
    returned: arrow.int64()
    cents: arrow.int64()
    euros: arrow.float64()


class Month(pa.DataFrameModel):
    """A country's orders of a month."""

    country: arrow.string() = pa.Field(unique=True)
    cents: arrow.int64()
    euros: arrow.float64()


shop = Domain("sales", owner="sales@shop.example")

rates = shop.gated(
    "rates",
    source=Source(origin="Bank", steward=SALES, reader=FileDrop("rates/{batch}.csv")),
    schema=Rate,
    batches=Versions(),
)
orders = shop.gated(
    "orders",
    source=Source(origin="Shop", steward=SALES, reader=FileDrop("sold/{batch}.csv")),
    schema=Order,
    batches=DailyBatches(start=date(2026, 1, 1)),
)


@shop.derived(schema=Revenue, key="country")
def revenue(orders: Relation, rates: Relation) -> Relation:
    """Orders by country, at the rate in force."""
    each = orders.aggregate(
        "country, currency, count(*) AS orders, count(*) FILTER (returned) AS returned, sum(cents) AS cents",
        "country, currency",
    )
    joined = each.set_alias("each").join(rates.set_alias("rates"), "each.currency = rates.currency")
    return joined.aggregate(
        "country, sum(orders) AS orders, sum(returned) AS returned, sum(cents) AS cents, "
        "sum(cents * euros / 100) AS euros",
        "country",
    )


@shop.derived(schema=Month, batches=MonthlyBatches(start=date(2026, 1, 1)), key="country")
def monthly(revenue: Relation) -> Relation:
    """The days of a month together."""
    return revenue.aggregate("country, sum(cents) AS cents, sum(euros) AS euros", "country")


@shop.kpi(question="What do we earn?", unit="EUR", by=["country"], target=">= 20", targets={"CH": ">= 5"})
def earned(revenue: Relation) -> Sum:  # its only input is what is counted
    """Euros of a day."""
    return Sum("euros")


@shop.kpi(question="How many orders come back?", unit="ratio", by="country", target="<= 25 %")
def return_rate(revenue: Relation) -> Ratio:  # as above
    """Share of the orders that were returned."""
    return Ratio("sum(returned)", "sum(orders)")


@shop.kpi(question="What do we earn in a month?", unit="EUR")
def earned_monthly(monthly: Relation) -> Sum:  # as above
    """Euros of a month."""
    return Sum("euros")
