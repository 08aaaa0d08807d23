"""Takings of a chain's tills, read from the chain's database, where rows come late."""

from datetime import date

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import DailyBatches, Domain, ExistsIn, Source, SqlQuery, Steward, Sum, Versions

CHAIN = Steward("Tills", "tills@chain.example")


class Store(pa.DataFrameModel):
    """One store."""

    store: arrow.int64() = pa.Field(unique=True)
    city: arrow.string()


class Receipt(pa.DataFrameModel):
    """One receipt."""

    receipt: arrow.int64() = pa.Field(unique=True)
    store: arrow.int64()
    cents: arrow.int64()


class Taken(pa.DataFrameModel):
    """What a city's stores took in a day."""

    city: arrow.string() = pa.Field(unique=True)
    cents: arrow.int64()


tills = Domain("tills", owner="finance@chain.example")

stores = tills.gated(
    "stores",
    source=Source(
        origin="Till database", steward=CHAIN, reader=SqlQuery("SELECT store, city FROM stores", connection="tills")
    ),
    schema=Store,
    batches=Versions(),
)
receipts = tills.gated(
    "receipts",
    source=Source(
        origin="Till database",
        steward=CHAIN,
        reader=SqlQuery(
            "SELECT receipt, store, cents, sold_at FROM receipts",
            connection="tills",
            cursor="sold_at",
            overlap="3650d",
        ),
    ),
    schema=Receipt,
    batches=DailyBatches(start=date(2026, 1, 1)),
    rules=[ExistsIn("store", stores)],
)


@tills.derived(schema=Taken, key="city")
def taken(receipts: Relation, stores: Relation) -> Relation:
    """Receipts by city."""
    return receipts.join(stores, "store").aggregate("city, sum(cents) AS cents", "city")


@tills.kpi(question="What did we take?", unit="cents")
def takings(taken: Relation) -> Sum:  # its only input is what is counted
    """Cents of a day."""
    return Sum("cents")
