"""The book of incidents: opened once, worse, taken, over, back again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from readiness_pipelines.errors import LedgerError, UnknownNameError
from readiness_pipelines.ledger import (
    Finding,
    FindingKind,
    Incidents,
    IncidentState,
    Ledger,
    Message,
    NoticeKey,
    Severity,
)
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.ledger.samples import ORDERS, PAID

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATE = Finding(
    kind=FindingKind.FRESHNESS,
    severity=Severity.WARN,
    table=ORDERS,
    batch=None,
    promised="26h",
    seen="nothing",
    since=NOW - HOUR,
)
FAILED = replace(LATE, severity=Severity.ERROR, since=NOW + HOUR)


@pytest.fixture
def book(ledger: Ledger) -> Incidents:
    return ledger.incidents


def changes(book: Incidents, *findings: Finding, hours: float) -> list[str]:
    return [event.what for event in book.look(findings, tables=[ORDERS], at=NOW + hours * HOUR)]


def test_an_incident_is_opened_gets_worse_and_is_over_once_each(book: Incidents) -> None:
    told = [changes(book, *found, hours=n) for n, found in enumerate([[LATE], [LATE], [FAILED], [FAILED], [], []])]
    assert told == [["opened"], [], ["worse"], [], ["resolved"], []]
    (incident,) = book.incidents()
    assert (incident.finding.since, incident.time_to_detect) == (NOW - HOUR, HOUR)
    assert incident.time_to_repair == 4 * HOUR
    assert [event.what for event in book.events(incident=incident.id)] == ["opened", "worse", "resolved"]


@pytest.mark.parametrize(("hours", "incidents", "what"), [(20, 1, "reopened"), (30, 2, "opened")])
def test_what_comes_back_soon_is_the_same_incident(book: Incidents, hours: float, incidents: int, what: str) -> None:
    changes(book, LATE, hours=0)
    changes(book, hours=1)
    assert changes(book, LATE, hours=hours) == [what]
    assert len(book.incidents()) == incidents
    assert [incident.state for incident in book.incidents(active=True)] == [IncidentState.OPEN]


def test_incidents_of_tables_that_nobody_looked_at_are_left_alone(book: Incidents) -> None:
    changes(book, LATE, hours=0)
    assert book.look([], tables=[PAID], at=NOW) == ()
    assert book.look([LATE], tables=[PAID], at=NOW) == ()
    assert len(book.incidents(active=True)) == len(book.incidents(tables=[ORDERS])) == 1
    assert book.incidents(tables=[PAID]) == ()


def test_an_incident_keeps_all_of_its_finding(book: Incidents) -> None:
    whole = replace(LATE, details=("one", "two"), way_out="readiness run", answers="ann", at_risk=("refund_rate",))
    held = replace(whole, kind=FindingKind.HELD, batch="day_1")
    book.look([whole, held], tables=[ORDERS], at=NOW)
    assert [incident.finding for incident in book.incidents()] == [whole, held]
    assert [one.subject for one in (whole, held)] == ["freshness:shop.orders:", "held:shop.orders:day_1"]


def test_what_is_watched_is_kept_by_table(book: Incidents) -> None:
    book.looked({ORDERS: "fresh"}, at=NOW)
    book.looked({ORDERS: "late", PAID: "fresh"}, at=NOW + HOUR)
    assert book.watched() == {ORDERS: ("late", NOW), PAID: ("fresh", NOW + HOUR)}


def test_people_take_and_close_incidents_with_a_reason(book: Incidents) -> None:
    changes(book, LATE, hours=0)
    assert book.acknowledge(1, who="ana", why=None, at=NOW).acknowledged_by == "ana"
    assert changes(book, LATE, hours=1) == []
    with pytest.raises(LedgerError, match="no reason"):
        book.resolve(1, who="ana", why=" ", at=NOW)
    assert book.resolve(1, who="ana", why="known", at=NOW + HOUR).state is IncidentState.RESOLVED
    with pytest.raises(LedgerError, match="is resolved"):
        book.resolve(1, who="ana", why="known", at=NOW)
    with pytest.raises(UnknownNameError, match="unknown incident '7'"):
        book.acknowledge(7, who="ana", why=None, at=NOW)
    assert changes(book, LATE, hours=2) == ["reopened"]


def test_a_message_that_tells_nothing_new_is_not_written(book: Incidents) -> None:
    message = Message(channel="c", title="t", body="b", notices=(NoticeKey(incident=1, what="open"),), written_at=NOW)
    assert [book.write([message]), book.write([message])] == [1, 0]
    (kept,) = book.messages(unsent=True)
    book.not_sent(kept, error="down", next_try_at=NOW + HOUR)
    assert book.messages(due_at=NOW) == ()
    (again,) = book.messages(due_at=NOW + HOUR)
    assert (again.tries, again.error, again.notices) == (1, "down", message.notices)
    book.sent(again, at=NOW + HOUR)
    assert book.messages(unsent=True) == ()


def test_news_beside_what_another_look_has_just_written_is_kept(book: Incidents) -> None:
    both = tuple(NoticeKey(incident=number, what="open") for number in (1, 2))
    messages = [Message(channel="c", title="t", body="b", notices=some, written_at=NOW) for some in (both[:1], both)]
    assert [book.write([message]) for message in messages] == [1, 1]
    assert [message.notices for message in book.messages(unsent=True)] == [both[:1], both[1:]]


def test_a_silence_has_a_reason_and_an_end(book: Incidents) -> None:
    with pytest.raises(LedgerError, match="no reason"):
        book.silence("shop.*", begins_at=NOW, ends_at=NOW + HOUR, who="ana", why="")
    book.silence("shop.*", begins_at=NOW, ends_at=NOW + HOUR, who="ana", why="migration")
    (silence,) = book.silences()
    assert silence.covers(ORDERS, NOW)
    assert not silence.covers(ORDERS, NOW + HOUR)
    assert not silence.covers(TableId("other", "orders"), NOW)
