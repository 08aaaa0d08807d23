"""OpenLineage events of real deliveries: valid by the specification, complete, and without classified values."""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from confluent_kafka import Consumer, TopicPartition
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    DailyBatches,
    Domain,
    FileDrop,
    Pseudonym,
    Ratio,
    Source,
    Steward,
    Tolerance,
    protect,
)
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.decisions import Waiver, keep_decision
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.errors import DeclarationError, ReadinessError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.openlineage import EventFile, EventMaker, HttpReceiver, send_again, send_events, skip_to_now
from readiness_pipelines.openlineage.kafka_topic import TopicReceiver
from readiness_pipelines_tests.alerts.endpoint import listening
from readiness_pipelines_tests.brokers import Broker
from readiness_pipelines_tests.databases import Kind
from readiness_pipelines_tests.openlineage.validating import event_problems
from readiness_pipelines_tests.samples import gated, land
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
HEADER = "order_id,email,amount,status"
GOOD = ("1,ann@people.example,10,paid", "2,ben@people.example,20,refunded", "3,ann@people.example,30,paid")
ONE_BAD = ("1,ann@people.example,10,paid", "2,ben@people.example,-20,refunded", "3,cleo@people.example,30,paid")
BAD = ("1,ann@people.example,-10,paid", "2,ben@people.example,-20,lost", "3,cleo@people.example,x,paid")


class Order(pa.DataFrameModel):
    """One order."""

    order_id: arrow.int64() = pa.Field(unique=True, description="As the shop numbers them.")
    email: arrow.string() = pa.Field(metadata=protect("pii.direct", Pseudonym(key="patients")))
    amount: arrow.float64() = pa.Field(ge=0)
    status: arrow.string() = pa.Field(isin=["paid", "refunded"])


class Spent(pa.DataFrameModel):
    """What one person spent."""

    email: arrow.string()
    spent: arrow.float64()


def shop() -> Domain:
    domain = Domain("shop", owner="shop@shop.example")
    domain.gated(
        "orders",
        source=Source(
            origin="Shop export",
            steward=Steward("Shop team", "desk@shop.example"),
            reader=FileDrop("orders/{batch}.csv"),
        ),
        schema=Order,
        batches=DailyBatches(start="2026-01-01"),
        tolerance=Tolerance(quarantined_ratio=0.5),
    )

    @domain.derived(schema=Spent, key=["email"])
    def spent(orders: Relation) -> Relation:
        """What each person spent."""
        if orders.filter("amount > 1000").fetchall():
            raise ValueError(f"too much: {orders.fetchall()}")
        return orders.aggregate("email, sum(amount) AS spent", "email")

    @domain.kpi(question="How many orders are refunded?", unit="ratio", target="<= 0.5")
    def refund_rate(orders: Relation) -> Ratio:
        """Share of the orders that were refunded."""
        return Ratio("count(*) FILTER (status = 'refunded')", "count(*)")

    return domain


def bring(domain: Domain, installation: Installation, batch: str, rows: Sequence[str], *tables: str) -> None:
    land(installation.landing.path, batch, *rows, header=HEADER)
    run = Run(who="me", clock=lambda: START)
    ingest(gated(domain), batch=batch, installation=installation, run=run)
    for name in ("orders", *tables):
        deliver(domain.table(name), batch=batch, installation=installation, run=run)


def maker_of(domain: Domain, installation: Installation) -> EventMaker:
    return EventMaker([domain], installation=installation, namespace="tests")


def made_events(domain: Domain, installation: Installation) -> list[Any]:
    maker = maker_of(domain, installation)
    found = [event for entry in installation.ledger.trail() for event in maker.events(entry, begun_at=entry.at)]
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]  # as a receiver has them


def ends(events: Sequence[Any], table: str, batch: str) -> list[Any]:
    def is_end(event: Any) -> bool:
        facts = event["run"]["facets"]["readiness_batch"]
        return bool(facts["batch"] == batch and event["job"]["name"] == table and event["eventType"] != "START")

    return [event for event in events if is_end(event)]


def check_pairs(events: Sequence[Any]) -> None:
    by_run: dict[str, list[str]] = {}
    for event in events:
        by_run.setdefault(event["run"]["runId"], []).append(event["eventType"])
    assert set(map(tuple, by_run.values())) == {("START", "COMPLETE"), ("START", "FAIL")}


def test_every_event_of_a_real_run_is_valid_by_the_specification_and_says_no_classified_value(
    installation: Installation,
) -> None:
    domain = shop()
    orders = gated(domain)
    run = Run(who="me", clock=lambda: START)
    bring(domain, installation, "2026-03-01", GOOD, "spent", "refund_rate")
    bring(domain, installation, "2026-03-02", ONE_BAD, "refund_rate")
    bring(domain, installation, "2026-03-03", BAD)
    ref = BatchRef(orders.id, "2026-03-02")
    waiver = Waiver(rule="amount_greater_than_or_equal_to")
    keep_decision(installation.ledger, ref, waiver, who="me", why="agreed", at=START, classes=classes_of(orders))
    deliver(orders, batch=ref.batch, installation=installation, run=run)
    with pytest.raises(ReadinessError):
        bring(domain, installation, "2026-03-04", ("1,ann@people.example,5000,paid",), "spent")
    events = made_events(domain, installation)

    assert [problem for event in events for problem in event_problems(event)] == []
    assert event_problems({**events[0], "run": {**events[0]["run"], "runId": "not one"}})
    assert not [name for name in ("people.example", "ann@") if name in json.dumps(events)]
    gone = EventMaker([], installation=installation, namespace="tests")  # the domain is not in the code any more
    others = [event for entry in installation.ledger.trail() for event in gone.events(entry, begun_at=None)]
    assert [problem for event in others for problem in event_problems(event)] == []
    check_pairs(events)

    (raw,) = ends(events, "shop_raw.orders", "2026-03-01")
    assert raw["inputs"][0]["inputFacets"]["inputStatistics"]["fileCount"] == 1
    assert raw["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 3
    (first,) = ends(events, "shop.orders", "2026-03-01")
    (published,) = first["outputs"]
    fields = published["facets"]["columnLineage"]["fields"]
    assert fields["email"]["inputFields"][0]["transformations"][0]["masking"]
    assert fields["amount"]["inputFields"][0]["name"] == "shop_raw.orders"
    assert published["facets"]["schema"]["fields"][0]["description"] == "As the shop numbers them."
    metrics = published["facets"]["dataQualityMetrics"]["columnMetrics"]
    assert metrics["amount"]["max"] == 30
    assert set(metrics["email"]) == {"nullCount", "distinctCount", "count"}
    assert {"name": "shop@shop.example", "type": "DOMAIN_OWNER"} in published["facets"]["ownership"]["owners"]
    assert published["outputFacets"]["outputStatistics"]["size"] > 0
    (counted,) = ends(events, "shop.refund_rate", "2026-03-01")
    value = counted["outputs"][0]["facets"]["columnLineage"]["fields"]["value"]["inputFields"][0]
    assert (value["name"], value["field"]) == ("shop.orders", "status")
    assert counted["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"] == 3
    assert counted["run"]["facets"]["parent"]["job"] == {"namespace": "tests", "name": "shop"}

    partly, replayed = ends(events, "shop.orders", "2026-03-02")
    assert [one["name"] for one in partly["outputs"]] == ["shop.orders", "shop_quarantine.orders"]
    assert [one["name"] for one in replayed["outputs"]] == ["shop.orders"]
    (held,) = ends(events, "shop.orders", "2026-03-03")
    assert held["eventType"] == "COMPLETE"
    assert [one["name"] for one in held["outputs"]] == ["shop_quarantine.orders"]
    assertions = held["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert {one["name"] for one in assertions if not one["success"]} >= {"status_isin"}
    (failed,) = ends(events, "shop.spent", "2026-03-04")
    assert failed["eventType"] == "FAIL"
    assert "ValueError" in failed["run"]["facets"]["errorMessage"]["message"]


def test_a_receiver_that_was_down_for_an_hour_gets_everything_once_and_one_that_refuses_is_named(
    installation: Installation,
) -> None:
    domain = shop()
    at = [START]
    with listening() as endpoint:
        receiver = HttpReceiver(name="marquez", url=endpoint.url.replace("json://", "http://"))

        def send(*, now: bool = False) -> Any:
            maker = maker_of(domain, installation)
            return send_events(receiver, maker, installation=installation, clock=lambda: at[0], now=now)

        bring(domain, installation, "2026-03-01", GOOD)
        assert send().sent == 4
        endpoint.down = True
        tried = 0
        for minute in range(0, 60, 5):
            at[0] = START + timedelta(minutes=minute)
            if minute % 20 == 0:
                bring(domain, installation, f"2026-03-{2 + minute // 20:02d}", GOOD, "spent", "refund_rate")
            tried += not send().busy
        assert 3 <= tried <= 8  # waits grow
        assert not send(now=True).busy
        assert installation.ledger.receivers.state("marquez", at=at[0]).error == "it answered 503 Service Unavailable"
        endpoint.down = False
        at[0] += timedelta(hours=1)
        assert send().sent == 3 * 8
        assert send().sent == 0
    assert endpoint.received == made_events_with_times(domain, installation)
    assert len({(event["run"]["runId"], event["eventType"]) for event in endpoint.received}) == len(endpoint.received)


def made_events_with_times(domain: Domain, installation: Installation) -> list[Any]:
    maker, book = maker_of(domain, installation), installation.ledger.receivers
    entries = installation.ledger.trail()
    begun = book.begun({entry.attempt or "" for entry in entries})
    found = [e for entry in entries for e in maker.events(entry, begun_at=begun.get(entry.attempt or ""))]
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]  # as a receiver has them


def test_a_file_has_each_event_once_whatever_a_crash_left_in_it_on_each_database(
    database: Kind, installation: Installation, tmp_path: Path
) -> None:
    domain = shop()
    bring(domain, installation, "2026-03-01", GOOD)
    file = tmp_path / "events" / "lineage.jsonl"
    receiver = EventFile("file", file)

    def send() -> int:
        maker = maker_of(domain, installation)
        return send_events(receiver, maker, installation=installation, clock=lambda: START).sent

    assert send() == 4
    bring(domain, installation, "2026-03-02", GOOD)
    assert send() == 4
    # Written, and the sender ended before it noted that; the next one ended within a line.
    installation.ledger.receivers.advance("file", entry=1, part=1, sent_at=START)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-1]) + lines[-1][:50])
    assert send() == 1
    assert [json.loads(line) for line in file.read_text().splitlines()] == [json.loads(line) for line in lines]
    # Another installation's events are in it: nothing is left out for them.
    other = {**json.loads(lines[-1]), "run": {**json.loads(lines[-1])["run"], "runId": "0" * 8}}
    other["run"]["facets"]["readiness_batch"]["entry"] = 10_000
    file.write_text(json.dumps(other) + "\n")
    bring(domain, installation, "2026-03-03", GOOD)
    assert send() == 4


class Careless:
    """A receiver with a fault of its own."""

    name = "careless"

    def last(self) -> None:
        """It cannot tell."""

    def take(self, event: Any) -> None:
        """Break, with a value in the error's text."""
        raise ValueError(f"no place for {event}, ann@example.org")


def test_what_breaks_under_way_is_noted_without_its_text_and_waited_for(installation: Installation) -> None:
    domain = shop()
    bring(domain, installation, "2026-03-01", GOOD)
    maker = maker_of(domain, installation)
    with pytest.raises(ValueError, match="no place"):
        send_events(Careless(), maker, installation=installation, clock=lambda: START)
    state = installation.ledger.receivers.state("careless", at=START)
    assert (state.error, state.next_try_at) == ("after entry 0: ValueError", START + timedelta(minutes=1))
    assert send_events(Careless(), maker, installation=installation, clock=lambda: START).busy


def test_what_is_refused_for_good_is_kept_and_can_be_sent_again_and_a_new_receiver_may_begin_now(
    installation: Installation,
) -> None:
    domain = shop()
    bring(domain, installation, "2026-03-01", GOOD)
    with listening() as endpoint:
        receiver = HttpReceiver(name="strict", url=endpoint.url.replace("json://", "http://"))
        maker = maker_of(domain, installation)
        endpoint.down, endpoint.refusal = True, 422
        found = send_events(receiver, maker, installation=installation, clock=lambda: START)
        assert (found.sent, found.refused) == (0, 4)
        assert len(installation.ledger.receivers.refused("strict")) == 4
        endpoint.down = False
        assert send_again(receiver, maker, installation=installation, clock=lambda: START).sent == 4
        assert installation.ledger.receivers.refused("strict") == ()
        late = HttpReceiver(name="late", url=receiver.url)
        skip_to_now(late, installation=installation, at=START)
        assert send_events(late, maker, installation=installation, clock=lambda: START).sent == 0
        bring(domain, installation, "2026-03-02", GOOD)
        assert send_events(late, maker, installation=installation, clock=lambda: START).sent == 4


def test_a_topic_gets_each_event_and_one_whose_broker_was_down_gets_them_later(
    installation: Installation, tmp_path: Path
) -> None:
    domain = shop()
    bring(domain, installation, "2026-03-01", GOOD)
    kafka = Broker("noida", tmp_path / "broker")

    def send(*, seconds: float = 2, now: bool = False) -> Any:
        receiver = TopicReceiver("bus", f"kafka://{kafka.address}/lineage", seconds=seconds)
        maker = maker_of(domain, installation)
        return send_events(receiver, maker, installation=installation, clock=lambda: START, now=now)

    assert send().error == "no broker took it within 2 seconds"
    kafka.start()
    try:
        kafka.make_topic("lineage")
        assert send(seconds=LONGEST_SECONDS, now=True).sent == 4
        consumer = Consumer({**kafka.options, "group.id": "test"}, logger=logging.getLogger("brokers"))
        consumer.assign([TopicPartition("lineage", 0, 0)])
        received = [message for _ in range(4) if (message := consumer.poll(LONGEST_SECONDS)) is not None]
        consumer.close()
    finally:
        kafka.stop()
    events = [json.loads(message.value() or b"") for message in received]
    assert events == made_events_with_times(domain, installation)
    assert [message.key() for message in received] == [event["run"]["runId"].encode() for event in events]


@pytest.mark.parametrize("address", ["kafka://host:9092", "kafka:///topic", "kafka://ann:s3cret@host/topic"])
def test_a_topic_without_brokers_or_a_name_is_refused(address: str) -> None:
    with pytest.raises(DeclarationError, match=r"'bus' .* names no brokers with a port, or no topic") as refused:
        TopicReceiver("bus", address)
    assert "s3cret" not in str(refused.value)


def test_a_start_is_sent_when_a_delivery_begins_and_its_end_once_also_where_it_was_killed_and_its_receiver_too(
    database: Kind, installation: Installation, tmp_path: Path
) -> None:
    domain = shop()
    file = tmp_path / "lineage.jsonl"
    receiver, book = EventFile("file", file), installation.ledger.receivers
    ref, later = BatchRef(gated(domain).id, "2026-03-01"), START + timedelta(minutes=5)

    def send() -> int:
        maker = maker_of(domain, installation)
        return send_events(receiver, maker, installation=installation, clock=lambda: later).sent

    def sent(of: int) -> list[Any]:
        return [json.loads(line) for line in file.read_text().splitlines()[-of:]]

    bring(domain, installation, "2026-03-02", GOOD)
    assert send() == 4
    # Begun, and what a process that is killed leaves: an attempt that nobody ends.
    installation.ledger.begin(ref, attempt="a" * 32, run_id="first", who="me", at=START)
    installation.ledger.begin(BatchRef(ref.table, "2026-03-09"), attempt="c" * 32, run_id="other", who="me", at=START)
    assert send() == 2
    assert send() == 0
    start, _other = sent(2)
    assert (start["eventType"], start["run"]["runId"]) == ("START", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa")
    assert start["inputs"] == [{"namespace": "tests", "name": "shop_raw.orders"}]
    # The sender was killed between writing a line and noting that.
    installation.ledger.begin(BatchRef(ref.table, "2026-03-08"), attempt="b" * 32, run_id="b", who="me", at=START)
    receiver.take(maker_of(domain, installation).started(book.under_way()[-1]))
    assert send() == 0
    # The next delivery supersedes what was cut off: the end of that is sent, once.
    bring(domain, installation, "2026-03-01", GOOD)
    assert send() == 5
    runs = [(event["eventType"], event["run"]["runId"]) for event in sent(5)]
    assert runs[-1] == ("FAIL", start["run"]["runId"])
    assert "superseded by another" in sent(1)[0]["run"]["facets"]["errorMessage"]["message"]
    # It was alive all the time, and says itself that it broke: the receiver has its end.
    installation.ledger.fail(ref, attempt="a" * 32, at=later, error="another delivery began")
    # This one broke after its beginning was sent: its end alone is due.
    installation.ledger.fail(BatchRef(ref.table, "2026-03-09"), attempt="c" * 32, at=later, error="no space left")
    assert send() == 1
    assert (sent(1)[0]["eventType"], sent(1)[0]["run"]["facets"]["readiness_batch"]["state"]) == ("FAIL", "failed")
    assert send() == 0

    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [problem for event in events for problem in event_problems(event)] == []
    kinds = [(event["eventType"], event["run"]["runId"]) for event in events]
    assert len(set(kinds)) == len(kinds)
    assert sum(kind == "START" for kind, _ in kinds) - sum(kind != "START" for kind, _ in kinds) == 1  # one goes on
    installation.ledger.prune(before=later + timedelta(days=1))
    assert len(book.started("file")) == 1
