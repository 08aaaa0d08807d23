"""Whatever is killed wherever: each message is in the tables once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from readiness_pipelines.delivery import do_work, due_work, reconcile
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.streaming.points import Point
from readiness_pipelines_tests.brokers import Broker, broker
from readiness_pipelines_tests.streaming.accounting import account
from readiness_pipelines_tests.streaming.landing import READER, compact, lake, landed, rows
from readiness_pipelines_tests.streaming.payments import START, TOPIC, mixed, payments_domain, payments_table, rows_of
from readiness_pipelines_tests.streaming.victims import Nursery, Victim

PARTITIONS = 2
LONG_AFTER = timedelta(minutes=10)
"""When the next process begins: the lease of the one before is over, however long that one ran on a busy machine."""


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    with broker("noida", tmp_path / "broker") as one:
        one.make_topic(TOPIC, PARTITIONS)
        yield one


def test_a_process_killed_at_any_point_and_a_zombie_lose_and_double_nothing(
    noida: Broker, installation: Installation, tmp_path: Path
) -> None:
    values = mixed(600)
    noida.send(TOPIC, values, partitions=PARTITIONS)
    ends = {partition: len(values[partition::PARTITIONS]) for partition in range(PARTITIONS)}
    table = payments_table(domain := payments_domain())
    now = START

    def victim(**what: object) -> Victim:
        said: dict[str, object] = {
            "records": 50,
            "folder": str(tmp_path),
            "address": noida.address,
            "now": now.isoformat(),
            **what,
        }
        return Victim(ends={str(partition): end for partition, end in ends.items()}, **said)  # type: ignore[arg-type]

    with Nursery() as nursery:
        zombies = []
        for point, follower in ((Point.STAGED, Point.LANDED), (Point.JUDGED, Point.QUARANTINED)):
            zombies.append(nursery.run(victim(point=point.value, stops=True)))
            assert zombies[-1].startswith("stopped")
            now += LONG_AFTER  # its lease is over
            assert nursery.run(victim(point=follower.value)) == "killed"
            now += LONG_AFTER
        assert nursery.run(victim(point=Point.PUBLISHED.value, times=2)) == "killed"
        now += LONG_AFTER
        assert [nursery.wake(zombie).partition(":")[0] for zombie in zombies] == ["StreamFencedError"] * 2
        assert nursery.run(victim()) == "done"
    assert account(table, ends, installation).is_clean
    later = START + timedelta(hours=2)
    do_work(
        due_work([domain], installation=installation, now=later)[0],
        installation=installation,
        run=Run(clock=lambda: later),
    )
    assert account(table, ends, installation).is_clean
    assert reconcile([domain], installation=installation).problems == ()


def test_a_slice_of_several_partitions_is_finished_for_each_of_them_after_a_kill(
    noida: Broker, installation: Installation, tmp_path: Path
) -> None:
    values = mixed(80)
    noida.send(TOPIC, values, partitions=PARTITIONS)
    ends = {partition: len(values[partition::PARTITIONS]) for partition in range(PARTITIONS)}

    def victim(now: datetime, **what: object) -> Victim:
        said: dict[str, object] = {"records": 80, "folder": str(tmp_path), "address": noida.address, **what}
        return Victim(ends={str(one): end for one, end in ends.items()}, now=now.isoformat(), **said)  # type: ignore[arg-type]

    with Nursery() as nursery:
        assert nursery.run(victim(START, point=Point.LANDED.value)) == "killed"
        assert nursery.run(victim(START + LONG_AFTER)) == "done"
    assert account(payments_table(payments_domain()), ends, installation).is_clean


def test_a_process_that_reads_what_another_engine_lands_loses_and_doubles_nothing_wherever_it_is_killed(
    installation: Installation, tmp_path: Path
) -> None:
    table, folder, now = landed(lake(tmp_path / "lake")), tmp_path / "lake", START
    table.append(rows(0, 200))  # read as a whole, in slices of 50: a kill is in the middle of a snapshot
    sent = 200

    def victim(**what: object) -> Victim:
        said: dict[str, object] = {"records": 50, "folder": str(tmp_path), "address": str(folder), "reads": "landed"}
        return Victim(ends={"0": sent}, now=now.isoformat(), **{**said, **what})  # type: ignore[arg-type]

    with Nursery() as nursery:
        assert nursery.run(victim(point=Point.TAKEN.value, times=2)) == "killed"
        zombies = []
        for point, follower in ((Point.STAGED, Point.LANDED), (Point.JUDGED, Point.QUARANTINED)):
            table.append(rows(sent, 60))
            sent += 60
            now += timedelta(minutes=3)
            zombies.append(nursery.run(victim(point=point.value, stops=True)))
            assert zombies[-1].startswith("stopped")
            now += timedelta(minutes=3)  # its lease is over
            assert nursery.run(victim(point=follower.value)) == "killed"
        compact(lake(folder), table)  # adds no rows
        now += timedelta(minutes=3)
        assert nursery.run(victim(point=Point.PUBLISHED.value)) == "killed"
        now += timedelta(minutes=3)
        assert [nursery.wake(zombie).partition(":")[0] for zombie in zombies] == ["StreamFencedError"] * 2
        assert nursery.run(victim()) == "done"
    payments = payments_table(domain := payments_domain(READER))
    assert rows_of(installation, payments.id.raw, "_row, payment_id::INT") == [(row, row) for row in range(sent)]
    assert account(payments, {0: sent}, installation).is_clean
    later = START + timedelta(hours=2)
    for work in due_work([domain], installation=installation, now=later):
        do_work(work, installation=installation, run=Run(clock=lambda: later))
    assert account(payments, {0: sent}, installation).is_clean
    assert reconcile([domain], installation=installation).problems == ()
