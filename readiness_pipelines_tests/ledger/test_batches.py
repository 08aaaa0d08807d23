"""Batches: moves are enforced, rows add up, and a record reads back as it was written."""

from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts.readers import Origin
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger import ALL_BATCHES, MOVES, Ledger, Snapshots, StoredColumn
from readiness_pipelines_tests.databases import database_in
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, PAID, REF, a_record


def test_a_record_reads_back_as_it_was_written(ledger: Ledger, tmp_path: Path) -> None:
    record = replace(
        a_record(BatchState.PARTLY_PUBLISHED),
        gate_version="v1",
        run_id="r1",
        reason="1 row waits",
        snapshots=Snapshots(raw=2**62, quarantine=None, published=7),
        inputs={ORDERS.raw: {"day_1": 5, "day_2": 2**62}, PAID: {ALL_BATCHES: 6}},
        origins=(
            Origin(name="a.csv", fingerprint="00", bytes=3, arrived_at=NOW),
            Origin(name="SELECT 1", fingerprint="01"),
        ),
        columns=(
            StoredColumn(name="Order ID", type="string", stored="order_id"),
            StoredColumn(name="b", type="int64", stored="b"),
        ),
        unreadable_rows=1,
        updated_at=NOW.astimezone(timezone(timedelta(hours=5))),
    )
    ledger.record(record, what="partly_published", who="me", why="because", details={"rules": {"r": 1}})
    found = Ledger.open(database_in(tmp_path)).get(REF)
    assert found == record
    assert [origin.arrived_at for origin in found.origins] == [NOW, None]


def test_what_was_never_seen_is_none(ledger: Ledger) -> None:
    assert ledger.get(REF) is None
    assert ledger.latest(ORDERS) is None
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


RAW = (BatchState.INGESTED, BatchState.SEALED)
FORBIDDEN = [
    (None, BatchState.DISCARDED),
    (None, BatchState.SEALED),
    *((raw, state) for raw in RAW for state in BatchState if state is not raw),
    *((state, raw) for raw in (*RAW, BatchState.OPEN) for state in BatchState if state.judged),
    (BatchState.OPEN, BatchState.INGESTED),
]


def test_all_other_moves_are_allowed() -> None:
    every = {(before, after) for before in (None, *BatchState) for after in BatchState}
    assert {(before, after) for before, allowed in MOVES.items() for after in allowed} == every - set(FORBIDDEN)


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_raw_and_judged_batches_stay_what_they_are(
    ledger: Ledger, before: BatchState | None, after: BatchState
) -> None:
    steps = [] if before is None else [before]
    if before in (BatchState.DISCARDED, BatchState.SEALED):  # it cannot begin so
        steps = [BatchState.HELD if before.judged else BatchState.OPEN, before]
    for state in steps:
        ledger.record(a_record(state), what=state, who="me")
    with pytest.raises(LedgerError, match=rf"shop.orders\[day_1\] is {before or 'new'} and cannot become {after}"):
        ledger.record(a_record(after), what=after, who="me")
    assert len(ledger.trail()) == len(steps)


def test_rows_that_do_not_add_up_are_refused(ledger: Ledger) -> None:
    wrong = replace(a_record(BatchState.PUBLISHED), counts=Counts(ingested=3, published=2))
    with pytest.raises(LedgerError, match=r"shop.orders\[day_1\] does not add up"):
        ledger.record(wrong, what="published", who="me")
    assert ledger.get(REF) is None
    assert ledger.trail() == ()


def test_batches_are_found_by_table_and_state(ledger: Ledger) -> None:
    other, raw = BatchRef(PAID, "day_1"), BatchRef(ORDERS.raw, "day_1")
    ledger.record(a_record(BatchState.HELD), what="held", who="me")
    ledger.record(a_record(BatchState.PUBLISHED, other), what="published", who="me")
    ledger.record(a_record(BatchState.INGESTED, raw), what="ingested", who="me")
    assert [record.ref for record in ledger.batches()] == [REF, other, raw]
    assert [record.ref for record in ledger.batches(tables=[PAID, ORDERS])] == [REF, other]
    assert ledger.batches(tables=[]) == ()
    assert [record.ref for record in ledger.batches(state=BatchState.HELD)] == [REF]
    assert ledger.batches(tables=[PAID], state=BatchState.HELD) == ()
    assert (ledger.visible_batches(PAID), ledger.visible_batches(ORDERS)) == (frozenset({"day_1"}), frozenset())


def test_the_latest_batch_is_the_one_that_moved_last(ledger: Ledger) -> None:
    for minutes, batch in [(1, "day_1"), (3, "day_2"), (2, "day_3")]:
        record = a_record(BatchState.PUBLISHED, BatchRef(ORDERS, batch))
        ledger.record(replace(record, updated_at=NOW + timedelta(minutes=minutes)), what="published", who="me")
    latest = ledger.latest(ORDERS)
    assert latest is not None
    assert latest.ref.batch == "day_2"
