"""A domain with a bit of all that a table can promise, for contracts to carry."""

import datetime
from decimal import Decimal
from typing import Any, Optional

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import (
    Bucket,
    Case,
    Categories,
    Classification,
    DailyBatches,
    Dates,
    Deduplicate,
    Domain,
    ExistsIn,
    FileDrop,
    FillMissing,
    FlagMissing,
    Freshness,
    KAnonymity,
    LDiversity,
    NotInOtherBatches,
    NullTokens,
    Numbers,
    Pseudonym,
    Route,
    SchemaChange,
    Source,
    Steward,
    Tolerance,
    Trim,
    Versions,
    WithinUsualRange,
    YearOnly,
    ZeroPad,
    cleanse,
    null_share,
    protect,
    row_count,
)

LIMIT = 40


class Country(pa.DataFrameModel):
    code: arrow.string() = pa.Field(unique=True, str_length={"exact_value": 2})
    rate: arrow.decimal128(9, 4) = pa.Field(nullable=True)


class Order(pa.DataFrameModel):
    """One order; with "quotes" and a \\ in its words."""

    order_id: arrow.int64()
    line: arrow.int16() = pa.Field(ge=1, lt=100)
    amount: arrow.float64() = pa.Field(
        in_range={"min_value": 0.5, "max_value": 1e6, "include_max": False}, nullable=True, ignore_na=False
    )
    pieces: arrow.int32() = pa.Field(gt=0, le=500, ne=13, coerce=True, default=1)
    country: arrow.string() = pa.Field(notin=["XX", "ZZ"], metadata=cleanse(Trim(), Case("upper")))
    email: arrow.string() = pa.Field(
        str_contains="@",
        metadata=protect("pii.direct", Pseudonym(key="customers"), subject=True) | cleanse(Case("lower")),
    )
    age: arrow.int32() = pa.Field(nullable=True, metadata=protect("pii.quasi", Bucket(width=10, at_most=90)))
    sex: arrow.string() = pa.Field(
        isin=["f", "m", "x"], metadata=protect("pii.quasi") | cleanse(Categories({"female": "f", "?": None, "d": "x"}))
    )
    born: arrow.date32() = pa.Field(
        nullable=True,
        ge=datetime.date(1900, 1, 1),
        metadata=protect("pii.quasi", YearOnly()) | cleanse(Dates("%d.%m.%Y")),
    )
    at: arrow.timestamp("us") = pa.Field(ge=datetime.datetime.fromisoformat("2020-01-01 12:30"))
    zoned: arrow.timestamp("us", tz="UTC") = pa.Field(nullable=True)
    price: arrow.decimal128(12, 2) = pa.Field(ge=Decimal("0.01"), metadata=cleanse(Numbers(decimal=",", thousands=".")))
    code: arrow.string() = pa.Field(
        alias="Kunden-Nr.",
        str_matches=r"^\d{3}$",
        metadata=cleanse(ZeroPad(3), NullTokens(("n/a", "-"))),
        nullable=True,
    )
    flags: arrow.bool_() = pa.Field(nullable=True, metadata=cleanse(FlagMissing("flags_missing"), FillMissing(False)))
    tags: arrow.list_(arrow.string()) = pa.Field(nullable=True)
    sensors: arrow.float32() = pa.Field(alias=r"^s\d+$", regex=True, nullable=True)
    extra: Optional[arrow.int64()]  # noqa: UP045  # Pandera reads it so
    late: Optional[arrow.string()] = pa.Field(str_startswith="L", str_endswith="e", nullable=True, description="Late?")  # noqa: UP045  # Pandera reads it so

    @pa.check("line", native=False)
    def not_too_many(cls, column: nw.Expr) -> nw.Expr:
        return column < LIMIT

    @pa.dataframe_check(native=False)
    def worth_something(cls, _frame: nw.LazyFrame[Any]) -> nw.Expr:
        """Pieces are paid for."""
        return nw.col("pieces") * nw.col("amount") > 0

    class Config:
        strict = True
        unique = ("order_id", "line")
        metadata = cleanse(Deduplicate(["order_id", "line"], keep="first", order_by="at"))


everything = Domain("everything", owner="owner@shop.example", on_call="call@shop.example")
STEWARD = Steward("Shop team", "shop@shop.example")

countries = everything.gated(
    "countries",
    source=Source(origin="ISO", steward=STEWARD, reader=FileDrop("countries/*.csv")),
    schema=Country,
    batches=Versions(),
    schema_change=SchemaChange.EVOLVE,
)
orders = everything.gated(
    "orders",
    source=Source(
        origin="Shop", steward=STEWARD, reader=FileDrop("orders/{batch}/*.csv", delimiter=";", missing=("?", "N/A")),
        refresh="1d", classification=Classification.CONFIDENTIAL, known_issues=("Test orders.",), schema_version="7",
    ),
    schema=Order,
    batches=DailyBatches(start="2026-11-01", timezone="Europe/Vienna"),
    rules=[
        row_count(at_least=1, at_most=10_000), null_share("age", at_most=0.5), ExistsIn("country", countries, "code"),
        NotInOtherBatches(["order_id", "line"]), WithinUsualRange(["amount"], widened_by=2),
        KAnonymity(3, ["age", "sex"], persons="email"), LDiversity(2, ["age"], sensitive="country"),
    ],
    routes={"row_count": Route.WARN, "line_less_than": Route.HOLD, "age_sex_k_anonymity": Route.WARN},
    default_route=Route.QUARANTINE,
    tolerance=Tolerance(quarantined_ratio=0.1, rules={"sex_isin": Tolerance(quarantined_rows=5)}),
    freshness=Freshness(warn_after="26h", fail_after="36h", event_time="at"),
    latency="10m",
    unclassified=Route.HOLD,
    tags=["sales"],
    synonyms="purchases",
    runbook="# Orders\nAsk \"the desk\".",
)  # fmt: skip
everything.consumer(
    "finance", contact="finance@shop.example", table=orders, columns=["amount"], rules=["amount_in_range"], notice="30d"
)
everything.announce(
    orders, "column late", announced="2026-11-29", effective="2027-01-31", why="nobody is late any more"
)
