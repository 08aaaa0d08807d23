"""Each verdict of the scorecard is what declarations and ledger prove; what nothing proves does not pass."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import Domain, FileDrop, Freshness, OnCallCalendar, Ratio, Sla, Source, StaticBatches, Steward
from readiness_pipelines.decisions import Approval, Discarding
from readiness_pipelines.delivery import decide
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import Finding, FindingKind, NoticeKey, Severity
from readiness_pipelines.ledger.outbox import Message
from readiness_pipelines.overview import (
    Area,
    Grade,
    Scorecard,
    SlaPart,
    past_scorecards,
    plain_value,
    scorecard_value,
    scorecards,
    scorecards_of_today,
    sla_months,
)
from readiness_pipelines.overview.scorecard.questions import ASKED, STAGES
from readiness_pipelines_tests.overview.delivering import START, bring, compute
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, Order, gated, order_domain

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOT_YET = {"features", "models", "vectors", "retrieval", "llm"}
PASSES, FAILS, UNKNOWN = Grade.PASSES, Grade.FAILS, Grade.NO_EVIDENCE


def card(
    domain: Domain, installation: Installation, *, now: datetime, scope: str = "", proved: bool = True
) -> Scorecard:
    return scorecards([domain], installation=installation, identity_required=proved, now=now)[scope]


def verdicts(found: Scorecard) -> Mapping[str, Grade]:
    return {answer.question.id: answer.verdict for answer in found.answers}


def said(found: Scorecard, question: str) -> str:
    return " | ".join(one.text for answer in found.answers if answer.question.id == question for one in answer.evidence)


def promising(**sla: Any) -> Domain:
    """The order domain, with an SLA, somebody on call, and a latency."""
    shop = order_domain()
    table = shop._tables.pop("refund_rate")
    assert table.name == "refund_rate"

    @shop.kpi(
        question="How many orders are refunded?",
        unit="ratio",
        latency="5m",
        freshness=Freshness(warn_after="9d", fail_after="10d"),
        sla=Sla(**{"published": 0.5, "fresh": 0.9, "repaired_within": "3d", **sla}),
    )
    def refund_rate(orders: Relation) -> Ratio:
        """Share of the orders that were refunded."""
        return Ratio("count(*) FILTER (status = 'refunded')", "count(*)")

    shop.answer_within = timedelta(minutes=30)
    return shop


def test_of_an_empty_installation_nothing_is_known(installation: Installation) -> None:
    for found in scorecards([promising()], installation=installation, identity_required=True, now=START).values():
        assert set(verdicts(found).values()) == {UNKNOWN}
        assert (found.stage, found.count(UNKNOWN)) == (0, 15)
    nothing = scorecards([], installation=installation, identity_required=True, now=START)
    assert set(verdicts(nothing[""]).values()) == {UNKNOWN}


def test_what_is_kept_answered_and_reviewed_passes_up_to_the_third_stage(installation: Installation) -> None:
    shop, ledger = promising(), installation.ledger
    for number, rows in enumerate((GOOD, MOSTLY_BAD, ONE_BAD), start=1):
        bring(shop, installation, f"day_{number}", rows, at=START + HOUR)
        if rows is not MOSTLY_BAD:
            compute(shop, installation, f"day_{number}", "paid", "refund_rate", at=START + HOUR + timedelta(minutes=2))
    book, now = ledger.incidents, START + 2 * HOUR
    held = Finding(
        kind=FindingKind.HELD,
        severity=Severity.ERROR,
        table=gated(shop).id,
        batch="day_2",
        promised="",
        seen="",
        since=now,
    )
    (event,) = book.look([held], tables={gated(shop).id}, at=now)
    book.looked({gated(shop).id: "fresh"}, at=now)
    message = Message(
        channel="pager", title="", body="", notices=(NoticeKey(incident=event.incident, what="x"),), written_at=now
    )
    book.write([message])
    (kept,) = book.messages(unsent=True)
    book.sent(kept, at=now + timedelta(minutes=1))
    assert verdicts(card(shop, installation, now=now + timedelta(minutes=5)))["staffed"] is UNKNOWN  # there is time yet
    assert verdicts(card(shop, installation, now=now + HOUR))["staffed"] is FAILS
    book.acknowledge(event.incident, who="ann", why=None, at=now + timedelta(minutes=10))
    ann, bob = Run(who="ann", clock=lambda: now), Run(who="bob", clock=lambda: now)
    shop.second_person_over = 0
    sent_twice = Discarding(where=None)
    decided = decide(
        gated(shop), sent_twice, batch="day_2", why="sent twice", installation=installation, run=ann
    ).decision
    waiting = card(shop, installation, now=now + HOUR)
    assert verdicts(waiting)["reviews"] is FAILS
    assert f"decision {decided.id} about shop.orders[day_2] waits for a second person" in said(waiting, "reviews")
    decide(gated(shop), Approval(decision=decided.id), batch="day_2", why="seen", installation=installation, run=bob)
    found = card(shop, installation, now=now + HOUR)
    expected = dict.fromkeys(verdicts(found), PASSES) | dict.fromkeys(sorted(NOT_YET), UNKNOWN) | {"stage-4": UNKNOWN}
    assert verdicts(found) == expected, "\n".join(
        f"{a.question.id}: {said(found, a.question.id)}" for a in found.answers
    )
    assert found.stage == 3
    assert [step.question for step in found.next] == ["features", "models", "vectors", "retrieval", "llm"]
    assert verdicts(card(shop, installation, now=now + HOUR, proved=False))["access"] is FAILS
    late = verdicts(card(shop, installation, now=now + 3 * DAY))
    assert late["drift"] is FAILS  # nobody has looked for days
    assert late["slas"] is FAILS  # day_2 is still held
    json.dumps(scorecard_value(found))


def test_what_was_promised_and_is_not_so_fails_and_says_where(installation: Installation) -> None:
    shop = order_domain()
    for number in (1, 2):
        bring(shop, installation, f"day_{number}", MOSTLY_BAD, at=START)
    found = card(shop, installation, now=START + DAY)
    assert verdicts(found)["catalog"] is FAILS
    assert "shop.refund_rate was never delivered" in said(found, "catalog")
    assert (verdicts(found)["slas"], said(found, "slas")) == (FAILS, "shop.refund_rate has no SLA")
    assert verdicts(found)["gates"] is FAILS  # what was computed of nothing was never judged
    assert (verdicts(found)["standards"], said(found, "standards")) == (UNKNOWN, "nothing is published")
    assert verdicts(found)["staffed"] is FAILS
    assert (found.stage, verdicts(found)["stage-1"]) == (0, FAILS)
    assert found.next[0].question in ("catalog", "standards")
    of_product = card(shop, installation, now=START + DAY, scope="shop.refund_rate")
    assert "shop.paid" not in said(of_product, "catalog")  # the product does not read it
    shop.on_call_calendar = OnCallCalendar("nowhere.ics")
    shop.answer_within = HOUR
    assert "cannot be read" in said(card(shop, installation, now=START + DAY), "staffed")


def test_a_month_of_an_sla_is_what_the_ledger_says_by_hand(installation: Installation) -> None:
    shop = promising(published=0.8, repaired_within="2d")
    (product,) = shop.kpis
    bring(shop, installation, "day_1", ONE_BAD, at=START)  # 3 of 4 rows
    compute(shop, installation, "day_1", "refund_rate", at=START)
    bring(shop, installation, "day_2", MOSTLY_BAD, at=START + DAY)
    bring(shop, installation, "day_2", GOOD, at=START + 4 * DAY)  # repaired after 3 days: 4 of 4 rows
    compute(shop, installation, "day_2", "refund_rate", at=START + 4 * DAY)
    bring(shop, installation, "day_3", MOSTLY_BAD, at=START + 40 * DAY)  # February: none of 4 rows, and still held
    months = sla_months(shop.kpis, installation=installation, now=START + 41 * DAY)[product.id]
    january, february = (month for month in months if month.kept is not None)
    measured = {measure.part: (measure.measured, measure.kept) for measure in january.measures}
    assert (january.month, january.over) == ("2026-01", True)
    assert measured[SlaPart.PUBLISHED] == (7 / 8, True)
    assert measured[SlaPart.REPAIRED] == (3 * 86_400, False)
    # Fresh for 10 days after what was published on day 4, broken from day 14 to the end of the month.
    assert measured[SlaPart.FRESH][1] is False
    assert measured[SlaPart.FRESH][0] == pytest.approx(14 / 31)
    later = {measure.part: (measure.measured, measure.kept) for measure in february.measures}
    assert (february.month, february.over, february.kept) == ("2026-02", False, False)
    assert later[SlaPart.PUBLISHED] == (0, False)
    assert later[SlaPart.REPAIRED] == (86_400, True)
    assert len(months) == 12
    assert months[0].kept is None


def test_one_scorecard_a_day_is_kept_and_says_how_it_went(installation: Installation) -> None:
    shop, ledger = order_domain(), installation.ledger

    def look(at: datetime) -> int:
        today = scorecards_of_today([shop], installation=installation, identity_required=False, now=at)
        ledger.scorecards.keep(today)
        return len(today)

    assert look(START) == 3  # the whole, the domain, the product
    bring(shop, installation, "day_1", GOOD, at=START)
    assert look(START + HOUR) == 0
    assert look(START + DAY) == 3
    first, second = past_scorecards("shop", installation=installation)
    assert (first.verdicts["gates"], second.verdicts["gates"]) == (UNKNOWN, FAILS)
    assert (first.count(UNKNOWN), first.stage) == (15, 0)
    assert past_scorecards("shop", installation=installation, days=1) == (second,)
    json.dumps(plain_value(second))
    other = [Domain("other", owner="o@o.example")]  # of another code location
    own = scorecards_of_today(other, installation=installation, identity_required=False, now=START + DAY)
    assert [card.scope for card in own] == ["other"]


def test_a_source_that_is_silent_for_less_than_a_day_is_silent_for_hours(installation: Installation) -> None:
    shop = Domain("shop", owner="o@o.example")
    reader = FileDrop("orders/{batch}.csv", missing="?")
    source = Source(origin="Shop", steward=Steward("S", "s@s.example"), reader=reader, refresh="1h")
    shop.gated("orders", source=source, schema=Order, batches=StaticBatches(keys=("a", "b")))
    bring(shop, installation, "a", GOOD, at=START)
    said = str(card(shop, installation, now=START + 20 * HOUR))
    assert "declared to deliver every 1h to shop.orders, and last did 20h ago" in said


def test_all_questions_are_asked_once_in_their_parts() -> None:
    assert [question.part for question in (*ASKED, *STAGES)] == [Area.OPERATION] * 10 + [Area.LAYERS] * 5 + [
        Area.STAGES
    ] * 4
    assert len({question.id for question in (*ASKED, *STAGES)}) == 19
