"""A batch is profiled when it is published, held against those before it, and what is unusual is kept and told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from readiness_pipelines.alerts import AlertSettings, watch
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.decisions import Correction
from readiness_pipelines.delivery import Delivery, Level, decide, deliver, ingest, reconcile, repair
from readiness_pipelines.delivery.baseline import baseline_of, profiles_of
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import FindingKind
from readiness_pipelines.overview import observe
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import MOSTLY_BAD, WEEKS, land, land_week, order_domain

SHOP = order_domain(batches=WEEKS)
ORDERS: Any = SHOP.table("orders")
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(week: int) -> Run:
    return Run(who="me", clock=lambda: START + timedelta(weeks=week))


def run_week(installation: Installation, week: int, **different: Any) -> Delivery:
    land_week(installation.landing.path, week, **different)
    return run_landed(installation, week)


def run_landed(installation: Installation, week: int) -> Delivery:
    ingest(ORDERS, batch=WEEKS[week - 1], installation=installation, run=at(week))
    return deliver(ORDERS, batch=WEEKS[week - 1], installation=installation, run=at(week))


@pytest.fixture
def ten_weeks(installation: Installation) -> Installation:
    for week in range(1, 11):
        run_week(installation, week)
    return installation


def moved(delivery: Delivery) -> list[tuple[str, str | None]]:
    assert delivery.profiled is not None
    assert delivery.profiled.comparison is not None
    return [(one.measured.value, one.column) for one in delivery.profiled.comparison.moved]


def kinds(installation: Installation, week: int) -> list[FindingKind]:
    seen = observe(SHOP.tables, installation=installation, now=START + timedelta(weeks=week))
    return [finding.kind for finding in seen.findings]


def compared_with(installation: Installation, week: int) -> list[str]:
    found = baseline_of(ORDERS, batch=WEEKS[week - 1], installation=installation)
    return [past.profile.batch for past in found.batches if not past.unlike]


def test_a_profile_is_kept_with_what_is_published_and_nothing_of_what_waits(installation: Installation) -> None:
    land(installation.landing.path, WEEKS[0], "1,10,paid,a", "2,30,refunded,?", "3,-1,paid,b")
    run_landed(installation, 1)
    found = profiles_of(ORDERS, WEEKS[:1], installation=installation)[WEEKS[0]]
    assert found.rows == 2
    assert list(found.columns) == ["order_id", "amount", "status", "note"]
    amount, note = found.columns["amount"], found.columns["note"]
    assert (amount.minimum, amount.maximum, amount.mean, amount.quantiles) == (10, 30, 20, (10, 30))
    assert (note.nulls, note.top) == (1, {"a": 1})


def test_doing_it_twice_equals_doing_it_once(ten_weeks: Installation) -> None:
    before = ten_weeks.ledger.profiles(ORDERS.id, WEEKS)
    run_landed(ten_weeks, 3)
    assert ten_weeks.ledger.profiles(ORDERS.id, WEEKS) == before
    assert len(before) == 10


def test_an_unusual_batch_is_published_found_and_told_once_and_is_over_with_the_next(ten_weeks: Installation) -> None:
    strange = run_week(ten_weeks, 11, rows=60, amount=40)
    assert strange.state is BatchState.PUBLISHED
    assert set(moved(strange)) == {("rows", None), ("values", "amount")}
    settings = AlertSettings()
    look = watch([SHOP], settings, installation=ten_weeks, clock=at(11).clock)
    assert [event.what for event in look.events] == ["opened", "opened"]
    assert watch([SHOP], settings, installation=ten_weeks, clock=at(11).clock).events == ()
    found = {one.finding.kind: one.finding for one in ten_weeks.ledger.incidents.incidents(active=True)}
    assert set(found) == {FindingKind.VOLUME, FindingKind.DISTRIBUTION}
    volume = found[FindingKind.VOLUME]
    assert (volume.batch, volume.answers) == (WEEKS[10], "Shop team <shop@shop.example>")
    assert volume.promised.startswith("19")
    assert "as in 10 batches before" in volume.promised
    assert "; by chance p = " in found[FindingKind.DISTRIBUTION].details[0]
    assert found[FindingKind.DISTRIBUTION].seen.startswith("amount: median 39.9")
    run_week(ten_weeks, 12)
    assert {e.what for e in watch([SHOP], settings, installation=ten_weeks, clock=at(12).clock).events} == {"resolved"}


def test_an_unusual_batch_is_no_example_for_later_ones(ten_weeks: Installation) -> None:
    run_week(ten_weeks, 11, rows=60)
    assert WEEKS[10] not in compared_with(ten_weeks, 12)
    assert moved(run_week(ten_weeks, 12, rows=60)) == [("rows", None)]


def test_neither_held_nor_later_batches_are_examples(ten_weeks: Installation) -> None:
    land(ten_weeks.landing.path, WEEKS[10], *MOSTLY_BAD)
    assert run_landed(ten_weeks, 11).state is BatchState.HELD
    assert compared_with(ten_weeks, 12) == list(WEEKS[:10])
    assert compared_with(ten_weeks, 4) == list(WEEKS[:3])


def test_a_held_batch_says_nothing_about_volume(ten_weeks: Installation) -> None:
    land(ten_weeks.landing.path, WEEKS[10], *MOSTLY_BAD)
    held = run_landed(ten_weeks, 11)
    assert held.profiled is None
    assert kinds(ten_weeks, 11) == [FindingKind.HELD]


def test_a_batch_that_is_corrected_and_replayed_is_unusual_no_more(ten_weeks: Installation) -> None:
    assert moved(run_week(ten_weeks, 11, amount=40)) == [("values", "amount")]
    correction = Correction(column="amount", expression="(amount::DOUBLE - 20)::VARCHAR")
    decide(ORDERS, correction, batch=WEEKS[10], why="with the fee", installation=ten_weeks, run=at(11))
    again = deliver(ORDERS, batch=WEEKS[10], installation=ten_weeks, run=at(11))
    assert moved(again) == []
    assert kinds(ten_weeks, 11) == []


def test_what_somebody_calls_normal_begins_the_baseline_anew(ten_weeks: Installation) -> None:
    strange = run_week(ten_weeks, 11, amount=40)
    findings = ten_weeks.ledger.findings
    with pytest.raises(LedgerError, match="has no reason"):
        findings.accept(strange.ref, [FindingKind.DISTRIBUTION], who="me", why=" ", at=START)
    with pytest.raises(LedgerError, match="nothing was found"):
        findings.accept(strange.ref, [FindingKind.VOLUME], who="me", why="x", at=START)
    (accepted,) = findings.accept(strange.ref, [FindingKind.DISTRIBUTION], who="me", why="new prices", at=START)
    assert (accepted.normal_by, accepted.normal_why) == ("me", "new prices")
    assert kinds(ten_weeks, 11) == []
    assert moved(run_week(ten_weeks, 12, amount=40)) == []
    assert kinds(ten_weeks, 12) == []
    run_landed(ten_weeks, 11)
    assert kinds(ten_weeks, 11) == [], "a delivery of the same batch keeps what was said of it"
    for week in range(13, 19):
        assert moved(run_week(ten_weeks, week, amount=40)) == []
    assert moved(run_week(ten_weeks, 19, amount=20)) == [("values", "amount")]


def test_one_closed_by_hand_stays_closed_until_a_later_batch_has_it_too(ten_weeks: Installation) -> None:
    run_week(ten_weeks, 11, rows=60)
    watch([SHOP], AlertSettings(), installation=ten_weeks, clock=at(11).clock)
    ten_weeks.ledger.incidents.resolve(1, who="me", why="holiday", at=START)
    assert watch([SHOP], AlertSettings(), installation=ten_weeks, clock=at(11).clock).events == ()
    run_week(ten_weeks, 12, rows=60)
    (event,) = watch([SHOP], AlertSettings(), installation=ten_weeks, clock=at(12).clock).events
    assert event.what in ("opened", "reopened")


def test_a_changed_source_is_a_finding_with_the_first_batch_that_had_it(installation: Installation) -> None:
    land(installation.landing.path, WEEKS[0], "1,10,paid,a")
    run_landed(installation, 1)
    assert kinds(installation, 1) == []
    for week in (2, 3):
        land(installation.landing.path, WEEKS[week - 1], "1,10,paid,a,x", header="order_id,amount,status,note,coupon")
        run_landed(installation, week)
    (finding,) = observe(SHOP.tables, installation=installation, now=START).findings
    assert (finding.kind, finding.batch) == (FindingKind.SCHEMA, WEEKS[2])
    assert finding.promised == "coupon: no such column"
    assert finding.seen == "coupon: string: not published; first in week_02"
    ref = deliver(ORDERS, batch=WEEKS[2], installation=installation, run=at(3)).ref
    installation.ledger.findings.accept(ref, [FindingKind.SCHEMA], who="me", why="known", at=START)
    land(installation.landing.path, WEEKS[3], "1,10,paid,a,x", header="order_id,amount,status,note,coupon")
    run_landed(installation, 4)
    assert kinds(installation, 4) == [], "what is normal of a source stays so"
    land(installation.landing.path, WEEKS[4], "1,10,paid,a,x,y", header="order_id,amount,status,note,coupon,shop")
    run_landed(installation, 5)
    (finding,) = observe(SHOP.tables, installation=installation, now=START).findings
    assert finding.seen == "shop: string: not published; first in week_05"


def test_a_large_batch_is_profiled_by_a_sample_and_counted_exactly(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readiness_pipelines.delivery.profiling.SAMPLED_ROWS", 500)
    rows = [f"{number},{number % 100},{'paid' if number % 4 else 'refunded'},?" for number in range(5_000)]
    land(installation.landing.path, WEEKS[0], *rows)
    run_landed(installation, 1)
    found = profiles_of(ORDERS, WEEKS[:1], installation=installation)[WEEKS[0]]
    amount = found.columns["amount"]
    assert (found.rows, amount.minimum, amount.maximum, amount.nulls) == (5_000, 0, 99, 0)
    assert 100 <= amount.distinct < 115
    assert amount.mean == pytest.approx(49.5, abs=6)
    assert found.columns["note"].nulls == 5_000
    assert sum(found.columns["status"].top.values()) == pytest.approx(5_000, rel=0.01)
    assert found.columns["status"].top["refunded"] == pytest.approx(1_250, rel=0.25)


def test_a_batch_is_delivered_where_the_profiles_cannot_be_read_and_that_is_a_finding(
    ten_weeks: Installation, tmp_path: Path
) -> None:
    engine = create_engine(settings_in(tmp_path).ledger_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ledger_profiles SET profile = substr(profile, 1, 100), digest = 'cut'"))
    engine.dispose()
    delivery = run_week(ten_weeks, 11, rows=60)
    assert delivery.state is BatchState.PUBLISHED
    assert delivery.profiled is not None
    assert delivery.profiled.failures[0].startswith("not compared: ")
    assert kinds(ten_weeks, 11) == [FindingKind.PROFILE]
    problems = reconcile([SHOP], installation=ten_weeks, level=Level.LEDGER).problems
    assert {problem.ref for problem in problems} == {BatchRef(ORDERS.id, week) for week in WEEKS[:10]}
    repair([SHOP], reconcile([SHOP], installation=ten_weeks), installation=ten_weeks, run=at(12))
    assert reconcile([SHOP], installation=ten_weeks).problems == ()


def test_the_profile_of_a_batch_that_is_published_without_one_is_forgotten(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_week(installation, 1)
    monkeypatch.setattr("readiness_pipelines.delivery.profiling.SAMPLED_ROWS", 0)
    again = run_week(installation, 1)
    assert again.profiled is not None
    assert again.profiled.failures[0].startswith("not profiled: ")
    assert profiles_of(ORDERS, WEEKS[:1], installation=installation) == {}
    assert reconcile([SHOP], installation=installation).problems == ()
