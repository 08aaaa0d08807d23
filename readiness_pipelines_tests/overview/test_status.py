"""Status says where every batch of every lane stands, and never measures anew what is stored."""

from collections.abc import Callable
from io import StringIO

import pandera.pyarrow as pa
from duckdb import DuckDBPyRelation as Relation
from rich.console import Console

from readiness_pipelines import DailyBatches, Domain, FileDrop, MonthlyBatches, Ratio, Source, Steward, Value, Versions
from readiness_pipelines.batches import BatchState, Counts
from readiness_pipelines.cli.tables import lane_table, versions_table
from readiness_pipelines.delivery import ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import status
from readiness_pipelines_tests.overview.delivering import bring, compute
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, Order, gated, land, order_domain

ORDERS, PAID, REFUND_RATE = (TableId("shop", name) for name in ("orders", "paid", "refund_rate"))


def test_declared_batches_are_listed_before_anything_ran(installation: Installation) -> None:
    (lane,) = status(order_domain(), installation=installation).lanes
    assert (lane.name, lane.kind, lane.tables) == ("shop", "static", (ORDERS, PAID, REFUND_RATE))
    assert [batch.batch for batch in lane.batches] == ["day_1", "day_2", "day_3"]
    assert not any(batch.seen for batch in lane.batches)
    assert lane.kpis == {REFUND_RATE: None}


def test_every_batch_says_where_its_rows_are(installation: Installation) -> None:
    shop = order_domain()
    bring(shop, installation, "day_1", ONE_BAD)
    compute(shop, installation, "day_1", "paid", "refund_rate")
    bring(shop, installation, "day_2", MOSTLY_BAD)
    (lane,) = status(shop, installation=installation).lanes
    assert [(b.counts.ingested, b.counts.published, b.counts.quarantined, b.held) for b in lane.batches] == [
        (4, 3, 1, False),
        (4, 0, 4, True),
        (0, 0, 0, False),
    ]
    assert (lane.total.ingested, lane.total.published, lane.total.quarantined) == (8, 3, 5)
    assert lane.batches[0].values[REFUND_RATE].value == 0
    assert lane.batches[1].values == {}
    assert lane.batches[1].tables[PAID] is None


def test_what_was_ingested_and_not_judged_is_shown_and_counts_nowhere(installation: Installation) -> None:
    shop = order_domain()
    land(installation.landing.path, "day_1", *GOOD)
    ingest(gated(shop), batch="day_1", installation=installation, run=Run())
    (lane,) = status(shop, installation=installation).lanes
    record = lane.batches[0].tables[ORDERS]
    assert record is not None
    assert (record.state, lane.total.ingested) == (BatchState.INGESTED, 0)


def test_several_batches_add_up_by_numerator_and_denominator(installation: Installation) -> None:
    shop = order_domain()
    for batch, rows in (("day_1", GOOD), ("day_2", ("9,1,refunded,x",))):
        bring(shop, installation, batch, rows)
        compute(shop, installation, batch, "refund_rate")
    (lane,) = status(shop, installation=installation).lanes
    together = lane.kpis[REFUND_RATE]
    assert together is not None
    assert (together.batch, together.numerator, together.denominator) == (None, 2, 5)


def test_of_a_held_value_the_last_good_one_is_shown_and_the_record_says_so(installation: Installation) -> None:
    shop = order_domain()

    @shop.kpi(question="How many?", unit="count", plausible=[pa.Check.lt(5)])
    def order_count(orders: Relation) -> Value:
        """Orders."""
        return Value("count(*)")

    bring(shop, installation, "day_1", GOOD)
    compute(shop, installation, "day_1", "order_count")
    bring(shop, installation, "day_1", (*GOOD, "5,1,paid,x", "6,1,paid,x"))
    compute(shop, installation, "day_1", "order_count")
    (lane,) = status(shop, installation=installation).lanes
    record = lane.batches[0].tables[order_count.id]
    assert record is not None
    assert record.state is BatchState.HELD
    assert lane.batches[0].held
    assert lane.batches[0].values[order_count.id].value == 4
    assert lane.kpis[order_count.id] is None


def test_dimensions_stand_beside_the_total(installation: Installation) -> None:
    shop = order_domain()

    @shop.kpi(question="How many of each are refunded?", unit="ratio", by=["note"])
    def rate_by_note(orders: Relation) -> Ratio:
        """Share by note."""
        return Ratio("count(*) FILTER (status = 'refunded')", "count(*)")

    bring(shop, installation, "day_1", ("1,1,paid,a", "2,1,refunded,a", "3,1,paid,b"))
    compute(shop, installation, "day_1", "rate_by_note")
    (lane,) = status(shop, installation=installation).lanes
    parts = lane.batches[0].dimensions[rate_by_note.id]
    assert [(part.dimensions["note"], part.value) for part in parts] == [("a", 0.5), ("b", 0)]
    assert lane.batches[0].values[rate_by_note.id].denominator == 3
    assert REFUND_RATE not in lane.batches[0].dimensions


def daily_and_monthly() -> tuple[Domain, Callable[..., object]]:
    shop = Domain("shop", owner="shop@shop.example")
    shop.gated(
        "orders",
        source=Source(
            origin="Shop export",
            steward=Steward("S", "s@s.example"),
            reader=FileDrop("orders/{batch}.csv", missing="?"),
        ),
        schema=Order,
        batches=DailyBatches(start="2026-01-01"),
    )

    @shop.kpi(question="How many?", unit="count", batches=MonthlyBatches(start="2026-01-01"))
    def orders_of_month(orders: Relation) -> Value:
        """Orders of a month."""
        return Value("count(*)")

    return shop, orders_of_month


def test_tables_with_other_batches_have_a_lane_of_their_own(installation: Installation) -> None:
    shop, _ = daily_and_monthly()
    bring(shop, installation, "2026-01-10", GOOD)
    bring(shop, installation, "2026-01-09", GOOD)
    compute(shop, installation, "2026-01", "orders_of_month")
    daily, monthly = status(shop, installation=installation).lanes
    assert [batch.batch for batch in daily.batches] == ["2026-01-09", "2026-01-10"]
    assert [(batch.batch, batch.counts.ingested) for batch in monthly.batches] == [("2026-01", 0)]
    assert monthly.batches[0].values[TableId("shop", "orders_of_month")].value == 8


def test_a_version_that_was_replaced_counts_nowhere_and_tables_with_versions_are_listed_together(
    installation: Installation,
) -> None:
    shop = order_domain(batches=Versions())
    for version, rows in (("2026-01-01", GOOD), ("2026-01-02", ("9,1,refunded,x", "8,-1,paid,x"))):
        bring(shop, installation, version, rows)
        compute(shop, installation, version, "refund_rate")
    now = status(shop, installation=installation)
    orders, _, rate = now.lanes
    assert (orders.fed, orders.replaces, orders.total) == (True, True, Counts(ingested=2, published=1, quarantined=1))
    value = rate.kpis[REFUND_RATE]
    assert (rate.fed, value and value.value) == (False, 1.0)
    console = Console(width=80, file=StringIO())
    console.print(versions_table("shop (versions)", now.lanes, shop.kpis))
    console.print(lane_table(rate, shop.kpis))
    shown = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert "orders 2026-01-02 2 1 1" in shown
    assert "paid – – – –" in shown
    assert "refund_rate 2026-01-02 100.0 % ✗" in shown
    assert "now 100.0 % ✗" in shown  # and no counts of rows, of which it has none
