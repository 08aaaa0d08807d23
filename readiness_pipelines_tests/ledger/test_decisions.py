"""Decisions in the ledger: kept for ever, in force until undone or expired."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger import (
    BatchRecord,
    BatchRef,
    BatchState,
    CellCorrection,
    Correction,
    Counts,
    Discarding,
    Ledger,
    RequestState,
    Undoing,
    Waiver,
    What,
    describe,
    in_force,
)
from readiness_pipelines_tests.databases import Kind, database_in

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
REF = BatchRef(path="p", table="t.orders", batch="b1")


@pytest.fixture
def ledger(database: Kind, tmp_path: Path) -> Ledger:
    ledger = Ledger.open(database_in(tmp_path))
    counts = Counts(ingested=2, quarantined=2)
    ledger.record(BatchRecord(ref=REF, state=BatchState.HELD, counts=counts, updated_at=NOW), what="held", who="me")
    return ledger


ALL: list[What] = [
    Correction(column="a", expression="lpad(a, 3, '0')", where="a = '8'"),
    CellCorrection(cells={"a": {"0": "x", "1": None}}, file="fix.csv"),
    Waiver(rule="a_isin", until=NOW + timedelta(days=1)),
    Discarding(where="a = 'x'"),
    Discarding(),
]


@pytest.mark.parametrize("what", ALL)
def test_a_decision_is_kept_with_who_when_and_why(ledger: Ledger, what: What) -> None:
    kept = ledger.decide(REF, what, who="ann", why="it is known", at=NOW)
    assert ledger.decisions(REF) == (kept,)
    entry = ledger.trail(ref=REF)[-1]
    assert (entry.what, entry.who, entry.why, entry.at) == (f"decided to {kept.kind}", "ann", "it is known", NOW)
    assert entry.details == {"decision": kept.id, "what": describe(what)}


def test_a_decision_without_a_reason_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="has no reason"):
        ledger.decide(REF, Discarding(), who="ann", why="  ", at=NOW)
    assert ledger.decisions(REF) == ()


def test_a_decision_about_an_unknown_batch_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="knows no batch"):
        ledger.decide(BatchRef(path="p", table="t.orders", batch="b2"), Discarding(), who="ann", why="x", at=NOW)


def test_an_undone_decision_is_not_in_force_and_an_undone_undoing_puts_it_back(ledger: Ledger) -> None:
    first = ledger.decide(REF, ALL[0], who="ann", why="x", at=NOW)
    second = ledger.decide(REF, Discarding(), who="ann", why="x", at=NOW)
    undo = ledger.decide(REF, Undoing(decision=second.id), who="bob", why="no", at=NOW)
    assert in_force(ledger.decisions(REF), at=NOW) == (first,)
    again = ledger.decide(REF, Undoing(decision=undo.id), who="ann", why="yes", at=NOW)
    assert in_force(ledger.decisions(REF), at=NOW) == (first, second)
    ledger.decide(REF, Undoing(decision=again.id), who="bob", why="no!", at=NOW)
    assert in_force(ledger.decisions(REF), at=NOW) == (first,)


def test_what_is_no_decision_of_the_batch_cannot_be_undone(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="has no decision 7"):
        ledger.decide(REF, Undoing(decision=7), who="ann", why="x", at=NOW)


def test_a_waiver_ends(ledger: Ledger) -> None:
    kept = ledger.decide(REF, Waiver(rule="r", until=NOW + timedelta(hours=1)), who="ann", why="x", at=NOW)
    assert in_force((kept,), at=NOW) == (kept,)
    assert in_force((kept,), at=NOW + timedelta(hours=1)) == ()


@pytest.mark.parametrize("statement", ["UPDATE ledger_decisions SET why = 'y'", "DELETE FROM ledger_decisions"])
def test_the_database_refuses_to_change_a_decision(ledger: Ledger, statement: str) -> None:
    ledger.decide(REF, Discarding(), who="ann", why="x", at=NOW)
    with pytest.raises(Exception, match="append-only"), ledger._database.writing() as connection:
        connection.execute(text(statement))


def test_a_replay_request_is_open_until_a_run_closes_it(ledger: Ledger) -> None:
    asked = ledger.request_replay(REF, who="ann", why="mended", at=NOW)
    assert ledger.replay_requests(path="p", state=RequestState.OPEN) == (asked,)
    ledger.move_request(asked.id, state=RequestState.DONE, run_id="r1", outcome="published")
    assert ledger.replay_requests(state=RequestState.OPEN) == ()
    (done,) = ledger.replay_requests(path="p")
    assert (done.state, done.run_id, done.outcome) == (RequestState.DONE, "r1", "published")
