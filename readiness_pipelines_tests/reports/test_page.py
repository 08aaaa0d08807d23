"""A report agrees with the ledger and the tables, asks nothing of a server, and lets no value become markup."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import Freshness, StaticBatches, Sum
from readiness_pipelines.alerts import AlertSettings, watch
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.observability import Bar
from readiness_pipelines.reports.charts import histogram_chart
from readiness_pipelines.reports.facts import Facts, gather
from readiness_pipelines.reports.links import Links
from readiness_pipelines.reports.markdown import escape_markdown
from readiness_pipelines.reports.page import html_page, index_page, markdown_page
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, WEEKS, Order, gated, land, land_week, order_domain

SHOP = order_domain(batches=WEEKS, freshness=Freshness(warn_after="3d", fail_after="6d"))
ORDERS = gated(SHOP)
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(week: int) -> Run:
    return Run(who="me", clock=lambda: START + timedelta(weeks=week))


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """Ten usual weeks, an unusual one, and one that is held; a look after each."""
    folder = tmp_path_factory.mktemp("facts")
    (folder / "landing").mkdir()
    installation = Installation.open(settings_in(folder))
    for week in range(1, 13):
        if week == 12:
            land(installation.landing.path, WEEKS[11], *MOSTLY_BAD)
        else:
            land_week(installation.landing.path, week, amount=40 if week == 11 else 20)
        ingest(ORDERS, batch=WEEKS[week - 1], installation=installation, run=at(week))
        deliver(ORDERS, batch=WEEKS[week - 1], installation=installation, run=at(week))
        if week < 12:
            deliver(SHOP.table("refund_rate"), batch=WEEKS[week - 1], installation=installation, run=at(week))
        watch([SHOP], AlertSettings(), installation=installation, clock=at(week).clock)
    late = START + timedelta(weeks=11, days=8)
    watch([SHOP], AlertSettings(), installation=installation, clock=lambda: late)
    return gather(SHOP, installation=installation, now=late)


def test_the_facts_are_those_of_the_ledger(facts: Facts) -> None:
    assert facts.status.lanes[0].total.quarantined == 4
    assert {(one.name, one.broken_rows, one.route) for one in facts.rules} == {
        ("amount_dtype", 1, "quarantine"),
        ("amount_greater_than_or_equal_to", 1, "quarantine"),
        ("status_isin", 1, "quarantine"),
    }
    assert all(one.rows == facts.status.lanes[0].total.ingested for one in facts.rules)
    assert [(row.ref.batch, row.row, row.broken, dict(row.cells)) for row in facts.failing] == [
        (WEEKS[11], 0, "amount_dtype", {"amount": "x"}),
        (WEEKS[11], 1, "amount_greater_than_or_equal_to", {"amount": "-20"}),
        (WEEKS[11], 2, "status_isin", {"status": "lost"}),
    ]
    assert (facts.trail[-1].what, facts.trail[-1].ref.batch) == ("held", WEEKS[11])
    assert {one.finding.kind for one in facts.incidents} == {"freshness", "held", "distribution"}
    (late,) = [span for span in facts.spans if span.late and span.end == facts.at]
    assert late.start == START + timedelta(weeks=11, days=3)
    assert [one.finding.column for one in facts.unusual] == ["amount"]
    latency = facts.latencies[0]
    assert (latency.table, latency.batch, latency.took) == (ORDERS.id, WEEKS[11], None)
    (kpi,) = facts.kpis
    assert [value.batch for value in kpi.values] == list(WEEKS[:11])
    assert kpi.together is not None
    assert kpi.together.value == pytest.approx(0.1, abs=0.03)


def test_the_page_has_every_chart_and_table_and_stands_alone(facts: Facts) -> None:
    page = html_page(facts)
    titles = {"kpi-refund_rate-chart": "KPI over batches", "rows": "Rows over batches", "freshness": "Freshness"}
    titles |= {"rules": "Rules by rows that broke them", "moved-0": "amount in week_11"}
    for chart, title in titles.items():
        drawn = page.partition(f'id="{chart}">')[2]
        assert drawn.partition("</section>")[0].count(f'<svg role="img" aria-label="{title}" ') == 2, chart
    assert 'id="map"' in page
    assert not re.search(r">\d{1,2}(:\d\d)? ?[AP]M<", page), "times are of 24 hours"
    for text in (
        "week_12",
        "3 of 4 rows (75.00%) fail",
        "Shop team &lt;shop@shop.example&gt;",
        "distribution: values of amount",
        "target &lt;= 50.0 %",
        "isin([&#39;paid&#39;, &#39;refunded&#39;])",
        "status: lost",
    ):
        assert text in page
    assert not re.search(r"""(src|href|@import|url\()\s*=?\s*["'(]?\s*(https?:)?//""", page)
    assert "<script" not in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


def test_the_markdown_twin_has_the_same_tables(facts: Facts) -> None:
    page = markdown_page(facts)
    assert page.startswith("# shop\n")
    assert "\n## refund_rate\n\nHow many orders are refunded?\n\n**10." in page
    heads = re.findall(r"^## (.+)$", page, re.MULTILINE)
    drawn = html_page(facts)
    assert [head for head in heads if f"<h2>{head}</h2>" not in drawn] == []
    assert {"Products", "What waits", "Rows that fail", "What happened last"} < set(heads)
    tables = [block for block in page.split("\n\n") if block.startswith("|")]
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
        assert len(widths) == 1, table


def test_batches_tables_and_products_lead_to_the_web_page_or_to_pages_beside_the_report(facts: Facts) -> None:
    held = BatchRef(ORDERS.id, WEEKS[11])
    for links, address, product in (
        (Links(), None, "#kpi-refund_rate"),
        (Links(pages=frozenset({held})), "shop.orders/week_12.html", "#kpi-refund_rate"),
        (
            Links(web_url="https://readiness.example"),
            "https://readiness.example/batches/shop/orders/week_12",
            "https://readiness.example/products/shop/refund_rate",
        ),
    ):
        page, index = html_page(facts, links), index_page([facts], links)
        for one in (page, index):
            assert (f'<a href="{address}">week_12</a>' in one) is (address is not None)
            assert f'{product}">refund_rate</a>' in one
        assert '<a href="shop.html">shop</a>' in index
        assert (f"[week_12]({address})" in markdown_page(facts, links)) is (address is not None)


@pytest.mark.parametrize(
    ("why", "words"), [("of fewer than 5 rows", "of fewer than 5 rows"), (None, "there is no value")]
)
def test_a_published_kpi_without_a_value_is_not_called_unpublished(facts: Facts, why: str | None, words: str) -> None:
    (kpi,) = facts.kpis
    none = replace(kpi.values[-1], value=None, suppressed=why)
    page = markdown_page(replace(facts, kpis=(replace(kpi, together=None, values=(none,)),)))
    assert f"**–** ({none.batch}) {words}" in page


def test_a_domain_that_never_ran_has_a_page(installation: Installation) -> None:
    facts = gather(SHOP, installation=installation, now=START)
    assert "nothing is published" in html_page(facts)
    assert "nothing is published" in markdown_page(facts)


def test_each_kpi_has_a_section_and_its_values_by_dimension(installation: Installation) -> None:
    shop = order_domain(batches=WEEKS)

    @shop.kpi(question="How much by note?", unit="EUR", target=">= 100", by=["note"])
    def amount_by_note(orders: Relation) -> Sum:
        """What was ordered, by note."""
        return Sum("amount")

    rows = ("1,1200,paid,<b>a</b>|`x`", "2,20,refunded,?", "3,80,paid,b")
    land(installation.landing.path, WEEKS[0], *rows)
    ingest(gated(shop), batch=WEEKS[0], installation=installation, run=at(1))
    for name in ("orders", "refund_rate", "amount_by_note"):
        deliver(shop.table(name), batch=WEEKS[0], installation=installation, run=at(1))
    facts = gather(shop, installation=installation, now=START)
    page, text = html_page(facts), markdown_page(facts)
    assert [match[1] for match in re.finditer(r'<section id="kpi-(\w+)">', page)] == ["refund_rate", "amount_by_note"]
    assert "&lt;b&gt;a&lt;/b&gt;|`x`" in page
    assert "33.3 %" in page
    assert "### By note, in week_01" in text
    assert "| &lt;b>a&lt;/b>\\|\\`x\\` | 1,200 EUR | >= 100.00 EUR | meets its target |" in text
    assert "| – | 20.00 EUR | >= 100.00 EUR | misses its target |" in text


def test_each_lane_has_a_chart_of_its_rows(installation: Installation) -> None:
    shop, stays = order_domain(batches=WEEKS), StaticBatches(keys=("x",))
    shop.gated("more_orders", source=gated(shop).source, schema=Order, batches=stays)
    for name, batch in (("orders", WEEKS[0]), ("more_orders", "x")):
        land(installation.landing.path, batch, *GOOD)
        ingest(gated(shop, name), batch=batch, installation=installation, run=at(1))
        deliver(gated(shop, name), batch=batch, installation=installation, run=at(1))
    page = html_page(gather(shop, installation=installation, now=START))
    titles = re.findall(r"<h2>(Rows over batches[^<]*)</h2>", page)
    assert titles == [f"Rows over batches: {lane.name}" for lane in shop.lanes]


def test_values_from_outside_stay_text(installation: Installation) -> None:
    header = "order_id,amount,status,note,<script>alert(1)</script>|x`![a](http://b.example)"
    land(installation.landing.path, WEEKS[0], *GOOD)
    land(installation.landing.path, WEEKS[1], "5,10,paid,a,x", header=header)
    for batch in WEEKS[:2]:
        ingest(ORDERS, batch=batch, installation=installation, run=at(1))
        deliver(ORDERS, batch=batch, installation=installation, run=at(1))
    facts = gather(SHOP, installation=installation, now=START)
    page = html_page(facts)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;|x" in page
    assert "&lt;script>alert(1)&lt;/script>\\|x\\`!\\[a\\](http://b.example)" in markdown_page(facts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a|b", r"a\|b"),
        ("a\nb\r\nc", "a b c"),
        ("`x`", r"\`x\`"),
        ("<b>&amp;", "&lt;b>&amp;amp;"),
        ("[a](b)", r"\[a\](b)"),
        ("c:\\d", r"c:\\d"),
        (3, "3"),
    ],
)
def test_a_value_in_markdown_stays_text_on_one_line(value: object, text: str) -> None:
    assert escape_markdown(value) == text


def test_values_in_a_chart_stay_text() -> None:
    drawn = histogram_chart([Bar(label="<script>alert(1)</script>&", seen=1, expected=0)])
    assert "<script" not in drawn
    assert "&lt;script" in drawn
