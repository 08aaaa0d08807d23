"""The share of card payments that are fraud: a number that nobody believes is not published."""

from datetime import date

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import DailyBatches, Domain, FileDrop, Ratio, Source, Steward


class Payment(pa.DataFrameModel):
    """One payment."""

    payment: arrow.int64() = pa.Field(unique=True)
    fraud: arrow.bool_()


cards = Domain("cards", owner="risk@bank.example")

payments = cards.gated(
    "payments",
    source=Source(
        origin="Card scheme", steward=Steward("Scheme", "scheme@bank.example"), reader=FileDrop("cards/{batch}.jsonl")
    ),
    schema=Payment,
    batches=DailyBatches(start=date(2026, 1, 1)),
)


@cards.kpi(
    question="How many payments are fraud?", unit="ratio", target="<= 2 %", plausible=[pa.Check.in_range(0, 0.3)]
)
def fraud_rate(payments: Relation) -> Ratio:  # its only input is what is counted
    """Share of the payments that are fraud."""
    return Ratio("count(*) FILTER (fraud)", "count(*)")
