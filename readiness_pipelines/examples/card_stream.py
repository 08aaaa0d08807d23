"""Card payments as they happen: the fraud domain's payments from a topic, published within seconds; and all of both."""

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    Classification,
    DailyBatches,
    Deduplicate,
    Domain,
    ExistsIn,
    Freshness,
    NotInOtherBatches,
    QuarterHourlyBatches,
    Ratio,
    Source,
    Tolerance,
    Topic,
    cleanse,
    protect,
)
from readiness_pipelines.examples.fraud import (
    CATEGORIES,
    TRANSACTION,
    Payment,
    cards,
    customers,
    merchants,
    transactions,
)

TOPIC = "card-payments"


class LivePayment(Payment):
    """One payment that has just been made. Its time is in UTC, and it may arrive late."""

    trans_date_trans_time: arrow.timestamp("us", "UTC") = pa.Field(metadata=protect("internal"))


class AnyPayment(pa.DataFrameModel):
    """One payment, by whichever way it came; of one that came by both, the daily file's counts."""

    trans_num: arrow.string() = pa.Field(str_matches=TRANSACTION)
    trans_date_trans_time: arrow.timestamp("us", "UTC")
    cc_num: arrow.string()
    merchant: arrow.string()
    category: arrow.string() = pa.Field(isin=CATEGORIES)
    amt: arrow.decimal128(12, 2) = pa.Field(gt=0)
    exported: arrow.bool_()

    class Config:
        """The file is what the scheme stands by; what the stream had of the same payment stays, as discarded."""

        metadata = cleanse(Deduplicate("trans_num", order_by="exported"))


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


@card_stream.derived(
    schema=AnyPayment,
    reads={
        "exported": transactions.same(optional=True),
        "streamed": payments.of_period(event_time="trans_date_trans_time", optional=True),
    },
    batches=DailyBatches(start="2019-01-01"),
    key=["trans_num", "exported"],
    rules=[NotInOtherBatches("trans_num")],
)
def all_payments(exported: Relation, streamed: Relation) -> Relation:
    """Payments of a day's file, and those that were made on that day, late ones too. The file's times are in UTC."""
    columns = "cc_num, merchant, category, amt"
    of_file = exported.project(
        f"trans_num, trans_date_trans_time AT TIME ZONE 'UTC' AS trans_date_trans_time, {columns}, true AS exported"
    )
    return of_file.union(streamed.project(f"trans_num, trans_date_trans_time, {columns}, false AS exported"))


@card_stream.kpi(question="How much is paid at a time, by file and by stream?", unit="USD", by="category")
def mean_payment_of_day(all_payments: Relation) -> Ratio:  # noqa: ARG001  # its only input is what is counted
    """Amount of all payments of a day, each counted once, by how many there are."""
    return Ratio("sum(amt)", "count(*)")
