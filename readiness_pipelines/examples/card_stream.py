"""Card payments as they happen: the fraud domain's payments from a topic, published within seconds."""

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    Classification,
    Domain,
    ExistsIn,
    Freshness,
    QuarterHourlyBatches,
    Ratio,
    Source,
    Tolerance,
    Topic,
    protect,
)
from readiness_pipelines.examples.fraud import Payment, cards, customers, merchants

TOPIC = "card-payments"


class LivePayment(Payment):
    """One payment that has just been made. Its time is in UTC, and it may arrive late."""

    trans_date_trans_time: arrow.timestamp("us", "UTC") = pa.Field(metadata=protect("internal"))


card_stream = Domain("card_stream", owner="risk@bank.example", on_call="card-data@bank.example")

payments = card_stream.gated(
    "payments",
    source=Source(
        origin="Card scheme, each payment as it happens",
        steward=cards,
        reader=Topic(TOPIC, brokers="env:CARD_BROKERS", slice_every="2s"),
        classification=Classification.PII,
    ),
    schema=LivePayment,
    batches=QuarterHourlyBatches(start="2026-01-01"),
    tolerance=Tolerance(quarantined_ratio=0.05),
    rules=[ExistsIn("cc_num", table=customers), ExistsIn(["merchant", "category"], table=merchants)],
    freshness=Freshness(warn_after="5m", fail_after="30m", event_time="trans_date_trans_time"),
)


@card_stream.kpi(question="How much is paid at a time?", unit="USD", by="category")
def mean_payment(payments: Relation) -> Ratio:  # noqa: ARG001  # its only input is what is counted
    """Amount of all payments, by how many there are."""
    return Ratio("sum(amt)", "count(*)")
