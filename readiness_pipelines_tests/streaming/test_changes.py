"""Changes of a topic end in rows that stay, and in the table as it is now."""

from datetime import timedelta
from pathlib import Path

from confluent_kafka import Producer

from readiness_pipelines.batches import BatchState
from readiness_pipelines.delivery import do_work, due_work, reconcile
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.brokers import QUIET, broker
from readiness_pipelines_tests.streaming.customers import change, changes_table, customer, customers_domain
from readiness_pipelines_tests.streaming.payments import Clock, read_until, rows_of

UNAVAILABLE = "__debezium_unavailable_value"


def test_changes_of_two_partitions_and_windows_give_the_table_as_it_is_now(
    tmp_path: Path, installation: Installation
) -> None:
    domain, clock = customers_domain(), Clock()
    table, run = changes_table(domain), Run(clock=clock)
    current = domain.table("customers")
    first = [
        (1, change("u", 30, None, customer(1, "Ann B.", bio=UNAVAILABLE)), b'{"id": 1}'),
        (0, change("r", 10, None, customer(1, "Ann", bio="long")), b'{"id": 1}'),
        (0, change("r", 10, None, customer(2, "Bob", paid="NaN")), b'{"id": 2}'),
        (0, change("c", 20, None, customer(3, "Cem")), b'{"id": 3}'),
        (0, change("d", 25, {"id": 3, "name": None}), b'{"id": 3}'),
        (0, None, b'{"id": 3}'),
        (0, change("c", 26, None, customer(4, "Dora")), b'{"id": 4}'),
        (0, change("u", 27, {"id": 4}, customer(5, "Dora")), b'{"id": 5}'),
        (0, b'{"op": "c"}', b'{"id": 9}'),
    ]
    with broker("noida", tmp_path / "broker") as noida:
        noida.make_topic("customers", 2)

        def send(messages: list[tuple[int, bytes | None, bytes]]) -> None:
            producer = Producer({**noida.options, **QUIET})
            for partition, value, key in messages:
                producer.produce("customers", value, key=key, partition=partition)
            assert producer.flush(20) == 0

        def seal() -> None:
            clock.now = clock.now.replace(minute=0) + timedelta(hours=1, seconds=15)
            while due := due_work([domain], installation=installation, now=clock.now):
                for work in due:
                    do_work(work, installation=installation, run=run)

        send(first)
        progress = read_until(table, noida, installation, records=9, run=run)
        assert (progress.unreadable, progress.quarantined) == (1, 2)
        seal()
        columns = "id, name, bio, paid::VARCHAR"
        assert rows_of(installation, current.id, columns) == [
            (1, "Ann B.", "long", "1.50"), (5, "Dora", None, "1.50"),
        ]  # fmt: skip
        # A window of nothing but what has no columns of the table, and one after it.
        send([(0, change("t", 40), b"null"), (1, change("d", 41), b'{"id": 1}'), (0, None, b'{"id": 5}')])
        progress = read_until(table, noida, installation, records=3, run=run)
        assert progress.quarantined == 0
        seal()
        assert rows_of(installation, current.id, columns) == []
        send([(0, change("c", 50, None, customer(5, "Eva")), b'{"id": 5}')])
        read_until(table, noida, installation, records=1, run=run)
        seal()
    assert rows_of(installation, current.id, columns) == [(5, "Eva", None, "1.50")]
    states = {record.state for record in installation.ledger.batches(tables=[table.id])}
    assert states == {BatchState.PUBLISHED, BatchState.PARTLY_PUBLISHED}  # NaN, and what is no change, wait
    assert reconcile([domain], installation=installation).problems == ()
