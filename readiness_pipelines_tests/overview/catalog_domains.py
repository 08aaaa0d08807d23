"""Domains to look for things in: names in several languages, cases and joints."""

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import DailyBatches, Domain, FileDrop, Freshness, Ratio, Source, Steward, Versions, protect
from readiness_pipelines.contracts import Kpi


class Bestellung(pa.DataFrameModel):
    """Eine Bestellung."""

    bestellnummer: arrow.int64() = pa.Field(unique=True, description="Number of the order")
    grosse: arrow.string() = pa.Field(alias="Größe", nullable=True, description="Konfektionsgröße")
    customer_id: arrow.string() = pa.Field(metadata=protect("pii.id"), description="Who ordered")
    net_amount: arrow.float64() = pa.Field(ge=0, description="Without taxes")
    sensors: arrow.float64() = pa.Field(alias=r"^s_\d+$", regex=True, nullable=True)


class Country(pa.DataFrameModel):
    """A country."""

    iso_code: arrow.string()
    gross_product: arrow.float64() = pa.Field(alias="ВВП", nullable=True, description="валовой внутренний продукт")


def catalog_domains() -> tuple[Domain, Domain]:
    """A shop with orders, countries and a product; a warehouse."""
    shop = Domain("shop", owner="shop@shop.example", description="Selling shirts")
    desk = Steward("Ana Jörg", "https://people.shop.example/ana")
    orders = shop.gated(
        "orders",
        source=Source(
            origin="SAP R/3",
            steward=desk,
            reader=FileDrop("orders/{batch}/*.csv"),
            refresh="1d",
            known_issues=("late",),
        ),
        schema=Bestellung,
        batches=DailyBatches(start="2026-11-01"),
        tags=["sales"],
        synonyms=["Bestellungen", "purchases"],
        runbook="# Orders\n\nCall Ana.",
    )
    shop.gated(
        "country_codes",
        source=Source(origin="ISO", steward=Steward("Desk", "desk@shop.example"), reader=FileDrop("c/{batch}.csv")),
        schema=Country,
        batches=Versions(),
        description="Countries of the world",
    )

    @shop.kpi(
        question="How many orders are returned?",
        unit="ratio",
        target="<= 5 %",
        synonyms="Rücksendequote",
        freshness=Freshness(warn_after="26h", fail_after="36h"),
    )
    def return_rate(orders):  # type: ignore[no-untyped-def]
        return Ratio("count(*) FILTER (net_amount = 0)", "count(*)")

    assert isinstance(return_rate, Kpi)
    stock = Domain("stock", owner="stock@shop.example")
    stock.derived(schema=Bestellung, name="order_backlog", reads={"orders": orders})(lambda orders: orders)
    return shop, stock
