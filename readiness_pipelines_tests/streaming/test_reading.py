"""A topic ends in the same tables as files, each message once."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.delivery import deliver, do_work, due_work, ingest, reconcile
from readiness_pipelines.delivery.windows import closing_marks
from readiness_pipelines.errors import StreamGapError, TopicReplacedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.json_values.streams import progress_value
from readiness_pipelines.orchestration.stream_windows import window_observations
from readiness_pipelines.overview import broken_rules, waiting_record, ways_out
from readiness_pipelines.sources import Topic
from readiness_pipelines.streaming import Shard, reading
from readiness_pipelines.streaming.marks import positions, taking
from readiness_pipelines.streaming.messages import Bounds
from readiness_pipelines.streaming.points import Point
from readiness_pipelines_tests.brokers import QUIET, Broker, broker
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.streaming.payments import (
    FILES,
    START,
    TOPIC,
    WINDOW,
    Clock,
    mixed,
    payment,
    payments_domain,
    payments_table,
    read_until,
    rows_of,
)
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

ROWS = "payment_id, paid_at, amount, state, note"
QUARANTINED = "payment_id, paid_at, amount, state, note, list_transform(_errors, lambda one: one.rule) AS rules"
KPI = "*"


def verdict(installation: Installation) -> tuple[object, ...]:
    record = installation.ledger.get(BatchRef(payments_table(payments_domain()).id, WINDOW))
    assert record is not None
    return record.state, record.counts, record.reason, record.gate_version, record.newest_event_at


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    with broker("noida", tmp_path / "broker") as one:
        yield one


@pytest.fixture
def tansu(tmp_path: Path) -> Iterator[Broker]:
    with broker("tansu", tmp_path / "broker") as one:
        yield one


def test_a_sealed_stream_has_the_rows_that_the_same_records_have_as_a_file(
    noida: Broker, installation: Installation, tmp_path: Path
) -> None:
    values = mixed(1_200)
    noida.make_topic(TOPIC)
    noida.send(TOPIC, values)
    clock = Clock()
    run = Run(clock=clock)
    domain = payments_domain()
    table = payments_table(domain)
    progress = read_until(table, noida, installation, records=len(values), run=run)
    assert progress.records == len(values)
    assert progress.slices > 1
    record = installation.ledger.get(BatchRef(table.id, WINDOW))
    assert record is not None
    assert record.state is BatchState.OPEN
    (seen,) = window_observations([table], installation=installation)
    assert (seen.partition, seen.metadata["readiness/lag"].value) == (WINDOW, 0)
    assert seen.metadata["readiness/ingested_rows"].value == len(values)
    line = progress_value(progress, clock.now)
    assert (line["records"], line["lag"], line["window"], line["paused"]) == (len(values), 0, WINDOW, None)
    assert line["quarantined_share"] == progress.quarantined / len(values)
    before = rows_of(installation, table.id, ROWS)
    assert len(before) + len(rows_of(installation, table.id.quarantine, "_row")) == len(values)
    assert due_work([domain], installation=installation, now=clock.now) == ()
    clock.now = START + timedelta(hours=1, seconds=15)
    (work,) = due_work([domain], installation=installation, now=clock.now)
    assert [one.name for one in work.tables] == ["payments", "refunds"]
    do_work(work, installation=installation, run=run)
    assert due_work([domain], installation=installation, now=clock.now) == ()
    assert rows_of(installation, table.id, ROWS) == before
    assert reconcile([domain], installation=installation).problems == ()

    (tmp_path / "other" / "landing" / "payments").mkdir(parents=True)
    other = Installation.open(settings_in(tmp_path / "other"))
    (tmp_path / "other" / "landing" / "payments" / "2026-11-02-10:00.jsonl").write_bytes(b"\n".join(values) + b"\n")
    files = payments_domain(FILES)
    do_work(due_work([files], installation=other, now=clock.now)[0], installation=other, run=run)
    assert rows_of(other, table.id, ROWS) == before
    for ident, columns in ((table.id.quarantine, QUARANTINED), (domain.table("refunds").id, KPI)):
        assert rows_of(installation, ident, columns) == rows_of(other, ident, columns)
    assert verdict(installation) == verdict(other)


def test_rows_that_the_whole_window_refuses_are_withdrawn_by_the_seal_and_announced(
    noida: Broker, installation: Installation
) -> None:
    noida.make_topic(TOPIC)
    noida.send(TOPIC, [payment(number) for number in range(40)])
    clock = Clock()
    run = Run(clock=clock)
    domain = payments_domain()
    table = payments_table(domain)
    read_until(table, noida, installation, records=40, run=run)
    noida.send(TOPIC, [payment(7), payment(8, note="other")])
    read_until(table, noida, installation, records=2, run=run)
    assert len(rows_of(installation, table.id, "_row")) == 42
    clock.now = START + timedelta(hours=1)
    ingest(table, batch=WINDOW, installation=installation, run=run)
    done = deliver(table, batch=WINDOW, installation=installation, run=run)
    assert (done.counts.ingested, done.counts.published, done.counts.quarantined) == (42, 38, 4)
    (told,) = (one for one in installation.ledger.trail() if one.what == "withdraws")
    assert told.details == {"rows": 4, "visible": 42, "first": ["0/7", "0/8", "0/40", "0/41"]}
    assert rows_of(installation, table.id, "_row") == [(row,) for row in range(40) if row not in (7, 8)]
    assert reconcile([domain], installation=installation).problems == ()

    noida.send(TOPIC, [payment(number) for number in range(100, 110)])
    progress = read_until(table, noida, installation, records=10, run=run)
    assert progress.window == "2026-11-02-11:00"
    strict = payments_domain(ratio=0.01)
    clock.now = START + timedelta(hours=1, minutes=30)
    noida.send(TOPIC, [payment(110, amount=-1)])
    read_until(payments_table(strict), noida, installation, records=1, run=run)
    assert len(rows_of(installation, table.id, "_row")) == 48
    clock.now = START + timedelta(hours=2)
    ingest(table, batch=progress.window, installation=installation, run=run)
    held = deliver(payments_table(strict), batch=progress.window, installation=installation, run=run)
    assert (held.state, held.snapshots.published) == (BatchState.HELD, None)
    assert len(rows_of(installation, table.id, "_row")) == 38
    assert reconcile([strict], installation=installation).problems == ()


def test_a_slice_whose_window_is_closed_before_it_lands_belongs_to_the_next_one(
    noida: Broker, installation: Installation
) -> None:
    noida.make_topic(TOPIC)
    clock = Clock()
    table = payments_table(domain := payments_domain())
    noida.send(TOPIC, [payment(1)])
    read_until(table, noida, installation, records=1, run=Run(clock=clock))
    noida.send(TOPIC, [payment(2)])

    def sealed_meanwhile(point: Point) -> None:
        if point is Point.STAGED and clock.now == START:
            clock.now = START + timedelta(hours=1)
            ingest(table, batch=WINDOW, installation=installation, run=Run(clock=clock))
            deliver(table, batch=WINDOW, installation=installation, run=Run(clock=clock))

    progress = read_until(table, noida, installation, records=1, run=Run(clock=clock), step=sealed_meanwhile)
    assert progress.window == "2026-11-02-11:00"
    assert rows_of(installation, table.id, "_batch, payment_id") == [(WINDOW, 1), ("2026-11-02-11:00", 2)]
    assert reconcile([domain], installation=installation).problems == ()


def test_what_cannot_be_decoded_is_kept_as_it_came(tansu: Broker, installation: Installation) -> None:
    tansu.make_topic(TOPIC, 2)
    producer = Producer({**tansu.options, **QUIET, "message.max.bytes": 20_000_000})
    large = payment(5, note="x" * 10_000_000)
    sent: list[Any] = [
        (b"k1", b"\xff\xfe", [("source", b"pos-7"), ("bytes", b"\xff")]),
        (b"k2", None, []),
        (None, payment(3), []),
        (None, b"[1]", []),
        (b"\xff", large, []),
        (None, b'{"Payment_id": 4, "payment_id": 4}', []),
        (None, b'{"_row": 4}', []),
        (None, b'{"payment_id": 1.50, "note": {"a": [1, 2.0]}}', []),
    ]
    for key, value, headers in sent:
        producer.produce(TOPIC, value, key=key, headers=headers, partition=1)
    assert producer.flush(30) == 0
    domain = payments_domain()
    table = payments_table(domain)
    progress = read_until(table, tansu, installation, records=8, run=Run(clock=Clock()))
    assert (progress.records, progress.unreadable, progress.published, progress.quarantined) == (8, 5, 2, 6)
    open_window = waiting_record(table, batch=WINDOW, installation=installation)
    counts, _ = broken_rules(table, open_window, installation=installation)  # before a seal can judge all of it
    assert (counts[0].rule.name, counts[0].broken_rows) == ("readable", 5)
    assert "readiness quarantine rows" in ways_out(open_window, counts)[0]
    raw = {
        row: rest for row, *rest in rows_of(installation, table.id.raw, "_row & 255, _unreadable, _unreadable_reason")
    }
    kept = json.loads(str(raw[0][0]))
    assert kept == {
        "key": "k1",
        "headers": [["source", "pos-7"], ["bytes", {"base64": "/w=="}]],
        "value": {"base64": "//4="},
    }
    assert [raw[row][1] for row in (0, 1, 3, 5, 6)] == [
        "it is not UTF-8 (byte 0)",
        "it has no value (a tombstone)",
        "it is not a JSON object",
        "two of its keys differ in letter case only",
        "its key '_row' is the name of a column that the framework adds itself",
    ]
    assert rows_of(installation, table.id.raw, "payment_id, note")[0] == ("1.50", '{"a": [1, 2.0]}')
    assert {length for (length,) in rows_of(installation, table.id, "length(note)")} == {2, 10_000_000}


def test_a_topic_that_lacks_messages_or_was_made_anew_is_refused_and_new_partitions_are_read(
    noida: Broker, installation: Installation
) -> None:
    noida.make_topic(TOPIC, 1)
    noida.send(TOPIC, [payment(number) for number in range(20)])
    run = Run(who="ann", clock=Clock())
    table = payments_table(payments_domain())
    read_until(table, noida, installation, records=20, run=run)
    admin = AdminClient({**noida.options, **QUIET})
    noida.send(TOPIC, [payment(number) for number in range(20, 30)])
    admin.delete_records([TopicPartition(TOPIC, 0, 25)])[TopicPartition(TOPIC, 0, 25)].result(10)
    with pytest.raises(StreamGapError, match="begins at 25, and its position is 20: 5 messages are gone"):
        read_until(table, noida, installation, records=1, run=run)
    early = {"readiness.run": "early", "readiness.attempt": "early"}  # a seal before the window is over
    installation.lakehouse.append(table.id.raw, None, properties=early, marks=closing_marks(table, WINDOW))
    read_until(table, noida, installation, records=5, run=run, skip_gap="the archive has them")
    (told,) = (one for one in installation.ledger.trail() if one.what == "passed over a gap")
    assert (told.who, told.why, told.details["messages"]) == ("ann", "the archive has them", 5)
    assert told.ref.batch > WINDOW
    assert len(rows_of(installation, table.id, "_row")) == 25

    admin.create_partitions([NewPartitions(TOPIC, 3)])[TOPIC].result(10)
    noida.send(TOPIC, [payment(number) for number in range(30, 36)], partitions=3)
    read_until(table, noida, installation, records=6, run=run)
    assert len(rows_of(installation, table.id, "_row")) == 31

    noida.drop_topic(TOPIC)
    noida.make_topic(TOPIC, 3)
    with pytest.raises(TopicReplacedError, match="partition 0 of payments ends at 0, before its position 32"):
        read_until(table, noida, installation, records=1, run=run)


def test_a_stream_that_begins_now_reads_partitions_that_are_added_while_it_stands_from_their_first_message(
    noida: Broker, installation: Installation
) -> None:
    noida.make_topic(TOPIC, 2)
    noida.send(TOPIC, [payment(1), payment(2)], partitions=2)
    table = payments_table(payments_domain(Topic(TOPIC, brokers="127.0.0.1:1", begins="now", slice_every="0.3s")))
    read_until(table, noida, installation, records=0, shard=Shard(0, 2))
    admin = AdminClient({**noida.options, **QUIET})
    admin.create_partitions([NewPartitions(TOPIC, 4)])[TOPIC].result(10)
    noida.send(TOPIC, [payment(number) for number in (3, 4, 5, 6)], partitions=4)
    read_until(table, noida, installation, records=2, shard=Shard(0, 2))
    read_until(table, noida, installation, records=1, shard=Shard(1, 2))  # partition 1 begins with what comes from now
    assert {str(number) for (number,) in rows_of(installation, table.id.raw, "payment_id")} == {"3", "5", "6"}


def test_the_end_of_a_transaction_is_neither_behind_nor_missed_where_it_is_gone_before_the_next_message(
    noida: Broker, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PARTITIONS_EVERY_SECONDS", 0.0)
    noida.make_topic(TOPIC)
    producer = Producer({**noida.options, **QUIET, "transactional.id": "tills"})
    producer.init_transactions(LONGEST_SECONDS)

    def transaction(number: int, end: Callable[[float], None]) -> None:
        producer.begin_transaction()
        producer.produce(TOPIC, payment(number))
        assert producer.flush(LONGEST_SECONDS) == 0
        end(LONGEST_SECONDS)

    transaction(1, producer.commit_transaction)
    ends = [2, 4, 6]
    table = payments_table(payments_domain())

    def is_at_end() -> bool:
        if positions(installation.lakehouse.properties(table.id.raw))[0].end != ends[0]:
            return False
        if ends[1:]:
            transaction(ends.pop(0), producer.abort_transaction)
        return ends == [6] and positions(installation.lakehouse.properties(table.id.raw))[0].end == 6

    progress = read_until(table, noida, installation, records=2, run=Run(clock=Clock()), also=is_at_end)
    assert (progress.records, progress.lag) == (1, 0)
    admin = AdminClient({**noida.options, **QUIET})
    admin.delete_records([TopicPartition(TOPIC, 0, 6)])[TopicPartition(TOPIC, 0, 6)].result(10)
    transaction(3, producer.commit_transaction)
    read_until(table, noida, installation, records=1, run=Run(clock=Clock()))
    assert rows_of(installation, table.id, "_row, payment_id") == [(0, 1), (6, 3)]


def test_positions_of_an_older_version_tell_which_partitions_were_added_since() -> None:
    older = {
        "readiness.stream.topic": '{"name": "payments", "id": ""}',
        "readiness.stream.partition.1": '{"epoch": 1, "start": 0, "end": 5}',
    }
    there = dict.fromkeys((0, 1, 2), Bounds(3, 9))
    took = taking(there, from_first=False, partitions=3, epoch=2, topic=TOPIC, topic_id="")(older)
    assert {partition: one.end for partition, one in positions(took).items()} == {0: 9, 1: 5, 2: 3}
