"""Attempts: open until they end, superseded by later ones, and noted where they break."""

from dataclasses import replace
from datetime import timedelta

import pytest

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.errors import CommitConflictError, LedgerError
from readiness_pipelines.ledger import Ledger
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, PAID, REF, a_record


def test_an_attempt_is_open_until_it_is_recorded(ledger: Ledger) -> None:
    ledger.begin(REF, attempt="1", run_id="r", who="me", at=NOW)
    assert [attempt.ref for attempt in ledger.open_attempts()] == [REF]
    assert [attempt.ref for attempt in ledger.open_attempts(tables=[ORDERS])] == [REF]
    assert ledger.open_attempts(tables=[PAID]) == ()
    ledger.record(replace(a_record(BatchState.HELD), attempt="1"), what="held", who="me")
    assert ledger.open_attempts() == ()


def test_a_failed_attempt_is_in_the_trail_and_leaves_the_record(ledger: Ledger) -> None:
    ledger.record(a_record(BatchState.HELD), what="held", who="me")
    ledger.begin(REF, attempt="1", run_id="r", who="me", at=NOW)
    ledger.fail(REF, attempt="1", at=NOW, error="disk full")
    assert ledger.open_attempts() == ()
    assert ledger.get(REF) == a_record(BatchState.HELD)
    assert [(entry.what, entry.why) for entry in ledger.trail()] == [("held", None), ("failed", "disk full")]


def test_a_run_that_broke_is_noted_once(ledger: Ledger) -> None:
    ledger.begin(REF, attempt="1", run_id="r", who="me", at=NOW)
    other = BatchRef(PAID, "day_1")
    assert ledger.note_broken(other, run_id="r", who="service", error="killed", at=NOW)
    assert [(entry.ref, entry.why, entry.attempt) for entry in ledger.trail()] == [(REF, "killed", "1")]
    assert ledger.note_broken(other, run_id="s", who="service", error="killed", at=NOW)
    assert not ledger.note_broken(other, run_id="s", who="service", error="killed", at=NOW)
    assert ledger.trail(ref=other)[0].attempt == "run s"


def test_a_later_attempt_settles_what_a_crash_left_open(ledger: Ledger) -> None:
    ledger.begin(REF, attempt="crashed", run_id="r1", who="me", at=NOW)
    ledger.begin(REF, attempt="again", run_id="r2", who="me", at=NOW + timedelta(seconds=1))
    ledger.record(replace(a_record(BatchState.HELD), attempt="again"), what="held", who="me")
    assert ledger.open_attempts() == ()


def test_a_superseded_attempt_is_refused(ledger: Ledger) -> None:
    ledger.begin(REF, attempt="slow", run_id="r1", who="me", at=NOW)
    ledger.confirm(REF, attempt="slow")
    ledger.begin(REF, attempt="later", run_id="r2", who="you", at=NOW)
    with pytest.raises(CommitConflictError, match="began meanwhile"):
        ledger.confirm(REF, attempt="slow")
    with pytest.raises(CommitConflictError, match="began meanwhile"):
        ledger.record(replace(a_record(BatchState.HELD), attempt="slow"), what="held", who="me")
    assert ledger.get(REF) is None
    assert [attempt.attempt for attempt in ledger.open_attempts()] == ["later"]


def test_an_attempt_that_never_began_cannot_be_recorded(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="never begun"):
        ledger.record(replace(a_record(BatchState.HELD), attempt="x"), what="held", who="me")
    assert ledger.get(REF) is None


def test_only_attempts_that_ended_are_forgotten(ledger: Ledger) -> None:
    ledger.begin(REF, attempt="1", run_id="r", who="me", at=NOW)
    ledger.fail(REF, attempt="1", at=NOW, error="disk full")
    ledger.begin(REF, attempt="2", run_id="r", who="me", at=NOW)
    assert ledger.prune(before=NOW) == 0
    assert ledger.prune(before=NOW + timedelta(days=1)) == 1
    assert [attempt.attempt for attempt in ledger.open_attempts()] == ["2"]
    assert len(ledger.trail()) == 1
