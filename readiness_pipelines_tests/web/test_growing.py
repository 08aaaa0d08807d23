"""Pages of many tables: what they ask the ledger does not grow with the tables; what they keep is dropped in time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from readiness_pipelines import DailyBatches, Domain, FileDrop, Freshness, Source, Steward, Sum
from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts.readers import Origin
from readiness_pipelines.decisions import Waiver, keep_decision
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.delivery.scanning import SCAN
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchFinding, BatchRecord, FindingKind
from readiness_pipelines.overview import Standing
from readiness_pipelines.settings import Settings
from readiness_pipelines.web.app import build_app
from readiness_pipelines.web.site import Site
from readiness_pipelines_tests.samples import Order

FIRST = date(2026, 1, 1)
DAYS = [(FIRST + timedelta(days=day)).isoformat() for day in range(3)]
NOW = datetime(2026, 1, 4, 6, tzinfo=UTC)
PAGES = (
    "/",
    "/inbox",
    "/catalog",
    "/catalog?q=orders",
    "/map?domain=shop_0",
    "/tables/shop_0/orders",
    "/tables/shop_0/orders/quality",
    "/batches/shop_0/orders/2026-01-03",
    "/products/shop_0/order_count",
    "/incidents",
    "/scorecard",
    "/api/today",
    "/api/quarantine",
    "/api/scorecard",
)


def one_shop(number: int) -> Domain:
    """Orders that promise how fast they come, and a number made of them."""
    shop = Domain(f"shop_{number}", owner="a@b.example")
    source = Source(origin="Shop", steward=Steward("S", "s@s.example"), reader=FileDrop("orders/{batch}.csv"))
    shop.gated(
        "orders",
        source=source,
        schema=Order,
        batches=DailyBatches(start=FIRST),
        freshness=Freshness(warn_after="30h", fail_after="54h"),
        latency="5m",
    )

    @shop.kpi(question="How many?", unit="count", latency="5m")
    def order_count(orders: Any) -> Sum:
        """Orders."""
        return Sum("1")

    return shop


def keep(installation: Installation, shop: Domain, batch: str, state: BatchState, *, at: datetime) -> None:
    """What a delivery of a shop's orders leaves in the ledger, and of the number that is made of them."""
    held = state is BatchState.HELD
    orders, product = shop.table("orders").id, shop.table("order_count").id
    part = {BatchState.HELD: "quarantined", BatchState.DISCARDED: "discarded"}.get(state, "published")
    counts = Counts(ingested=9, **{part: 9})
    rules = {"rules": {"amount_greater_than_or_equal_to": 9}} if held else {}
    origin = Origin(name="orders.csv", fingerprint="f", bytes=1, arrived_at=at - timedelta(minutes=20))
    raw = BatchRecord(
        ref=BatchRef(orders.raw, batch), state=BatchState.INGESTED, counts=Counts(), origins=(origin,), updated_at=at
    )
    own = BatchRecord(ref=BatchRef(orders, batch), state=state, counts=counts, reason="9 rows fail", updated_at=at)
    made = BatchRecord(
        ref=BatchRef(product, batch), state=BatchState.PUBLISHED, counts=Counts(ingested=1, published=1), updated_at=at
    )
    for record in (raw, own) if held else (raw, own, made):
        installation.ledger.record(record, what=record.state.value, who="t", why=None, details=rules)


def shops_site(folder: Path, number: int) -> Site:
    """Some shops, each with published days, a held one, a decision about it, and a column that looks personal."""
    settings = Settings(landing=str(folder / "landing"), warehouse=str(folder / "warehouse"), settles="0s")
    installation, shops = Installation.open(settings), [one_shop(one) for one in range(number)]
    for shop in shops:
        for place, day in enumerate(DAYS):
            at = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1, hours=3)
            keep(installation, shop, day, BatchState.HELD if place == len(DAYS) - 1 else BatchState.PUBLISHED, at=at)
        orders, last = shop.table("orders"), DAYS[-1]
        seen = BatchFinding(
            kind=FindingKind.UNCLASSIFIED,
            measured=SCAN,
            column=None,
            promised="",
            seen="looked at",
            details={"columns": ["email"]},
        )
        raw = BatchRef(orders.id.raw, last)
        installation.ledger.findings.replace(raw, {FindingKind.UNCLASSIFIED: [seen]}, at=NOW)
        waiver = Waiver(rule="amount_greater_than_or_equal_to")
        about = BatchRef(orders.id, last)
        keep_decision(installation.ledger, about, waiver, who="ann", why="known", at=NOW, classes=classes_of(orders))
    return Site(
        settings=settings,
        domains=tuple(shops),
        installation=installation,
        start_replay=lambda _number: None,
        hosts=frozenset({"testserver"}),
        clock=lambda: NOW,
        patience=20,
    )


@contextmanager
def counted(site: Site) -> Iterator[list[str]]:
    """The queries that the ledger is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    engine = site.installation.ledger._database._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Site]:
    """Two shops, and nine."""
    return shops_site(tmp_path_factory.mktemp("two"), 2), shops_site(tmp_path_factory.mktemp("nine"), 9)


@pytest.mark.parametrize("page", PAGES)
def test_the_first_look_at_a_page_asks_the_ledger_as_often_whatever_the_number_of_tables(
    sites: tuple[Site, Site], page: str
) -> None:
    asked = []
    for site in sites:
        with counted(site) as queries:
            answer = TestClient(build_app(replace(site))).get(page)
        assert answer.status_code == 200, answer.text
        asked.append(len(queries))
    assert asked[0] == asked[1] > 0


def test_what_was_ready_before_the_page_is_there_is_not_looked_up_by_whoever_comes_first(
    sites: tuple[Site, Site],
) -> None:
    site = replace(sites[0])
    with TestClient(build_app(site)) as visitor, counted(site) as queries:
        assert visitor.get("/").status_code == 200
    assert len(queries) <= 4  # whether something happened since, and who reads streams


def test_what_is_published_withdrawn_or_held_meanwhile_is_shown_at_the_next_look(tmp_path: Path) -> None:
    site = shops_site(tmp_path, 3)
    shop, later = site.domains[1], NOW - timedelta(minutes=1)
    orders = shop.table("orders").id
    ledger = site.installation.ledger
    assert site.now.standings()[orders] is Standing.HELD
    assert site.now.publications() == ledger.publications(tables=site.tables)
    keep(site.installation, shop, DAYS[-1], BatchState.PUBLISHED, at=later)
    assert site.now.standings()[orders] is not Standing.HELD
    assert {one.batch for one in site.now.publications()[orders]} == set(DAYS)
    keep(site.installation, shop, DAYS[0], BatchState.DISCARDED, at=later)
    assert {one.batch for one in site.now.publications()[orders]} == set(DAYS[1:])
    fresh = replace(site)
    assert site.now.publications() == fresh.now.publications()
    assert site.now.standings() == fresh.now.standings()


def test_a_scorecard_is_not_called_current_once_something_happened(tmp_path: Path) -> None:
    site = shops_site(tmp_path, 1)
    first = site.now.scorecard_soon("", identity_required=False)
    assert first.current
    assert site.now.scorecard_soon("", identity_required=False).card is first.card
    keep(site.installation, site.domains[0], DAYS[-1], BatchState.PUBLISHED, at=NOW - timedelta(minutes=1))
    impatient = replace(site, patience=0)
    assert impatient.now.scorecard_soon("", identity_required=False) == type(first)(None, current=False)
    again = site.now.scorecard_soon("", identity_required=False)
    assert again.current
    assert again.card is not first.card
