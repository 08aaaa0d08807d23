"""A late row is told by the watermark when it arrived, and by nothing that came after."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import FileDrop, Late
from readiness_pipelines.batches import BatchRef, Counts
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.delivery import deliver, ingest, reconcile
from readiness_pipelines.delivery.problems import Level
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.streaming import MicroBatches
from readiness_pipelines.streaming.points import Point
from readiness_pipelines_tests.brokers import Broker, broker
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

LATE = Late("paid_at", after="1h")
HOURS = {0: 0, 1: 0, 2: 2, 3: 1.5, 4: 0.5, 5: 2}
"""When each payment was paid, in hours after the start. The fifth is late once the third is published."""


class CutOffError(BaseException):
    """As if the process was killed."""


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    with broker("noida", tmp_path / "broker") as one:
        yield one


def _payment(number: int) -> bytes:
    return payment(number, paid_at=(START + timedelta(hours=HOURS[number])).isoformat())


@pytest.mark.parametrize("killed_at", [None, Point.LANDED, Point.JUDGED, Point.QUARANTINED])
def test_slice_recovery_and_seal_say_the_same_of_a_late_row(
    noida: Broker, installation: Installation, killed_at: Point | None
) -> None:
    noida.make_topic(TOPIC)
    clock = Clock()
    run = Run(clock=clock)
    domain = payments_domain(rules=[LATE])
    table = payments_table(domain)
    # What comes in one slice is not late by what comes with it.
    noida.send(TOPIC, [_payment(n) for n in (0, 2, 1)])
    read_until(table, noida, installation, records=3, run=run)
    assert len(rows_of(installation, table.id, "_row")) == 3
    noida.send(TOPIC, [_payment(3), _payment(4)])

    def kill(point: Point) -> None:
        if point is killed_at:
            raise CutOffError

    if killed_at is None:
        read_until(table, noida, installation, records=2, run=run)
    else:
        with pytest.raises(CutOffError):
            read_until(table, noida, installation, records=2, run=run, step=kill)
        noida.send(TOPIC, [_payment(5)])  # another process judges the slice from raw, then goes on
        read_until(table, noida, installation, records=1, run=run)
    published = rows_of(installation, table.id, "_row, payment_id")
    waiting = rows_of(installation, table.id.quarantine, "payment_id, list_transform(_errors, lambda one: one.rule)")
    assert waiting == [("4", ["paid_at_late"])]
    assert "_watermark" not in installation.lakehouse.schema(table.id).names
    clock.now = START + timedelta(hours=1, seconds=15)
    ingest(table, batch=WINDOW, installation=installation, run=run)
    deliver(table, batch=WINDOW, installation=installation, run=run)
    assert rows_of(installation, table.id, "_row, payment_id") == published
    record = installation.ledger.get(BatchRef(table.id, WINDOW))
    assert record is not None
    assert record.counts == Counts(ingested=len(published) + 1, published=len(published), quarantined=1)
    assert not [one for one in installation.ledger.trail() if one.what == "withdraws"]
    assert reconcile([domain], installation=installation, level=Level.RECOMPUTE).problems == ()


def test_a_late_row_is_published_and_counted_where_that_is_declared_and_only_of_a_stream(
    noida: Broker, installation: Installation
) -> None:
    noida.make_topic(TOPIC)
    run = Run(clock=Clock())
    table = payments_table(payments_domain(rules=[Late("paid_at", after="1h", route=Route.WARN)]))
    for number in (2, 4):
        noida.send(TOPIC, [_payment(number)])
        read_until(table, noida, installation, records=1, run=run)
    assert len(rows_of(installation, table.id, "_row")) == 2
    with pytest.raises(DeclarationError, match="not fed by a topic, and no watermark says what is late"):
        payments_domain(FileDrop("{batch}.jsonl", format="jsonl"), rules=[LATE])


class Booked(Payment):
    """A payment that is booked some time after it was paid."""

    booked_at: arrow.timestamp("us", "UTC") = pa.Field()


def test_freshness_counts_by_its_own_column_and_late_rows_are_told_by_theirs(
    noida: Broker, installation: Installation
) -> None:
    noida.make_topic(TOPIC)
    run = Run(clock=Clock())
    table = payments_table(payments_domain(schema=Booked, rules=[Late("booked_at", after="1h")]))
    booked = {0: 5, 1: 4.5, 2: 3}
    for number, hours in booked.items():
        at = {"paid_at": (START + timedelta(minutes=number)).isoformat()}
        at["booked_at"] = (START + timedelta(hours=hours)).isoformat()
        noida.send(TOPIC, [payment(number, **at)])
        progress = read_until(table, noida, installation, records=1, run=run)  # another process each: from raw again
    assert rows_of(installation, table.id.quarantine, "payment_id") == [("2",)]
    assert progress.watermark == START + timedelta(minutes=1)
    (shard,) = installation.ledger.streams.shards([table.id])
    assert shard.watermark == START + timedelta(minutes=1)


def test_rows_that_spark_brings_have_no_watermark_and_the_rule_is_refused(installation: Installation) -> None:
    table = payments_table(payments_domain(rules=[LATE]))
    with pytest.raises(DeclarationError, match="micro-batches cannot follow"):
        MicroBatches(table, installation=installation)
