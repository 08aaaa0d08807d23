"""What one look at some tables finds: slow, held, broken and late batches, and nothing where all is as promised."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    DailyBatches,
    Domain,
    FileDrop,
    Freshness,
    MonthlyBatches,
    Source,
    StaticBatches,
    Steward,
    Sum,
    Tolerance,
    Value,
)
from readiness_pipelines.batches import Batches, BatchRef
from readiness_pipelines.contracts import answers_for
from readiness_pipelines.decisions import Discarding
from readiness_pipelines.delivery import decide, deliver, do_work, due_work, ingest, replay_batch
from readiness_pipelines.errors import DeclarationError, FileUnreadableError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import Finding
from readiness_pipelines.overview import observe
from readiness_pipelines_tests.overview.delivering import START, bring, compute
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, Order, gated, land, order_domain

STATIC = StaticBatches(keys=("a", "b"))


def prompt_domain(schema: Any = Order, batches: Batches = STATIC, **promises: Any) -> Domain:
    shop = Domain("shop", owner="a@b.example")
    source = Source(
        origin="Shop", steward=Steward("S", "s@s.example"), reader=FileDrop("orders/{batch}.csv", missing="?")
    )
    shop.gated(
        "orders",
        source=source,
        schema=schema,
        batches=batches,
        tolerance=Tolerance(quarantined_ratio=0.5),
        **promises,
    )
    return shop


def findings(domain: Domain, installation: Installation, now: datetime) -> tuple[Finding, ...]:
    return observe(domain.tables, installation=installation, now=now).findings


def found(domain: Domain, installation: Installation, now: datetime) -> list[tuple[str, str | None, str]]:
    return [(f.kind.value, f.batch, f.seen) for f in findings(domain, installation, now)]


def test_a_batch_that_took_longer_than_promised_is_found_until_a_later_one_is_in_time(
    installation: Installation,
) -> None:
    shop = prompt_domain(latency="10m")
    bring(shop, installation, "a", GOOD, at=START + timedelta(minutes=25))
    assert found(shop, installation, START + timedelta(hours=1)) == [("latency", "a", "took 25m")]
    bring(shop, installation, "b", GOOD, at=START + timedelta(minutes=9))
    bring(shop, installation, "b", (*GOOD, "9,1,paid,x"), at=START + timedelta(minutes=26))
    assert found(shop, installation, START + timedelta(hours=1)) == []


def test_a_batch_that_was_ingested_and_goes_no_further_is_found(installation: Installation) -> None:
    shop = prompt_domain(latency="10m")
    os.utime(land(installation.landing.path, "a", *GOOD), (START.timestamp(), START.timestamp()))
    ingest(gated(shop), batch="a", installation=installation, run=Run(clock=lambda: START))
    assert found(shop, installation, START + timedelta(minutes=10)) == []
    late = found(shop, installation, START + timedelta(minutes=11))
    assert late == [("latency", "a", "it landed 11m ago and is not published")]


def test_a_computed_table_is_slow_counted_from_its_last_input(installation: Installation) -> None:
    shop = prompt_domain()

    @shop.derived(schema=Order, latency="10m")
    def cheap(orders: Relation) -> Relation:
        """Cheap orders."""
        return orders.filter("amount < 100")

    bring(shop, installation, "a", GOOD, at=START + timedelta(minutes=25))
    assert found(shop, installation, START + timedelta(minutes=35)) == []
    late = found(shop, installation, START + timedelta(minutes=36))
    assert late == [("latency", "a", "orders came 11m ago and is not published")]
    compute(shop, installation, "a", "cheap", at=START + timedelta(minutes=40))
    assert found(shop, installation, START + timedelta(hours=1)) == [("latency", "a", "took 15m")]


def test_a_month_is_slow_counted_from_its_newest_day_whenever_it_was_published_first(
    installation: Installation,
) -> None:
    shop = prompt_domain(batches=DailyBatches(start="2026-01-01"))

    @shop.kpi(question="?", unit="EUR", latency="10m", batches=MonthlyBatches(start="2026-01-01"))
    def revenue(orders: Relation) -> Sum:
        """What was ordered in a month."""
        return Sum("amount")

    bring(shop, installation, "2026-01-01", GOOD, at=START)
    compute(shop, installation, "2026-01", "revenue", at=START + timedelta(minutes=1))
    bring(shop, installation, "2026-01-02", GOOD, at=START + timedelta(hours=1))
    assert found(shop, installation, START + timedelta(minutes=70)) == []
    late = found(shop, installation, START + timedelta(minutes=71))
    assert late == [("latency", "2026-01", "orders came 11m ago and is not published")]
    compute(shop, installation, "2026-01", "revenue", at=START + timedelta(minutes=65))
    assert found(shop, installation, START + timedelta(hours=9)) == []


def test_a_held_batch_is_held_and_not_slow(installation: Installation) -> None:
    shop = prompt_domain(latency="10m")
    bring(shop, installation, "a", MOSTLY_BAD, at=START + timedelta(minutes=25))
    assert [kind for kind, _, _ in found(shop, installation, START + timedelta(hours=1))] == ["held"]


def test_a_finding_says_who_answers_what_is_at_risk_and_what_to_type(installation: Installation) -> None:
    shop = prompt_domain()

    @shop.derived(schema=Order)
    def cheap(orders: Relation) -> Relation:
        """Cheap orders."""
        return orders.filter("amount < 100")

    @shop.kpi(question="?", unit="count")
    def cheap_count(cheap: Relation) -> Value:
        """Cheap orders."""
        return Value("count(*)")

    bring(shop, installation, "a", MOSTLY_BAD)
    (held,) = findings(shop, installation, START)
    assert (str(held.table), held.batch) == ("shop.orders", "a")
    assert held.answers == answers_for(gated(shop)) == "S <s@s.example>"
    assert held.at_risk == ("shop.cheap_count",)
    assert held.way_out == "readiness quarantine show shop.orders --batch a"
    assert len(held.details) == 3


def test_held_batches_are_found_from_old_to_new(installation: Installation) -> None:
    shop = prompt_domain(batches=StaticBatches(keys=("z", "a")))
    for batch in ("a", "z"):
        bring(shop, installation, batch, MOSTLY_BAD)
    assert [batch for _, batch, _ in found(shop, installation, START)] == ["z", "a"]


def test_a_source_that_cannot_be_read_is_broken_once_until_it_can(installation: Installation) -> None:
    shop = prompt_domain()
    land(installation.landing.path, "a", *GOOD).write_bytes(b"order_id,amount\xff\xfe\x00")
    with pytest.raises(FileUnreadableError):
        ingest(gated(shop), batch="a", installation=installation, run=Run(clock=lambda: START))
    (broken,) = findings(shop, installation, START)
    assert (broken.kind, str(broken.table), broken.batch) == ("broken", "shop.orders", "a")
    assert broken.way_out == "readiness run shop.orders --batch a"
    bring(shop, installation, "a", GOOD)
    assert findings(shop, installation, START) == ()


def test_a_batch_that_was_taken_back_is_broken_until_somebody_closes_it_or_it_breaks_again(
    installation: Installation,
) -> None:
    shop, book = prompt_domain(), installation.ledger.incidents
    file = land(installation.landing.path, "a")

    def breaks(minutes: int) -> None:
        file.write_bytes(b"order_id,amount\xff\xfe\x00")
        with pytest.raises(FileUnreadableError):
            ingest(gated(shop), batch="a", installation=installation, run=Run(clock=lambda: at(minutes)))
        file.unlink()

    def look(minutes: int) -> list[str]:
        seen = findings(shop, installation, at(minutes))
        return [event.what for event in book.look(seen, tables=[gated(shop).id], at=at(minutes))]

    def at(minutes: int) -> datetime:
        return START + timedelta(minutes=minutes)

    breaks(0)
    assert look(1) == ["opened"]
    book.resolve(book.incidents()[0].id, who="me", why="sent by mistake", at=at(2))
    assert (look(3), findings(shop, installation, at(4))) == ([], ())
    breaks(5)
    assert look(6) == ["reopened"]


def test_what_follows_a_held_batch_waits_and_is_not_broken_and_ends_when_the_batch_is_discarded(
    installation: Installation,
) -> None:
    shop, run = order_domain(), Run(clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    paid = shop.table("paid")
    land(installation.landing.path, "day_1", *MOSTLY_BAD)
    (work,) = due_work([shop], installation=installation, now=run.clock())
    do_work(work, installation=installation, run=run)
    assert installation.ledger.trail(ref=BatchRef(paid.id, "day_1")) == ()
    with pytest.raises(UpstreamNotPublishedError):  # as whoever runs it by name does, and as older versions did
        deliver(paid, batch="day_1", installation=installation, run=run)
    assert [(one.kind, one.table) for one in findings(shop, installation, START)] == [("held", gated(shop).id)]
    decide(gated(shop), Discarding(), batch="day_1", why="a test", installation=installation, run=run)
    replay_batch(gated(shop), batch="day_1", installation=installation, run=run)
    assert findings(shop, installation, START) == ()


def test_a_delivery_that_began_long_ago_and_did_not_end_is_broken(installation: Installation) -> None:
    shop = prompt_domain()
    ref = BatchRef(gated(shop).id, "a")
    installation.ledger.begin(ref, attempt="killed", run_id="r", who="night", at=START)
    assert found(shop, installation, START + timedelta(hours=2)) == []
    (broken,) = findings(shop, installation, START + timedelta(hours=3))
    assert (broken.kind, broken.batch) == ("broken", "a")
    assert "did not end" in broken.seen
    assert broken.way_out == "readiness reconcile shop --repair"


def test_other_domains_are_not_looked_at(installation: Installation) -> None:
    bring(prompt_domain(), installation, "a", MOSTLY_BAD)
    other = Domain("other", owner="o@o.example")
    assert findings(other, installation, START) == ()


class Reading(pa.DataFrameModel):
    """One reading of a sensor."""

    seen_at: arrow.timestamp("us", tz="UTC")
    day: arrow.date32()


@pytest.mark.parametrize(
    ("column", "newest"), [("seen_at", datetime(2026, 1, 1, 9, tzinfo=UTC)), ("day", datetime(2026, 1, 2, tzinfo=UTC))]
)
def test_the_newest_event_of_a_batch_is_kept(installation: Installation, column: str, newest: datetime) -> None:
    promise = Freshness(warn_after="1h", fail_after="2h", event_time=column)
    shop = prompt_domain(schema=Reading, freshness=promise)
    rows = ("2026-01-01T09:00:00Z,2026-01-01", "2026-01-01T08:00:00Z,2026-01-02")
    bring(shop, installation, "a", rows, at=START, header="seen_at,day")
    record = installation.ledger.get(BatchRef(gated(shop).id, "a"))
    assert record is not None
    assert record.newest_event_at == newest
    (late,) = findings(shop, installation, newest + timedelta(minutes=61))
    assert (late.kind, late.way_out) == ("freshness", "readiness status shop")


@pytest.mark.parametrize(("column", "reason"), [("amount", "is double"), ("amout", "did you mean 'amount'")])
def test_an_event_time_that_is_none_is_refused_before_anything_is_published(
    installation: Installation, column: str, reason: str
) -> None:
    shop = prompt_domain(freshness=Freshness(warn_after="1d", fail_after="2d", event_time=column))
    with pytest.raises(DeclarationError, match=reason):
        bring(shop, installation, "a", GOOD, at=START)
    assert not installation.lakehouse.exists(gated(shop).id)
