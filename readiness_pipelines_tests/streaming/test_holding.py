"""What a stream does while a window of its table is held, and the share of its last rows that holds one early."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from readiness_pipelines import Domain, FileDrop, HourlyBatches, Source, Steward, Tolerance
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.decisions import Waiver
from readiness_pipelines.delivery import decide, deliver, do_work, due_work, reconcile
from readiness_pipelines.errors import DeclarationError, StreamGapError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import FindingKind, StreamState
from readiness_pipelines.overview import observe
from readiness_pipelines.streaming.marks import positions
from readiness_pipelines.streaming.points import Point
from readiness_pipelines_tests.brokers import QUIET, Broker, broker
from readiness_pipelines_tests.streaming.payments import (
    START,
    TOPIC,
    WINDOW,
    Clock,
    Payment,
    payment,
    payments_domain,
    payments_table,
    read_until,
    rows_of,
)

NEXT = "2026-11-02-11:00"


class Killed(BaseException):
    """Stands for the end of a process."""


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    with broker("noida", tmp_path / "broker") as one:
        one.make_topic(TOPIC, 1)
        yield one


def payments(rows: range, bad: Sequence[int] = ()) -> list[bytes]:
    return [payment(row, amount=-1) if row in bad else payment(row) for row in rows]


def state_of(installation: Installation, window: str) -> tuple[BatchState, str]:
    record = installation.ledger.get(BatchRef(payments_table(payments_domain()).id, window))
    assert record is not None
    return record.state, record.reason or ""


def do_all(domain: Domain, installation: Installation, run: Run) -> None:
    while due := due_work([domain], installation=installation, now=run.clock()):
        for work in due:
            do_work(work, installation=installation, run=run)


def test_a_stream_that_pauses_reads_nothing_while_a_window_is_held_and_goes_on_when_it_was_decided(
    noida: Broker, installation: Installation
) -> None:
    domain = payments_domain(ratio=0.1, on_hold="pause")
    table, clock = payments_table(domain), Clock()
    run = Run(who="ann", clock=clock)
    noida.send(TOPIC, payments(range(20), bad=(3, 4, 5)))
    read_until(table, noida, installation, records=20, run=run)
    clock.now = START + timedelta(hours=1, seconds=20)
    do_all(domain, installation, run)
    assert state_of(installation, WINDOW)[0] is BatchState.HELD
    noida.send(TOPIC, payments(range(20, 30)))
    before = rows_of(installation, table.id.raw, "_row")

    looks = 0

    def stops() -> bool:
        nonlocal looks
        looks += 1
        return looks > 6

    paused = read_until(table, noida, installation, records=1, run=run, also=stops)  # a restart pauses, too
    assert paused.records == 0
    assert paused.paused.startswith("batch 2026-11-02-10:00 is held: 3 of 20 rows")
    assert rows_of(installation, table.id.raw, "_row") == before

    def decides() -> bool:
        (shard,) = installation.ledger.streams.shards([table.id])
        assert (shard.lag, shard.state, shard.positions) == (10, StreamState.RUNNING, {0: 20})
        assert shard.paused_since == clock.now
        later = clock.now + timedelta(hours=3)
        found = observe([table], installation=installation, now=later).findings
        assert {one.kind for one in found} == {
            FindingKind.HELD,
            FindingKind.STREAM,
            FindingKind.FRESHNESS,
            FindingKind.WITHDRAWN,
        }
        late = next(one for one in found if one.kind is FindingKind.FRESHNESS)
        assert "is paused since 2026-11-02 11:00 UTC because batch 2026-11-02-10:00 is held" in late.details[0]
        decide(table, Waiver(rule="tolerance"), batch=WINDOW, why="a test", installation=installation, run=run)
        deliver(table, batch=WINDOW, installation=installation, run=run)
        return False

    looks, once = 0, iter([decides])

    def goes_on() -> bool:
        nonlocal looks
        looks += 1
        return next(once)() if looks == 3 else False

    went_on = read_until(table, noida, installation, records=10, run=run, also=goes_on)
    assert (went_on.records, went_on.window, went_on.paused) == (10, NEXT, "")
    assert len(rows_of(installation, table.id, "_row")) == 27
    clock.now = START + timedelta(hours=2, seconds=20)
    do_all(domain, installation, run)
    assert reconcile([domain], installation=installation).problems == ()


def test_messages_that_are_gone_while_a_stream_is_paused_end_it_at_once(
    noida: Broker, installation: Installation
) -> None:
    domain = payments_domain(ratio=0.1, on_hold="pause")
    table, clock = payments_table(domain), Clock()
    run = Run(clock=clock)
    noida.send(TOPIC, payments(range(10), bad=(3, 4)))
    read_until(table, noida, installation, records=10, run=run)
    clock.now = START + timedelta(hours=1, seconds=20)
    do_all(domain, installation, run)
    admin = AdminClient({**noida.options, **QUIET})
    noida.send(TOPIC, payments(range(10, 20)))
    looks = 0

    def loses() -> bool:
        nonlocal looks
        looks += 1
        if looks == 3:
            where = TopicPartition(TOPIC, 0, 15)
            admin.delete_records([where])[where].result(10)
            clock.now += timedelta(seconds=11)
        return False

    with pytest.raises(StreamGapError, match="begins at 15, and its position is 10: 5 messages are gone"):
        read_until(table, noida, installation, records=1, run=run, also=loses)


@pytest.mark.parametrize(("slices", "on_hold"), [(12, "continue"), (20, "pause")])
def test_too_many_bad_rows_among_the_last_hold_a_window_whatever_its_slices_and_not_at_the_bound(
    noida: Broker, installation: Installation, slices: int, on_hold: str
) -> None:
    domain = payments_domain(ratio=0.1, over=40, on_hold=on_hold, records=slices)
    table, clock = payments_table(domain), Clock()
    run = Run(clock=clock)
    noida.send(TOPIC, payments(range(100), bad=(10, 11, 12, 13, 50, 96, 97, 98, 99)))
    read_until(table, noida, installation, records=100, run=run)
    clock.now = START + timedelta(hours=1, seconds=20)
    do_all(domain, installation, run)
    assert state_of(installation, WINDOW)[0] is BatchState.PARTLY_PUBLISHED  # 4 of 40 rows are the bound

    noida.send(TOPIC, payments(range(100, 180), bad=(135, 150)))

    def announced() -> list[str]:
        return [str(one.why) for one in installation.ledger.trail() if one.what == "over its tolerance"]

    def killed(point: Point) -> None:
        if point is Point.QUARANTINED and announced():
            raise Killed

    with pytest.raises(Killed):
        read_until(table, noida, installation, records=80, run=run, step=killed)
    looks = 0

    def stops() -> bool:
        nonlocal looks
        looks += 1
        return at_the_end() or (on_hold == "pause" and looks > 4)

    def at_the_end() -> bool:
        return positions(installation.lakehouse.properties(table.id.raw))[0].end == 180

    read_until(table, noida, installation, records=80, run=run, also=stops)
    shown = {row for (row,) in rows_of(installation, table.id, "_row") if int(str(row)) >= 100}
    reason = "5 of the last 40 rows of partition 0 fail, over the tolerance of 10.00%"
    assert announced() == [reason]
    assert shown == set(range(100, 100 + 35 // slices * slices))
    if on_hold == "continue":
        clock.now = START + timedelta(hours=2, seconds=20)
    do_all(domain, installation, run)
    state, why = state_of(installation, NEXT)
    assert (state, why) == (BatchState.HELD, reason)
    assert not [row for (row,) in rows_of(installation, table.id, "_row") if int(str(row)) >= 100]
    decide(table, Waiver(rule="tolerance"), batch=NEXT, why="a test", installation=installation, run=run)
    deliver(table, batch=NEXT, installation=installation, run=run)
    read_until(table, noida, installation, records=80, run=run, also=at_the_end)
    clock.now = START + timedelta(hours=4)
    do_all(domain, installation, run)
    assert len(rows_of(installation, table.id, "_row")) == 180 - 11
    assert reconcile([domain], installation=installation).problems == ()


def test_a_share_of_the_last_rows_is_refused_where_batches_come_as_a_whole() -> None:
    bank = Domain("bank", owner="bank@bank.example")
    files = FileDrop("x/{batch}.jsonl", format="jsonl")
    with pytest.raises(DeclarationError, match="delivered batch by batch, and its tolerance is over the last 100 rows"):
        bank.gated(
            "x",
            source=Source(origin="x", steward=Steward("x", "x@bank.example"), reader=files),
            schema=Payment,
            batches=HourlyBatches(start="2026-11-02"),
            tolerance=Tolerance(quarantined_ratio=0.1, over=100),
        )
    for wrong in ({"over": 10}, {"rules": {"a": Tolerance(quarantined_ratio=0.1, over=10)}}):
        with pytest.raises(DeclarationError, match="over"):
            Tolerance(**wrong)
    bounds = [Tolerance(quarantined_ratio=ratio, over=over) for ratio, over in ((0.29, 100), (0.07, 300))]
    assert [one.rolling_rows for one in bounds] == [29, 21]  # as floats, 28 and 21.000000000000004
