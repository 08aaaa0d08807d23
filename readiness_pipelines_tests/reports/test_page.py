"""A report tells what the ledger and the tables tell, asks nothing of a server, and lets no value become markup."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import Freshness
from readiness_pipelines.alerts import AlertSettings, watch
from readiness_pipelines.delivery import deliver, ingest, measure
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.observability import Bar
from readiness_pipelines.reports.charts import histogram_chart
from readiness_pipelines.reports.facts import Facts, gather
from readiness_pipelines.reports.page import html_page, markdown_page
from readiness_pipelines_tests.samples import MOSTLY_BAD, WEEKS, land, land_week, order_path

PATH = order_path(batches=WEEKS, freshness=Freshness(warn_after="3d", fail_after="6d"))
ORDERS: Any = PATH.table("orders")
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(week: int) -> Run:
    return Run(who="me", clock=lambda: START + timedelta(weeks=week))


@pytest.fixture
def facts(installation: Installation) -> Facts:
    """Ten usual weeks, an unusual one, and one that is held; a look after each."""
    for week in range(1, 13):
        if week == 12:
            land(installation.landing.path, WEEKS[11], *MOSTLY_BAD)
        else:
            land_week(installation.landing.path, week, amount=40 if week == 11 else 20)
        ingest(PATH, ORDERS, batch=WEEKS[week - 1], installation=installation, run=at(week))
        deliver(PATH, ORDERS, batch=WEEKS[week - 1], installation=installation, run=at(week))
        if week < 12:
            measure(PATH, batch=WEEKS[week - 1], installation=installation, run=at(week))
        watch([PATH], AlertSettings(), installation=installation, clock=at(week).clock)
    late = START + timedelta(weeks=11, days=8)
    watch([PATH], AlertSettings(), installation=installation, clock=lambda: late)
    return gather(PATH, installation=installation, now=late)


def test_the_facts_are_those_of_the_ledger(facts: Facts) -> None:
    assert facts.status.total.quarantined == 4
    assert dict(facts.rules) == {"amount_dtype": 1, "amount_greater_than_or_equal_to": 1, "status_isin": 1}
    assert {one.finding.kind for one in facts.incidents} == {"freshness", "held", "distribution"}
    (late,) = [span for span in facts.spans if span.late and span.end == facts.at]
    assert late.start == START + timedelta(weeks=11, days=3)
    assert [one.finding.column for one in facts.unusual] == ["amount"]
    latency = facts.latencies[0]
    assert (latency.table, latency.batch, latency.took) == ("shop.orders", WEEKS[11], None)


def test_the_page_has_every_chart_and_table_and_stands_alone(facts: Facts) -> None:
    page = html_page(facts)
    for chart in ("kpi", "rows", "rules", "freshness", "moved-0"):
        assert re.search(rf'<section id="{chart}"><h2>[^<]+</h2><svg', page), chart
    for text in (
        "week_12",
        "3 of 4 rows (75.00%) fail",
        "Shop team &lt;shop@shop.example&gt;",
        "distribution: values of amount",
    ):
        assert text in page
    assert not re.search(r"""(src|href|@import|url\()\s*=?\s*["'(]?\s*(https?:)?//""", page)
    assert "<script" not in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


def test_the_markdown_twin_has_the_same_tables(facts: Facts) -> None:
    page = markdown_page(facts)
    assert page.startswith("# refund_rate\n\nHow many orders are refunded?\n")
    heads = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert heads == re.findall(r'<section id="[a-z-]+"><h2>([^<]+)</h2>\n', html_page(facts))
    tables = [block for block in page.split("\n\n") if block.startswith("|")]
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
        assert len(widths) == 1, table


def test_a_path_that_never_ran_has_a_page(installation: Installation) -> None:
    facts = gather(PATH, installation=installation, now=START)
    assert "nothing is published" in html_page(facts)
    assert "nothing is published" in markdown_page(facts)


def test_values_from_outside_stay_text(installation: Installation, tmp_path: Path) -> None:
    header = "order_id,amount,status,note,<script>alert(1)</script>|x"
    land(installation.landing.path, WEEKS[0], "1,10,paid,a,x", header=header)
    ingest(PATH, ORDERS, batch=WEEKS[0], installation=installation, run=at(1))
    deliver(PATH, ORDERS, batch=WEEKS[0], installation=installation, run=at(1))
    facts = gather(PATH, installation=installation, now=START)
    assert "<script>" not in html_page(facts)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;|x" in html_page(facts)
    assert "alert(1)</script>\\|x" in markdown_page(facts)


def test_values_in_a_chart_stay_text() -> None:
    drawn = histogram_chart([Bar(label="<script>alert(1)</script>&", seen=1, expected=0)])
    assert "<script" not in drawn
    assert "&lt;script" in drawn
