"""Contracts are frozen, strict about names, and read what people write."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from readiness_pipelines import (
    Domain,
    FileDrop,
    Freshness,
    NullTokens,
    Ratio,
    Source,
    StaticBatches,
    Steward,
    Tolerance,
    Versions,
)
from readiness_pipelines.contracts import answers_for, downstream, products_of, upstream
from readiness_pipelines.contracts.targets import Target
from readiness_pipelines.durations import format_duration, parse_duration
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines_tests import samples
from readiness_pipelines_tests.samples import Order, order_domain


def test_an_unknown_field_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(
        UnknownNameError, match=r"argument of Tolerance 'quarantine_ratio'(?s:.*)did you mean 'quarantined_ratio'"
    ):
        Tolerance(quarantine_ratio=0.1)  # type: ignore[call-arg]  # the mistake under test


def test_contracts_are_frozen() -> None:
    steward = Steward("Office", "office@example.org")
    with pytest.raises(ValidationError, match="frozen"):
        steward.name = "Other"  # type: ignore[misc]  # the mistake under test


@given(st.integers(min_value=0, max_value=10**8))
def test_a_duration_reads_back_as_it_was_written(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_a_duration_below_zero_has_a_sign() -> None:
    assert format_duration(timedelta(hours=-5)) == "-5h"
    assert format_duration(timedelta(seconds=-0.4)) == "0s"


@pytest.mark.parametrize("text", ["", "26", "h26", "26 hours", "1d-2h", "26x"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize("duration", ["9999999d", "9999999999d", "9" * 400 + "w", timedelta.max])
def test_a_duration_that_no_calendar_has_is_refused(duration: object) -> None:
    with pytest.raises(DeclarationError, match="longer than any calendar"):
        Freshness(warn_after="1h", fail_after=duration)


def test_a_promise_warns_before_it_fails() -> None:
    with pytest.raises(DeclarationError, match="comes before warn_after"):
        Freshness(warn_after="36h", fail_after="26h")


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        ("<= 0.11", 0.11, True),
        ("<= 11 %", 0.11, True),
        ("<= 0.11", 0.12, False),
        ("> 95", 95, False),
        (">=95", 95, True),
        ("<= 0.7 %", 0.007, True),
        ("< 1", None, None),
    ],
)
def test_a_target_is_met_or_not(target: str, value: float | None, met: bool | None) -> None:
    assert Target.parse(target, kpi="k").met_by(value) is met


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (">= 1234567", ">= 1234567"),
        (">= 1000000.0", ">= 1000000"),
        ("< 1234567.25", "< 1234567.25"),
        ("> -0.00001", "> -0.00001"),
        ("<= 11 %", "<= 0.11"),
        ("<= 0.7 %", "<= 0.007"),
        ("> 0", "> 0"),
        ("> 500.0 %", "> 5"),
    ],
)
def test_a_target_is_written_with_all_its_digits(target: str, text: str) -> None:
    assert str(Target.parse(target, kpi="k")) == text


def _source() -> Source:
    return Source(origin="x", steward=Steward("a", "b"), reader=FileDrop("{batch}.csv"))


KEYS = StaticBatches(keys=("a",))

WRONG: dict[str, tuple[Any, str]] = {
    "a target that is not a comparison": (
        lambda shop: shop.kpi(question="?", unit="ratio", target="about 5", name="k")(lambda orders: orders),
        "the target 'about 5' of shop.k is not a comparison",
    ),
    "a table name that is taken": (
        lambda shop: shop.gated("orders", source=_source(), schema=Order, batches=KEYS),
        "domain shop has a table 'orders' already",
    ),
    "a KPI name that is taken": (
        lambda shop: shop.gated("refund_rate", source=_source(), schema=Order, batches=KEYS),
        "domain shop has a KPI 'refund_rate' already",
    ),
    "a table name that is not an identifier": (
        lambda shop: shop.gated("Order Table", source=_source(), schema=Order, batches=KEYS),
        "the table name in domain shop 'Order Table' is not an identifier",
    ),
    "a source that is a reader": (
        lambda shop: shop.gated("more", source=FileDrop("{batch}.csv"), schema=Order, batches=KEYS),
        "the source of shop.more is a FileDrop",
    ),
    "a reader that reads nothing": (
        lambda shop: Source(origin="x", steward=Steward("a", "b"), reader="orders/*.csv"),
        "a str does not read batches",
    ),
    "batches that are a class": (
        lambda shop: shop.gated("more", source=_source(), schema=Order, batches=Versions),
        "the batches of shop.more are a Versions",
    ),
    "a schema that is a path": (
        lambda shop: shop.gated("more", source=_source(), schema="order.json", batches=KEYS),
        "the schema of shop.more is a str",
    ),
    "a tolerance that is a number": (
        lambda shop: shop.gated("more", source=_source(), schema=Order, batches=KEYS, tolerance=0.1),
        "the tolerance of shop.more is a float",
    ),
    "a route that is text": (
        lambda shop: shop.gated("more", source=_source(), schema=Order, batches=KEYS, routes={"r": "hold"}),
        "unknown route of r of shop.more 'hold'",
    ),
    "a latency that is not a duration": (
        lambda shop: shop.gated("more", source=_source(), schema=Order, batches=KEYS, latency="soon"),
        "the latency of shop.more is not a duration: 'soon'",
    ),
    "an engine that is not there": (
        lambda shop: shop.gated("more", source=_source(), schema=Order, batches=KEYS, engine="sprak"),
        "unknown engine of shop.more 'sprak'",
    ),
    "a transform without a table": (
        lambda shop: shop.derived(schema=Order, name="more")(lambda: None),
        "shop.more takes no table",
    ),
    "a transform of a table that is not there": (
        lambda shop: shop.derived(schema=Order, name="more")(lambda order: order),
        "unknown table in the parameters of shop.more 'order'",
    ),
    "reads of a parameter that is not there": (
        lambda shop: shop.derived(schema=Order, name="more", reads={"ordres": shop.table("orders")})(lambda orders: 1),
        "unknown parameter of shop.more in reads 'ordres'",
    ),
    "reads of something else than a table": (
        lambda shop: shop.derived(schema=Order, name="more", reads={"orders": "orders"})(lambda orders: 1),
        "shop.more reads orders from a str",
    ),
    "targets for other dimensions": (
        lambda shop: shop.kpi(question="?", unit="u", targets={"DE": "<= 1"}, name="k")(lambda orders: 1),
        "the targets of shop.k name 'DE', and it has 0 dimensions",
    ),
    "a consumer with two accounts of what it relies on": (
        lambda shop: shop.consumer("f", contact="c", table=shop.table("orders"), columns="amount", contract="f.yaml"),
        "the consumer 'f' of domain shop has a contract, and columns, rules or freshness beside it",
    ),
    "a consumer of a name": (
        lambda shop: shop.consumer("f", contact="c", table="orders"),
        "the table of the consumer 'f' of domain shop is a str",
    ),
    "an announcement of what was": (
        lambda shop: shop.announce(
            shop.table("orders"), "column note", announced="2026-12-01", effective="2026-11-01", why="?"
        ),
        r"Announcement: effective \(2026-11-01\) comes before announced",
    ),
    "a domain of a framework's name": (lambda shop: Domain("shop_raw", owner="o"), "ends like a namespace"),
    "a domain without an owner": (lambda shop: Domain("billing", owner=" "), "the domain 'billing' has no owner"),
    "a cleansing step without tokens": (lambda shop: NullTokens(()), "NullTokens: "),
    "an unknown classification": (
        lambda shop: Source(
            origin="x", steward=Steward("a", "b"), reader=FileDrop("{batch}.csv"), classification="secret"
        ),
        "Source: classification: .*not 'secret'",
    ),
}
"""What somebody may write, and what the error says."""


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_declared_wrong_is_refused_where_it_is_written(wrong: str) -> None:
    declare, message = WRONG[wrong]
    with pytest.raises(DeclarationError, match=message) as refused:
        declare(order_domain())
    assert "pydantic" not in str(refused.value)
    assert type(refused.value).__module__ == "readiness_pipelines.errors"


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'orders'"):
        order_domain().table("order")


def test_a_decorated_function_stays_callable() -> None:
    shop = order_domain()

    @shop.derived(schema=Order, name="twice")
    def twice(orders: int) -> int:
        return orders * 2

    assert twice(4) == 8
    assert shop.table("twice") is twice


def test_any_number_of_kpis_read_one_table() -> None:
    shop = order_domain()

    @shop.kpi(question="How much?", unit="EUR", by=["status"], targets={"paid": "> 1"})
    def revenue(orders: Any) -> Ratio:
        return Ratio("sum(amount)", "1")

    assert [str(kpi.id) for kpi in shop.kpis] == ["shop.refund_rate", "shop.revenue"]
    assert products_of(shop.table("orders")) == ("shop.refund_rate", "shop.revenue")
    assert str(revenue.target_of(("paid",))) == "> 1"
    assert revenue.target_of(()) is None


def test_who_answers_has_one_answer() -> None:
    shop = order_domain()
    assert [answers_for(table) for table in shop.tables] == [
        "Shop team <shop@shop.example>",
        "shop@shop.example",
        "shop@shop.example",
    ]


def test_consumers_are_known_to_the_table_they_rely_on_whoever_declares_them() -> None:
    shop, finance = order_domain(), Domain("finance", owner="finance@shop.example")
    orders = shop.table("orders")
    close = finance.consumer("close", contact="finance@shop.example", table=orders, columns="amount", notice="30d")
    board = shop.consumer("board", contact="#board", table=orders, contract="contracts/board.odcs.yaml", rules=None)
    assert orders.consumers == [close, board]
    assert (close.columns, close.rules, close.notice) == (("amount",), None, timedelta(days=30))
    assert board.contract == Path(samples.__file__).parent / "contracts/board.odcs.yaml"
    with pytest.raises(DeclarationError, match=r"'close' of domain shop is declared twice for shop\.orders"):
        shop.consumer("close", contact="#close", table=orders)


def test_a_domain_reads_tables_of_another() -> None:
    shop, billing = order_domain(), Domain("billing", owner="billing@shop.example")

    @billing.derived(schema=Order, reads={"paid": shop.table("paid")})
    def invoices(paid: Any) -> Any:
        return paid

    assert [str(one.id) for one in downstream(shop.table("orders"))] == [
        "shop.paid",
        "billing.invoices",
        "shop.refund_rate",
    ]
    assert [str(one.id) for one in upstream(invoices)] == ["shop.orders", "shop.paid"]


def test_tables_with_equal_batches_share_a_lane() -> None:
    shop = order_domain()
    assert [(lane.name, len(lane.tables)) for lane in shop.lanes] == [("shop", 3)]
    shop.gated("rates", source=_source(), schema=Order, batches=Versions())
    shop.gated("prices", source=_source(), schema=Order, batches=Versions())
    assert [lane.name for lane in shop.lanes] == ["shop_static", "shop_versions_rates", "shop_versions_prices"]
