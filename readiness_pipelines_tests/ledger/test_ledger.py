"""The ledger: moves are enforced, rows add up, the trail stays, and nothing is half written."""

import multiprocessing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from readiness_pipelines.errors import CommitConflictError, LedgerError
from readiness_pipelines.ledger import (
    MOVES,
    BatchRecord,
    BatchRef,
    BatchState,
    Counts,
    FileRecord,
    Ledger,
    Snapshots,
)
from readiness_pipelines_tests.databases import Kind, database_in

REF = BatchRef(path="p", table="shop.orders", batch="day_1")
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
COUNTS = {
    BatchState.INGESTED: Counts(ingested=3),
    BatchState.PUBLISHED: Counts(ingested=3, published=3),
    BatchState.PARTLY_PUBLISHED: Counts(ingested=3, published=2, quarantined=1),
    BatchState.HELD: Counts(ingested=3, quarantined=3),
    BatchState.EMPTY: Counts(),
    BatchState.DISCARDED: Counts(ingested=3, discarded=3),
}


def a_record(state: BatchState, ref: BatchRef = REF) -> BatchRecord:
    return BatchRecord(ref=ref, state=state, counts=COUNTS[state], updated_at=NOW)


@pytest.fixture
def ledger(database: Kind, tmp_path: Path) -> Ledger:
    return Ledger.open(database_in(tmp_path))


def test_a_record_reads_back_as_it_was_written(ledger: Ledger, tmp_path: Path) -> None:
    record = replace(
        a_record(BatchState.PARTLY_PUBLISHED),
        gate_version="v1",
        run_id="r1",
        reason="1 row waits",
        snapshots=Snapshots(raw=2**62, quarantine=None, published=7),
        inputs={"raw.orders": 5},
        files=(FileRecord(path="a.csv", size_bytes=3, sha256="00"),),
        columns=("a", "b"),
        unreadable_rows=1,
        updated_at=NOW.astimezone(timezone(timedelta(hours=5))),
    )
    ledger.record(record, what="partly_published", who="me", why="because", details={"rules": {"r": 1}})
    assert Ledger.open(database_in(tmp_path)).get(REF) == record
    (entry,) = ledger.trail(ref=REF)
    assert (entry.what, entry.who, entry.why, entry.details["rules"]) == ("partly_published", "me", "because", {"r": 1})
    assert entry.at.tzinfo is not None


def test_what_was_never_seen_is_none(ledger: Ledger) -> None:
    assert ledger.get(REF) is None
    assert ledger.batches() == ()


@settings(deadline=None)  # each example makes a database of its own
@given(st.lists(st.sampled_from(list(BatchState)), max_size=8))
def test_only_the_moves_written_down_are_made(
    tmp_path_factory: pytest.TempPathFactory, states: list[BatchState]
) -> None:
    ledger = Ledger.open(database_in(tmp_path_factory.mktemp("ledger")))
    at: BatchState | None = None
    for state in states:
        entries = len(ledger.trail())
        if state in MOVES[at]:
            ledger.record(a_record(state), what=state, who="me")
            at = state
            assert len(ledger.trail()) == entries + 1
        else:
            with pytest.raises(LedgerError, match=f"cannot become {state}"):
                ledger.record(a_record(state), what=state, who="me")
            assert len(ledger.trail()) == entries
        now = ledger.get(REF)
        assert (now.state if now else None) == at


def test_rows_that_do_not_add_up_are_refused(ledger: Ledger) -> None:
    wrong = replace(a_record(BatchState.PUBLISHED), counts=Counts(ingested=3, published=2))
    with pytest.raises(LedgerError, match=r"shop.orders\[day_1\] does not add up"):
        ledger.record(wrong, what="published", who="me")
    assert ledger.get(REF) is None
    assert ledger.trail() == ()


@pytest.mark.parametrize("statement", ["DELETE FROM ledger_trail", "UPDATE ledger_trail SET who = 'nobody'"])
def test_the_trail_cannot_be_changed(ledger: Ledger, tmp_path: Path, statement: str) -> None:
    ledger.record(a_record(BatchState.HELD), what="held", who="me")
    with pytest.raises(DBAPIError, match="append-only"), create_engine(database_in(tmp_path)).begin() as connection:
        connection.execute(text(statement))
    assert [entry.who for entry in ledger.trail()] == ["me"]


def test_an_attempt_is_open_until_it_is_recorded(ledger: Ledger) -> None:
    ledger.begin(REF, attempt="1", run_id="r", who="me", at=NOW)
    assert [attempt.ref for attempt in ledger.open_attempts()] == [REF]
    ledger.record(replace(a_record(BatchState.HELD), attempt="1"), what="held", who="me")
    assert ledger.open_attempts() == ()


def test_a_failed_attempt_is_in_the_trail_and_leaves_the_record(ledger: Ledger) -> None:
    ledger.record(a_record(BatchState.HELD), what="held", who="me")
    ledger.begin(REF, attempt="1", run_id="r", who="me", at=NOW)
    ledger.fail(REF, attempt="1", at=NOW, error="disk full")
    assert ledger.open_attempts() == ()
    assert ledger.get(REF) == a_record(BatchState.HELD)
    assert [(entry.what, entry.why) for entry in ledger.trail()] == [("held", None), ("failed", "disk full")]


def test_a_later_attempt_settles_what_a_crash_left_open(ledger: Ledger) -> None:
    ledger.begin(REF, attempt="crashed", run_id="r1", who="me", at=NOW)
    ledger.begin(REF, attempt="again", run_id="r2", who="me", at=NOW + timedelta(seconds=1))
    ledger.record(replace(a_record(BatchState.HELD), attempt="again"), what="held", who="me")
    assert ledger.open_attempts() == ()


def test_a_superseded_attempt_has_no_say_any_more(ledger: Ledger) -> None:
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


def test_batches_are_found_by_path_table_and_state(ledger: Ledger) -> None:
    other = replace(REF, table="shop.paid")
    ledger.record(a_record(BatchState.HELD), what="held", who="me")
    ledger.record(a_record(BatchState.PUBLISHED, other), what="published", who="me")
    assert [record.ref for record in ledger.batches(path="p")] == [REF, other]
    assert [record.ref for record in ledger.batches(table="shop.paid")] == [other]
    assert [record.ref for record in ledger.batches(state=BatchState.HELD)] == [REF]


def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    with pytest.raises(LedgerError, match="cannot be used") as caught:
        Ledger.open("postgresql+psycopg2://user:hidden@127.0.0.1:1/none")
    assert "hidden" not in str(caught.value)


def test_a_ledger_of_a_newer_version_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    with create_engine(database_in(tmp_path)).begin() as connection:
        connection.execute(text("UPDATE ledger_version SET version = 99"))
    with pytest.raises(LedgerError, match="of version 99"):
        Ledger.open(database_in(tmp_path))


def _record_some(folder: Path, worker: int) -> None:
    ledger = Ledger.open(database_in(folder))
    for number in range(5):
        ledger.record(a_record(BatchState.HELD, replace(REF, batch=f"{worker}-{number}")), what="held", who="me")
        ledger.record(a_record(BatchState.HELD), what="held", who=str(worker))


def test_processes_open_a_new_ledger_and_record_at_once(database: Kind, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_record_some, args=(tmp_path, worker)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    ledger = Ledger.open(database_in(tmp_path))
    assert len(ledger.batches()) == 21
    assert len(ledger.trail()) == 40
