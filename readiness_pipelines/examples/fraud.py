"""Fraud loss rate: which share of what is paid by card turns out to be fraud, weeks later."""

from datetime import date
from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    Bucket,
    Classification,
    DailyBatches,
    Deduplicate,
    Domain,
    ExistsIn,
    FileDrop,
    Freshness,
    KAnonymity,
    KeepFirst,
    Pseudonym,
    Ratio,
    RemovePrefix,
    Route,
    Source,
    Steward,
    Tolerance,
    Versions,
    Withhold,
    YearOnly,
    ZeroPad,
    cleanse,
    protect,
)

CATEGORIES = [
    *("entertainment", "food_dining", "gas_transport", "grocery_net", "grocery_pos", "health_fitness", "home"),
    *("kids_pets", "misc_net", "misc_pos", "personal_care", "shopping_net", "shopping_pos", "travel"),
]
CARD_NUMBER = r"^\d{11,19}$"
DIGITS_LOST = "a card number has 11 to 19 digits, and a spreadsheet keeps six (2.70319E+15)"
TRANSACTION = r"^[0-9a-f]{32}$"
MOST_PLAUSIBLE = 0.2
OF_CUSTOMERS = ["first", "last", "gender", "street", "city", "state", "zip", "lat", "long", "city_pop", "job", "dob"]

CARD = protect("pii.id", Pseudonym(key="cards"), subject=True)
NEARBY = protect("pii.quasi", Bucket(1))
MERCHANT = protect("internal") | cleanse(RemovePrefix("fraud_"))
ZIP = protect("pii.quasi", KeepFirst(3)) | cleanse(ZeroPad(5))


class Customer(pa.DataFrameModel):
    """One card and who holds it."""

    cc_num: arrow.string() = pa.Field(unique=True, str_matches=CARD_NUMBER, metadata=CARD)
    first: arrow.string() = pa.Field(str_matches=r"\S", metadata=protect("pii.direct", Withhold()))
    last: arrow.string() = pa.Field(str_matches=r"\S", metadata=protect("pii.direct", Withhold()))
    gender: arrow.string() = pa.Field(isin=["F", "M"], metadata=protect("pii.quasi"))
    street: arrow.string() = pa.Field(str_matches=r"\S", metadata=protect("pii.direct", Withhold()))
    city: arrow.string() = pa.Field(str_matches=r"\S", metadata=protect("pii.quasi", Withhold()))
    state: arrow.string() = pa.Field(str_matches=r"^[A-Z]{2}$", metadata=protect("pii.quasi"))
    zip: arrow.string() = pa.Field(str_matches=r"^\d{5}$", metadata=ZIP)
    lat: arrow.float64() = pa.Field(in_range={"min_value": -90, "max_value": 90}, metadata=NEARBY)
    long: arrow.float64() = pa.Field(in_range={"min_value": -180, "max_value": 180}, metadata=NEARBY)
    city_pop: arrow.int64() = pa.Field(ge=0, metadata=protect("pii.quasi", Bucket(100_000, at_most=1_000_000)))
    job: arrow.string() = pa.Field(str_matches=r"\S", metadata=protect("pii.quasi", Withhold()))
    dob: arrow.date32() = pa.Field(ge=date(1900, 1, 1), metadata=protect("pii.quasi", YearOnly()))


class Merchant(pa.DataFrameModel):
    """What a merchant sells."""

    merchant: arrow.string() = pa.Field(str_matches=r"\S", metadata=MERCHANT)
    category: arrow.string() = pa.Field(isin=CATEGORIES, metadata=protect("internal"))

    class Config:
        """A merchant may sell in several categories."""

        unique = ["merchant", "category"]  # noqa: RUF012  # as Pandera has it


class Payment(pa.DataFrameModel):
    """One payment by card, as it happened: nobody knows yet whether it is fraud."""

    trans_num: arrow.string() = pa.Field(unique=True, str_matches=TRANSACTION, metadata=protect("internal"))
    trans_date_trans_time: arrow.timestamp("us") = pa.Field(metadata=protect("internal"))
    cc_num: arrow.string() = pa.Field(metadata=CARD)
    merchant: arrow.string() = pa.Field(metadata=MERCHANT)
    category: arrow.string() = pa.Field(isin=CATEGORIES, metadata=protect("internal"))
    amt: arrow.decimal128(12, 2) = pa.Field(gt=0, metadata=protect("internal"))
    merch_lat: arrow.float64() = pa.Field(in_range={"min_value": -90, "max_value": 90}, metadata=NEARBY)
    merch_long: arrow.float64() = pa.Field(in_range={"min_value": -180, "max_value": 180}, metadata=NEARBY)

    @pa.dataframe_check(
        native=False, error="a card number has 11 to 19 digits, and a spreadsheet keeps six (2.70319E+15)"
    )
    def card_number_in_full(cls, _frame: nw.LazyFrame[Any]) -> nw.Expr:
        """Whether all digits arrived: what was cut off cannot be put back."""
        return nw.col("cc_num").str.contains(CARD_NUMBER)


class Transaction(Payment):
    """One payment of a daily file."""

    @pa.dataframe_check(native=False, error="a transaction is of the day whose file it is in")
    def dated_in_its_batch(cls, _frame: nw.LazyFrame[Any]) -> nw.Expr:
        """Whether the file has only its own day."""
        return nw.col("trans_date_trans_time").dt.to_string("%Y-%m-%d") == nw.col("_batch")


class Label(pa.DataFrameModel):
    """What the fraud desk found out about one transaction; the newest report counts."""

    trans_num: arrow.string() = pa.Field(str_matches=TRANSACTION)
    is_fraud: arrow.bool_()
    reported_on: arrow.date32()

    class Config:
        """A later report corrects an earlier one, by the transaction's number."""

        metadata = cleanse(Deduplicate("trans_num", order_by="reported_on"))


class LabelledTransaction(pa.DataFrameModel):
    """One payment, and whether it is fraud as far as is known."""

    trans_num: arrow.string() = pa.Field(unique=True)
    cc_num: arrow.string()
    category: arrow.string()
    amt: arrow.decimal128(12, 2)
    is_fraud: arrow.bool_()


fraud = Domain("fraud", owner="risk@bank.example", on_call="card-data@bank.example")
cards = Steward("Card operations", "card-data@bank.example")
days = DailyBatches(start=date(2019, 1, 1), end=date(2020, 6, 23))

customers = fraud.gated(
    "customers",
    source=Source(
        origin="Card register",
        steward=cards,
        reader=FileDrop("fraud/customers/{batch}.csv.gz"),
        classification=Classification.PII,
    ),
    schema=Customer,
    batches=Versions(),
    rules=[KAnonymity(k=5, quasi=["gender", "state", "dob"])],
    routes={"gender_state_dob_k_anonymity": Route.WARN},
)

merchants = fraud.gated(
    "merchants",
    source=Source(origin="Merchant register", steward=cards, reader=FileDrop("fraud/merchants/{batch}.csv.gz")),
    schema=Merchant,
    batches=Versions(),
)

transactions = fraud.gated(
    "transactions",
    source=Source(
        origin="Card scheme, daily export",
        steward=cards,
        # What the register of customers has is not read again, nor a clock that is seven years slow, nor a label.
        reader=FileDrop("fraud/transactions/{batch}/*.csv.gz", ignore=["", *OF_CUSTOMERS, "unix_time", "is_fraud"]),
        refresh="1d",
        classification=Classification.PII,
        known_issues=(
            "somebody opens exports in a spreadsheet: digits of card numbers, seconds and the order of dates are lost",
            "merchants have a prefix without a meaning, ZIP codes no leading zero",
        ),
        schema_version="Sparkov, 23 columns",
    ),
    schema=Transaction,
    batches=days,
    tolerance=Tolerance(quarantined_ratio=0.01),
    rules=[ExistsIn("cc_num", table="customers"), ExistsIn(["merchant", "category"], table="merchants")],
    routes={"card_number_in_full": Route.HOLD},
    freshness=Freshness(due="0 6 * * *", warn_after="2h", fail_after="12h"),
    latency="10m",
)

labels = fraud.gated(
    "labels",
    source=Source(
        origin="Fraud desk, by day of the transaction",
        steward=Steward("Fraud desk", "fraud-desk@bank.example"),
        reader=FileDrop("fraud/labels/{batch}/*.csv.gz"),
    ),
    schema=Label,
    batches=days,
    allow_empty=True,
)


@fraud.derived(schema=LabelledTransaction, latency="5m")
def labelled_transactions(transactions: Relation, labels: Relation) -> Relation:
    """Transactions with the newest label of each; one without is not fraud as far as is known."""
    known = labels.project("trans_num, is_fraud AS labelled")
    joined = transactions.join(known, "trans_num", how="left")
    return joined.project("_row, trans_num, cc_num, category, amt, coalesce(labelled, false) AS is_fraud")


@fraud.kpi(
    question="Which share of what is paid by card is lost to fraud?",
    unit="ratio",
    target="<= 6 %",
    by="category",
    plausible=[
        pa.Check(
            lambda _: ~nw.col("is_total") | (nw.col("value") <= MOST_PLAUSIBLE),
            native=False,
            name="total_plausible",
            error="no day loses a fifth of all that is paid: more is a sample, not a day",
        )
    ],
)
def fraud_loss_rate(labelled_transactions: Relation) -> Ratio:  # noqa: ARG001  # its only input is what is counted
    """Amount of the fraudulent transactions, of the amount of all."""
    return Ratio("coalesce(sum(amt) FILTER (is_fraud), 0)", "sum(amt)")
