"""Replays that a page wants, carried out in a process of their own; and the server's door."""

import sys
from pathlib import Path

import pytest

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli import requested
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.ledger import RequestState
from readiness_pipelines.names import TableId
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.cli.calling import call

REF = BatchRef(TableId("shop", "orders"), "day_1")


def test_a_replay_that_was_wanted_is_carried_out_once_through_dagster(
    delivered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    correct = ("--set", "amount = ltrim(amount, '-')", "--where", "amount LIKE '-%'", "--reason", "sign lost")
    call("quarantine", "correct", "shop.orders", "--batch", "day_1", *correct)
    ledger = Installation.open(Settings()).ledger
    wanted = ledger.request_replay(REF, who="ann@shop.example", why="sign lost", at=utc_now())
    monkeypatch.setattr(sys, "argv", ["requested", str(wanted.id)])
    requested.main()
    done = ledger.replay_request(wanted.id)
    record = ledger.get(REF)
    assert done is not None
    assert record is not None
    assert (done.state, done.run_id) == (RequestState.DONE, record.run_id)
    assert record.state == "published"
    assert len(ledger.replay_requests()) == 1
    trail = ledger.trail(ref=REF)
    assert trail[-1].who == "ann@shop.example"
    requested.main()  # another process comes too late, and does nothing
    assert len(ledger.trail(ref=REF)) == len(trail)


def test_what_breaks_it_is_kept_with_the_request(delivered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Installation.open(Settings()).ledger
    wanted = ledger.request_replay(REF, who="ann", why="x", at=utc_now())
    (delivered / "workspace.yaml").write_text("load_from: []\n")
    monkeypatch.setattr(sys, "argv", ["requested", str(wanted.id)])
    requested.main()
    broken = ledger.replay_request(wanted.id)
    assert broken is not None
    assert broken.state is RequestState.FAILED
    assert "job" in (broken.outcome or "")


def test_a_page_that_others_reach_has_to_know_its_name(delivered: Path) -> None:
    assert "set READINESS_WEB_URL" in call("web", "--host", "0.0.0.0", code=2)  # noqa: S104  # to be refused
