"""What the fault tests run: orders with an aggregate of them, a chain down to a KPI, a table of the same name."""

from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, FileDrop, Ratio, Source, StaticBatches, Steward, Sum, Tolerance
from readiness_pipelines_tests.samples import BATCHES, Order, Paid, order_domain


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
    shop = Domain("shop", owner="shop@shop.example")
    shop.gated(
        "orders",
        source=Source(
            origin="Shop export",
            steward=Steward("Shop team", "shop@shop.example"),
            reader=FileDrop("orders/{batch}.csv", missing="?"),
        ),
        schema=Order,
        batches=StaticBatches(keys=BATCHES),
        tolerance=Tolerance(quarantined_ratio=0.5),
    )

    @shop.derived(schema=Paid, allow_empty=True)
    def paid(orders: Any) -> Any:
        """Orders that were not refunded."""
        return orders.filter("status = 'paid'").project("order_id, amount, _row")

    @shop.kpi(question="How many orders are refunded?", unit="ratio")
    def refund_rate(orders: Any) -> Ratio:
        """Share of the orders that were refunded."""
        return Ratio("count(*) FILTER (status = 'refunded')", "count(*)")

    shop_with_totals(shop)

    @shop.kpi(question="How many orders are there?", unit="orders")
    def order_count(totals: Any) -> Sum:
        """All orders, from their totals."""
        return Sum("orders")

    return shop
