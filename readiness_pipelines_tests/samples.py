"""A small domain of its own, for tests: orders with an amount, the share of which was refunded."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import Domain, FileDrop, Freshness, Ratio, Source, StaticBatches, Steward, Tolerance
from readiness_pipelines.batches import Batches
from readiness_pipelines.contracts import GatedTable

BATCHES = ("day_1", "day_2", "day_3")


class Order(pa.DataFrameModel):
    """One order."""

    order_id: arrow.int64() = pa.Field(unique=True)
    amount: arrow.float64() = pa.Field(ge=0)
    status: arrow.string() = pa.Field(isin=["paid", "refunded"])
    note: arrow.string() = pa.Field(nullable=True)


class Paid(pa.DataFrameModel):
    """One order that was not refunded."""

    order_id: arrow.int64()
    amount: arrow.float64()


def order_domain(
    name: str = "shop",
    *,
    ratio: float = 0.5,
    schema: Any = Order,
    batches: Sequence[str] | Batches = BATCHES,
    freshness: Freshness | None = None,
    allow_empty: bool = False,
    delimiter: str = ",",
) -> Domain:
    """The domain, with a tolerance of half a batch; with `allow_empty`, days without a paid order are fine."""
    shop = Domain(name, owner="shop@shop.example")
    shop.gated(
        "orders",
        source=Source(
            origin="Shop export",
            steward=Steward("Shop team", "shop@shop.example"),
            reader=FileDrop("orders/{batch}.csv", missing="?", delimiter=delimiter),
        ),
        schema=schema,
        batches=batches if isinstance(batches, Batches) else StaticBatches(keys=tuple(batches)),
        tolerance=Tolerance(quarantined_ratio=ratio),
        freshness=freshness,
    )

    @shop.derived(schema=Paid, allow_empty=allow_empty)
    def paid(orders: Relation) -> Relation:
        """Orders that were not refunded."""
        return orders.filter("status = 'paid'").project("order_id, amount, _row")

    @shop.kpi(question="How many orders are refunded?", unit="ratio", target="<= 0.5")
    def refund_rate(orders: Relation) -> Ratio:
        """Share of the orders that were refunded."""
        return Ratio("count(*) FILTER (status = 'refunded')", "count(*)")

    return shop


def gated(domain: Domain, name: str = "orders") -> GatedTable:
    """A domain's table that is fed by a source."""
    table = domain.table(name)
    assert isinstance(table, GatedTable)
    return table


def land(landing: Path, batch: str, *rows: str, header: str = "order_id,amount,status,note") -> Path:
    """Write a batch's file."""
    file = landing / "orders" / f"{batch}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


GOOD = ("1,10.5,paid,a", "2,20,refunded,?", "3,30,paid,", "4,40,paid,b")
ONE_BAD = ("1,10.5,paid,a", "2,-20,refunded,?", "3,30,paid,", "4,40,paid,b")
MOSTLY_BAD = ("1,x,paid,a", "2,-20,refunded,?", "3,30,lost,", "4,40,paid,b")


STATES = ("paid", "refunded")
WEEKS = tuple(f"week_{number:02d}" for number in range(1, 21))


def land_week(landing: Path, week: int, *, rows: int = 200, amount: float = 20, refunded: float = 0.1) -> Path:
    """Write a week of orders: a little different from every other, and the same each time."""
    chance = random.Random(week)
    lines = [
        f"{week}{number:04d},{chance.gauss(amount, 3):.2f},{chance.choices(STATES, [1 - refunded, refunded])[0]},n"
        for number in range(rows + chance.randint(-8, 8))
    ]
    return land(landing, WEEKS[week - 1], *lines)
