"""What the fault tests run: orders with an aggregate of them, a chain down to a KPI, a table of the same name."""

from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward, Sum
from readiness_pipelines.decisions import Correction, Discarding, Waiver
from readiness_pipelines_tests.samples import BATCHES, Order, order_domain


class Totals(pa.DataFrameModel):
    """One status of a day's orders."""

    status: arrow.string()
    orders: arrow.int64()
    numbers: arrow.int64()


def shop_with_totals(shop: Domain | None = None) -> Domain:
    """The shop, with its orders counted and their numbers summed by status."""
    shop = shop or order_domain()

    @shop.derived(schema=Totals, key="status", allow_empty=True)
    def totals(orders: Any) -> Any:
        """Orders by status."""
        return orders.aggregate("status, count(*) AS orders, sum(order_id) AS numbers", "status")

    return shop


def outlet(batches: tuple[str, ...] = BATCHES) -> Domain:
    """Another team, whose table has the same name."""
    domain = Domain("outlet", owner="outlet@shop.example")
    source = Source(
        origin="Outlet",
        steward=Steward("Outlet", "outlet@shop.example"),
        reader=FileDrop("outlet/{batch}.csv", missing="?"),
    )
    domain.gated("orders", source=source, schema=Order, batches=StaticBatches(keys=batches))
    return domain


def chained_shop() -> Domain:
    """A shop with a gate, tables derived from it, and KPIs over both: what is published is a function of its inputs."""
    shop = shop_with_totals(order_domain(allow_empty=True))

    @shop.kpi(question="How many orders are there?", unit="orders")
    def order_count(totals: Any) -> Sum:
        """All orders, from their totals."""
        return Sum("orders")

    return shop


def only(row: int) -> str:
    """The condition that one row of a batch of the orders meets, whatever its number is: files are sent again."""
    return f"TRY_CAST(order_id AS INTEGER) % 100 = {row}"


def decisions_about(row: int) -> tuple[Correction | Waiver | Discarding, ...]:
    """What people decide about a batch of the orders, or about one of its rows."""
    return (
        Correction(column="amount", expression="'25'", where=only(row)),
        Waiver(rule="status_isin"),
        Waiver(rule="amount_greater_than_or_equal_to"),
        Waiver(rule="tolerance"),
        Discarding(where=only(row)),
        Discarding(),
    )
