"""A message is sent by one sender at a time, and one whose sender ended under way is sent by the next."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from readiness_pipelines.alerts import AlertRule, AlertSettings, Channel
from readiness_pipelines.alerts.sending import LEASE, LONGEST_WAIT, MOST_PIECES, send_due
from readiness_pipelines.ledger import Ledger, Message, NoticeKey
from readiness_pipelines_tests.alerts.endpoint import listening
from readiness_pipelines_tests.databases import Kind, database_in

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SETTINGS = AlertSettings(
    channels=(Channel(name="oncall", url_variable="ONCALL_URL"),), rules=(AlertRule(channels=("oncall",)),)
)
SENDERS = 4


def keep(ledger: Ledger, messages: Mapping[str, str]) -> None:
    """Keep messages, by title."""
    for number, (title, body) in enumerate(messages.items(), start=1):
        notices = (NoticeKey(incident=number, what="open"),)
        message = Message(channel="oncall", title=title, body=body, notices=notices, written_at=NOW)
        assert ledger.incidents.write([message]) == 1


def test_senders_at_once_send_each_message_once_and_in_order(
    database: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del database
    keep(Ledger.open(database_in(tmp_path)), dict.fromkeys(["a", "b", "c"], "late"))
    ledgers = [Ledger.open(database_in(tmp_path)) for _ in range(SENDERS)]
    together = Barrier(SENDERS)

    def send(ledger: Ledger) -> None:
        together.wait()
        send_due(SETTINGS, ledger.incidents, clock=lambda: NOW)

    with listening() as endpoint, ThreadPoolExecutor(SENDERS) as senders:
        monkeypatch.setenv("ONCALL_URL", endpoint.url)
        list(senders.map(send, ledgers))
        send_due(SETTINGS, ledgers[0].incidents, clock=lambda: NOW)
        assert endpoint.titles == ["a", "b", "c"]


def test_a_message_whose_sender_ended_under_way_is_sent_when_its_time_is_over(
    database: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del database
    book = Ledger.open(database_in(tmp_path)).incidents
    keep(Ledger.open(database_in(tmp_path)), {"a": "late"})
    (message,) = book.messages(unsent=True)
    assert book.claim(message, at=NOW, until=NOW + LEASE)
    with listening() as endpoint:
        monkeypatch.setenv("ONCALL_URL", endpoint.url)
        assert send_due(SETTINGS, book, clock=lambda: NOW).sent == 0
        assert send_due(SETTINGS, book, clock=lambda: NOW + LEASE).sent == 1
        assert endpoint.titles == ["a"]


def test_a_channel_that_is_down_for_days_is_tried_again_each_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ONCALL_URL", raising=False)
    ledger, now, tries = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}"), NOW, 50
    keep(ledger, {"a": "late"})

    def clock() -> datetime:
        return now

    for _ in range(tries):
        assert send_due(SETTINGS, ledger.incidents, clock=clock).errors
        now += LONGEST_WAIT
    (message,) = ledger.incidents.messages(due_at=now)
    assert message.tries == tries
    assert ledger.incidents.messages(due_at=now - timedelta(seconds=1)) == ()


def test_a_message_that_is_longer_than_its_channel_takes_is_sent_in_a_few_pieces_and_the_next_one_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    paragraphs = [f"#{number} shop.orders · held\n{'promised: nothing is. ' * 25}" for number in range(60)]
    keep(ledger, {"long": "\n\n".join(paragraphs[:20]), "longer": "\n\n".join(paragraphs), "short": "late"})
    with listening() as endpoint:
        endpoint.most_characters = 4_000
        monkeypatch.setenv("ONCALL_URL", f"{endpoint.url.replace('json', 'mmost')}/token3kadkafkdkfkjkljkljk")
        assert send_due(SETTINGS, ledger.incidents, clock=lambda: NOW).sent == 3
    texts = [message["text"] for message in endpoint.received]
    assert texts[-1].splitlines() == ["short", "late"]
    longer = next(place for place, text in enumerate(texts) if text.startswith("longer"))
    assert all(one.splitlines()[0] in "\n".join(texts[:longer]) for one in paragraphs[:20])
    assert longer < len(texts) - 1 <= longer + MOST_PIECES
    assert texts[-2].endswith("… and more: readiness incidents list")
