"""What the fault tests run: the orders with an aggregate of them, and another domain with a table of the same name."""

from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward
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
