"""Ninety simulated days of one domain, delivered for real: states and alerts of each day against a table by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from readiness_pipelines import DailyBatches, Domain, FileDrop, Freshness, Source, Steward, Sum, Tolerance
from readiness_pipelines.alerts import AlertRule, AlertSettings, Channel, watch
from readiness_pipelines.decisions import Discarding
from readiness_pipelines.delivery import decide, deliver, ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.alerts.endpoint import listening
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, Order, land

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 1)
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)

STATES = {
    0: "never",
    11: "late", 12: "recovered",    # the batch of day 10 comes in the evening instead of at night
    21: "late", 22: "recovered",    # that of day 20 never comes
    31: "late", 32: "failed", 33: "recovered",  # two days are missing; replaying an old one does not help
    41: "late", 42: "recovered",    # that of day 40 is held
}  # fmt: skip
"""State at six in the morning, by day; fresh on all others."""

CHANGES = {
    11: ["opened freshness"], 12: ["resolved freshness"],
    21: ["opened freshness"], 22: ["resolved freshness"],
    31: ["opened freshness"], 32: ["worse freshness"], 33: ["resolved freshness"],
    41: ["opened freshness", "opened held"], 42: ["resolved freshness"],
    45: ["resolved held"],          # somebody discards it
}  # fmt: skip
"""What changes at that look, by day; nothing on all others."""

TITLES = {
    11: "shop.order_count at risk: shop.orders freshness", 12: "shop.order_count: shop.orders freshness resolved",
    21: "shop.order_count at risk: shop.orders freshness", 22: "shop.order_count: shop.orders freshness resolved",
    31: "shop.order_count at risk: shop.orders freshness", 32: "shop.order_count at risk: shop.orders freshness",
    33: "shop.order_count: shop.orders freshness resolved",
    41: "shop.order_count at risk: 2 incidents", 42: "shop.order_count: shop.orders freshness resolved",
    45: "shop.order_count: shop.orders[2026-02-10] held resolved",
}  # fmt: skip
"""The one message of a look, by day; none on all others."""


def key(day: int) -> str:
    return (FIRST + timedelta(days=day)).isoformat()


def daily_shop() -> Domain:
    shop = Domain("shop", owner="a@b.example")
    source = Source(
        origin="Shop", steward=Steward("Shop team", "s@s.example"), reader=FileDrop("orders/{batch}.csv", missing="?")
    )
    shop.gated(
        "orders",
        source=source,
        batches=DailyBatches(start=FIRST),
        schema=Order,
        tolerance=Tolerance(quarantined_ratio=0.5),
        # A day is over at midnight, its batch comes at three and is late at five.
        freshness=Freshness(warn_after="29h", fail_after="53h"),
    )

    @shop.kpi(question="How many?", unit="count")
    def order_count(orders: Any) -> Sum:
        return Sum("1")

    return shop


def test_ninety_days_have_the_states_and_alerts_that_a_person_would_expect(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = daily_shop()
    orders: Any = shop.table("orders")

    def bring(day: int, when: datetime, rows: tuple[str, ...] = GOOD) -> None:
        run = Run(who="night", clock=lambda: when)
        land(installation.landing.path, key(day), *rows)
        ingest(orders, batch=key(day), installation=installation, run=run)
        deliver(orders, batch=key(day), installation=installation, run=run)

    settings = AlertSettings(
        channels=(Channel(name="oncall", url_variable="ONCALL_URL"),), rules=(AlertRule(channels=("oncall",)),)
    )
    states, changes, titles = {}, {}, {}
    with listening() as endpoint:
        monkeypatch.setenv("ONCALL_URL", endpoint.url)
        for day in range(91):
            morning = MIDNIGHT + timedelta(days=day)
            three, evening = morning + timedelta(hours=3), morning + timedelta(hours=20)
            before = day - 1
            if before >= 0 and before not in {10, 20, 30, 31}:
                bring(before, three, MOSTLY_BAD if before == 40 else GOOD)
            if day == 32:
                bring(5, three, GOOD[:3])  # an old batch, replaced by another file
            if day == 45:
                run = Run(who="ana", clock=lambda three=three: three)  # type: ignore[misc]
                decide(orders, Discarding(), batch=key(40), why="test data", installation=installation, run=run)
                deliver(orders, batch=key(40), installation=installation, run=run)
            if day == 51:
                bring(50, three + timedelta(hours=2))  # the same file again
            if day == 60:
                for late in (20, 30, 31):
                    bring(late, three)
            look = watch(
                [shop],
                settings,
                installation=installation,
                clock=lambda morning=morning: morning + timedelta(hours=6),  # type: ignore[misc]
            )
            states[day] = look.freshness[TableId("shop", "orders")].state.value
            kinds = {one.id: one.finding.kind for one in installation.ledger.incidents.incidents()}
            changes[day] = sorted(f"{event.what} {kinds[event.incident]}" for event in look.events)
            titles[day] = endpoint.titles
            endpoint.received.clear()
            if before == 10:
                bring(10, evening)
    assert states == {day: STATES.get(day, "fresh") for day in range(91)}
    assert changes == {day: CHANGES.get(day, []) for day in range(91)}
    assert titles == {day: [TITLES[day]] if day in TITLES else [] for day in range(91)}
