"""History follows the recorded inputs: up to what arrived, down to the products, across batches and domains."""

import pytest
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import DailyBatches, Domain, MonthlyBatches, Sum
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.decisions import Correction
from readiness_pipelines.delivery import decide, deliver
from readiness_pipelines.errors import LedgerError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import History, history
from readiness_pipelines_tests.overview.delivering import bring, compute
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, gated, order_domain


def steps(found: History) -> list[str]:
    return [str(step.ref) for step in found.steps]


def test_a_batch_is_followed_from_what_arrived_to_the_kpi(installation: Installation) -> None:
    shop = order_domain()
    bring(shop, installation, "day_1", ONE_BAD)
    decide(
        gated(shop),
        Correction(column="amount", expression="'20'", where="_row = 1"),
        batch="day_1",
        why="a typo",
        installation=installation,
        run=Run(who="ana"),
    )
    deliver(gated(shop), batch="day_1", installation=installation, run=Run(who="ana"))
    compute(shop, installation, "day_1", "paid", "refund_rate")
    found = history(gated(shop), batch="day_1", installation=installation)
    assert steps(found) == [
        "shop_raw.orders[day_1]",
        "shop.orders[day_1]",
        "shop.paid[day_1]",
        "shop.refund_rate[day_1]",
    ]
    raw, orders, _, rate = found.steps
    assert raw.record is not None
    assert len(raw.record.origins[0].fingerprint) == 64
    assert [entry.what for entry in orders.trail] == ["partly_published", "decided to correct", "published"]
    assert [(decision.verb, decision.who, decision.why) for decision in orders.decisions] == [
        ("correct", "ana", "a typo")
    ]
    assert rate.value is not None
    assert rate.value.value == 0.25


def test_from_a_product_history_leads_back_to_what_arrived(installation: Installation) -> None:
    shop = order_domain()
    bring(shop, installation, "day_1", GOOD)
    compute(shop, installation, "day_1", "paid", "refund_rate")
    found = history(shop.table("refund_rate"), batch="day_1", installation=installation)
    assert steps(found) == ["shop_raw.orders[day_1]", "shop.orders[day_1]", "shop.refund_rate[day_1]"]


def test_a_held_batch_ends_the_chain_and_what_was_not_computed_is_named(installation: Installation) -> None:
    shop = order_domain()
    bring(shop, installation, "day_1", MOSTLY_BAD)
    found = history(gated(shop), batch="day_1", installation=installation)
    assert steps(found) == [
        "shop_raw.orders[day_1]",
        "shop.orders[day_1]",
        "shop.paid[day_1]",
        "shop.refund_rate[day_1]",
    ]
    assert [step.record is None for step in found.steps] == [False, False, True, True]


def calendar_domain() -> Domain:
    shop = order_domain(batches=DailyBatches(start="2026-01-01"))

    @shop.kpi(question="How much is paid in a month?", unit="EUR", batches=MonthlyBatches(start="2026-01-01"))
    def paid_of_month(paid: Relation) -> Sum:
        """What is paid in a month."""
        return Sum("amount")

    return shop


def test_other_kinds_of_batches_are_followed_by_what_was_read(installation: Installation) -> None:
    shop = calendar_domain()
    for day in ("2026-01-10", "2026-01-09"):
        bring(shop, installation, day, GOOD)
        compute(shop, installation, day, "paid")
    compute(shop, installation, "2026-01", "paid_of_month")
    month = history(shop.table("paid_of_month"), batch="2026-01", installation=installation)
    assert steps(month) == [
        "shop_raw.orders[2026-01-09]",
        "shop_raw.orders[2026-01-10]",
        "shop.orders[2026-01-09]",
        "shop.orders[2026-01-10]",
        "shop.paid[2026-01-09]",
        "shop.paid[2026-01-10]",
        "shop.paid_of_month[2026-01]",
    ]
    of_day = history(gated(shop), batch="2026-01-10", installation=installation)
    assert steps(of_day) == [
        "shop_raw.orders[2026-01-10]",
        "shop.orders[2026-01-10]",
        "shop.paid[2026-01-10]",
        "shop.refund_rate[2026-01-10]",
        "shop.paid_of_month[2026-01]",
    ]


def test_readers_in_other_domains_are_found_where_their_code_is_not_there(installation: Installation) -> None:
    shop = order_domain()
    finance = Domain("finance", owner="f@f.example")

    @finance.kpi(question="How much?", unit="EUR", reads={"orders": shop.table("orders")})
    def revenue(orders: Relation) -> Sum:
        """What was ordered."""
        return Sum("amount")

    bring(shop, installation, "day_1", GOOD)
    compute(finance, installation, "day_1", "revenue")
    alone = history(gated(order_domain()), batch="day_1", installation=installation)
    assert BatchRef(revenue.id, "day_1") in [step.ref for step in alone.steps]


def test_a_batch_that_never_ran_is_not_taken_for_another(installation: Installation) -> None:
    shop = order_domain()
    bring(shop, installation, "day_1", GOOD)
    with pytest.raises(LedgerError, match=r"never delivered\n.*readiness run shop.orders --batch day_2"):
        history(gated(shop), batch="day_2", installation=installation)
    with pytest.raises(UnknownNameError, match="did you mean 'day_1'"):
        history(gated(shop), batch="day_11", installation=installation)
