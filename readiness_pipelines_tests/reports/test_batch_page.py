"""The page of a batch says what ledger and tables say; no value becomes markup, or leaves where it may not."""

import re
from datetime import UTC, datetime

import pytest

from readiness_pipelines import Classification, Domain, FileDrop, Source, StaticBatches, Steward
from readiness_pipelines.contracts import Table
from readiness_pipelines.decisions import Correction
from readiness_pipelines.delivery import decide
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.reports.batch_facts import gather_batch
from readiness_pipelines.reports.batch_page import batch_page
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.samples import MOSTLY_BAD, ONE_BAD, Order, gated, land, order_domain

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SHOP = order_domain()
ORDERS = gated(SHOP)


def page(table: Table, batch: str, installation: Installation) -> str:
    return batch_page(gather_batch(table, batch=batch, installation=installation, now=NOW))


def test_the_page_of_a_held_batch_says_why_what_waits_what_was_decided_and_what_to_type(
    installation: Installation,
) -> None:
    land(installation.landing.path, "day_1", *MOSTLY_BAD)
    run_domains(SHOP, installation=installation)
    change = Correction(column="amount", expression="'25'", where="order_id = '2'")
    decide(ORDERS, change, batch="day_1", why="known <b>", installation=installation, run=Run(who="ann"))
    text = page(ORDERS, "day_1", installation)
    for said in (
        "<h1>shop.orders · day_1</h1>",
        "3 of 4 rows (75.00%) fail, over the tolerance of 50.00%",
        "Shop team &lt;shop@shop.example&gt;",
        "readiness quarantine rows shop.orders --batch day_1 --rule amount_dtype",
        "readiness replay shop.orders --batch day_1 --dry-run",
        "known &lt;b&gt;",
        "orders/day_1.csv",
        "shop.refund_rate[day_1]",
    ):
        assert said in text
    waiting = re.search(r'<section id="waiting">.*?</section>', text, re.DOTALL)
    assert waiting is not None
    assert waiting[0].count("<tr>") == 1 + len(MOSTLY_BAD)
    rules = dict(re.findall(r'<td data-head="rule">(\w+)</td>.*?<td data-head="rows">(\d+)</td>', text))
    assert rules == {"amount_dtype": "1", "status_isin": "1"}  # one of three is corrected
    assert not re.search(r"""(src|href|@import|url\()\s*=?\s*["'(]?\s*(https?:)?//""", text)
    assert "<script" not in text


def test_the_page_of_a_kpi_has_its_value_and_what_it_was_made_of(installation: Installation) -> None:
    land(installation.landing.path, "day_1", *ONE_BAD)
    run_domains(SHOP, installation=installation)
    text = page(SHOP.table("refund_rate"), "day_1", installation)
    assert 'refund_rate</span><b class="">0.0 %</b>' in text
    assert "shop.orders[day_1]" in text
    assert "readiness history shop.refund_rate --batch day_1" in text
    assert 'id="waiting"' not in text


@pytest.mark.parametrize("classification", Classification)
def test_values_of_a_source_that_is_more_than_internal_are_not_written(
    classification: Classification, installation: Installation
) -> None:
    reader = FileDrop("orders/{batch}.csv", missing="?")
    source = Source(
        origin="Export", steward=Steward("Ann", "ann@shop.example"), reader=reader, classification=classification
    )
    shop = Domain("clinic", owner="ann@shop.example")
    orders = shop.gated("orders", source=source, schema=Order, batches=StaticBatches(keys=("day_1",)))
    land(installation.landing.path, "day_1", "1,10,secret,", "2,20,paid,")
    run_domains(shop, installation=installation)
    shown = "secret" in page(orders, "day_1", installation)
    assert shown == (classification in (Classification.PUBLIC, Classification.INTERNAL))
