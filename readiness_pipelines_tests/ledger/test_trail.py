"""The trail: what happened, for ever, and what it says of publications and of the last deliveries."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from readiness_pipelines.batches import BatchRef, BatchState, Publication
from readiness_pipelines.ledger import Home, Ledger
from readiness_pipelines.ledger.tables import METADATA
from readiness_pipelines_tests.databases import Kind, database_in
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, PAID, REF, a_record
from readiness_pipelines_tests.ledger.test_incidents import LATE


def deliver(ledger: Ledger, state: BatchState, *, hours: int, attempt: str | None = None, what: str = "") -> None:
    at = NOW + timedelta(hours=hours)
    if attempt is not None:
        ledger.begin(REF, attempt=attempt, run_id="r", who="me", at=at)
    record = replace(a_record(state), attempt=attempt, updated_at=at)
    ledger.record(record, what=what or state, who="me", why="because", details={"rules": {"r": 1}})


def test_an_entry_says_what_when_who_and_why(ledger: Ledger) -> None:
    deliver(ledger, BatchState.HELD, hours=0)
    deliver(ledger, BatchState.PUBLISHED, hours=1)
    first, second = ledger.trail(ref=REF)
    assert (first.what, first.who, first.why, first.at) == ("held", "me", "because", NOW)
    assert first.details["rules"] == {"r": 1}
    assert first.details["counts"]["quarantined"] == 3
    assert ledger.trail(limit=1) == (second,)
    assert ledger.trail(ref=BatchRef(PAID, "day_1")) == ()


@pytest.mark.parametrize("at_once", [1, 5_000])
def test_many_batches_are_looked_up_at_once_each_with_what_is_its_own(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("readiness_pipelines.ledger.keys.NAMED_AT_ONCE", at_once)
    other, unknown = BatchRef(PAID, "day_2"), BatchRef(PAID, "day_1")  # crosswise, a batch that nothing happened to
    deliver(ledger, BatchState.HELD, hours=0)
    (begun,) = ledger.trail(ref=REF)
    deliver(ledger, BatchState.PUBLISHED, hours=1)
    ledger.record(a_record(BatchState.PUBLISHED, other), what="published", who="me")
    wanted = [REF, other, unknown]
    assert ledger.trails(wanted) == {ref: list(ledger.trail(ref=ref)) for ref in (REF, other)}
    assert ledger.trails([]) == {}
    assert ledger.tables_after(begun.id) == {ORDERS, PAID}
    assert ledger.tables_after(ledger.pulse()[0]) == frozenset()
    kept = ledger.decide(other, verb="waive", content={}, text="all", who="ann", why="known", at=NOW)
    assert ledger.decisions_of(wanted) == {other: [kept]}


def test_the_newest_batch_of_each_table_is_the_one_that_came_last_to_where_it_is(ledger: Ledger) -> None:
    older = BatchRef(ORDERS, "day_9")
    ledger.record(a_record(BatchState.PUBLISHED, older), what="published", who="me")
    deliver(ledger, BatchState.HELD, hours=1)
    ledger.record(a_record(BatchState.EMPTY, BatchRef(PAID, "day_1")), what="empty", who="me")
    assert {table: one.ref.batch for table, one in ledger.latest_of([ORDERS, PAID]).items()} == {
        ORDERS: "day_1",
        PAID: "day_1",
    }
    assert set(ledger.latest_of([PAID])) == {PAID}
    assert ledger.latest(ORDERS.raw) is None


def test_consumers_see_what_was_published_and_not_withdrawn(ledger: Ledger) -> None:
    deliver(ledger, BatchState.PUBLISHED, hours=0)
    deliver(ledger, BatchState.HELD, hours=1)
    deliver(ledger, BatchState.PUBLISHED, hours=2)
    seen = {ORDERS: [Publication(batch="day_1", first_at=NOW, last_at=NOW + timedelta(hours=2))]}
    assert ledger.publications() == ledger.publications(tables=[ORDERS]) == seen
    assert ledger.publications(tables=[PAID]) == {}
    deliver(ledger, BatchState.EMPTY, hours=3, what="withdrawn")
    assert ledger.publications() == {}
    deliver(ledger, BatchState.PUBLISHED, hours=4)
    assert ledger.publications() == {
        ORDERS: [Publication(batch="day_1", first_at=NOW, last_at=NOW + timedelta(hours=4))]
    }
    deliver(ledger, BatchState.DISCARDED, hours=5)
    assert ledger.publications() == {}


def test_the_last_delivery_of_a_batch_broke_or_gave_a_verdict(ledger: Ledger) -> None:
    deliver(ledger, BatchState.HELD, hours=0, attempt="1")
    ledger.begin(REF, attempt="2", run_id="r", who="me", at=NOW)
    ledger.fail(REF, attempt="2", at=NOW, error="disk full")
    assert [entry.why for entry in ledger.last_failures(tables=[ORDERS])] == ["disk full"]
    assert [entry.what for entry in ledger.last_verdicts(tables=[ORDERS])] == ["held"]
    assert ledger.last_failures(tables=[PAID]) == ()
    deliver(ledger, BatchState.PUBLISHED, hours=1, attempt="3")
    assert ledger.last_failures(tables=[ORDERS]) == ()
    assert [entry.what for entry in ledger.last_verdicts(tables=[ORDERS])] == ["published"]
    assert ledger.recorded_attempts(ORDERS) == {"day_1": frozenset({"1", "3"})}
    assert ledger.recorded_attempts(ORDERS, "day_2") == {}


def _write_trail(ledger: Ledger) -> None:
    deliver(ledger, BatchState.HELD, hours=0)


def _write_decision(ledger: Ledger) -> None:
    _write_trail(ledger)
    ledger.decide(REF, verb="discard", content={}, text="the batch", who="me", why="x", at=NOW)


def _write_event(ledger: Ledger) -> None:
    ledger.incidents.look([LATE], tables=[ORDERS], at=NOW)


def _write_shape(ledger: Ledger) -> None:
    ledger.accept_shape(ORDERS, {"a": "int"}, who="me", why="x", at=NOW, batch="day_1")


def _write_claim(ledger: Ledger) -> None:
    ledger.claim(ORDERS, Home("shop", "ann", "export"), at=NOW)


WRITES = [
    ("ledger_trail", _write_trail),
    ("ledger_decisions", _write_decision),
    ("ledger_incident_events", _write_event),
    ("ledger_shapes", _write_shape),
    ("ledger_claims", _write_claim),
]


def _copied(table: str, number: str) -> str:
    """A statement that writes a table's first row again, under another number."""
    names = ", ".join(column.name for column in METADATA.tables[table].columns if column.name != "id")
    return f"INTO {table} (id, {names}) SELECT {number}, {names} FROM {table} ORDER BY id LIMIT 1"


@pytest.mark.parametrize(("table", "write"), WRITES)
def test_the_database_refuses_to_change_what_happened(
    ledger: Ledger, tmp_path: Path, table: str, write: Callable[[Ledger], None], database: Kind
) -> None:
    write(ledger)
    tampering = [f"DELETE FROM {table}", f"UPDATE {table} SET who = 'nobody'"]
    tampering += [f"INSERT {_copied(table, number)}" for number in ("-1", "0", "max(id) OVER () + 7")]
    if database == "sqlite":
        tampering += [f"INSERT OR REPLACE {_copied(table, 'id')}", f"REPLACE {_copied(table, 'id')}"]
    else:
        tampering += [f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE"]
    engine = create_engine(database_in(tmp_path))
    with engine.connect() as connection:
        before = connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).all()
    for statement in tampering:
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).all() == before
    engine.dispose()
    write(ledger)
