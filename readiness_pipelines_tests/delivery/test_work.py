"""What is due is decided by completeness: what arrived and what was made of it, against what is there now."""

import os
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import (
    DailyBatches,
    Domain,
    FileDrop,
    Function,
    MonthlyBatches,
    Source,
    SqlQuery,
    Steward,
    Sum,
    Versions,
)
from readiness_pipelines.batches import Batches, BatchState
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import Work, deliver, do_work, due_work, ingest
from readiness_pipelines.errors import LandingError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.gallery.running import record, run
from readiness_pipelines_tests.gallery.running import rows as published_rows
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, Order, gated, land, order_domain

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)
RUN = Run(clock=lambda: LATER)
STEWARD = Steward("a", "b")


def due(domain: Domain, installation: Installation, now: datetime = LATER, **options: Any) -> tuple[Work, ...]:
    return due_work([domain], installation=installation, now=now, **options)


def shown(works: tuple[Work, ...]) -> list[tuple[str, list[str]]]:
    return [(work.batch, [table.name for table in work.tables]) for work in works]


def touch(file: Path, at: datetime) -> None:
    os.utime(file, (at.timestamp(), at.timestamp()))


def test_what_arrived_is_due_with_all_that_one_run_can_make_of_it(installation: Installation) -> None:
    shop = order_domain()
    land(installation.landing.path, "day_2", *GOOD)
    land(installation.landing.path, "day_1", *GOOD)
    works = due(shop, installation)
    assert shown(works) == [(batch, ["orders", "paid", "refund_rate"]) for batch in ("day_1", "day_2")]
    do_work(works[0], installation=installation, run=RUN)
    assert [work.batch for work in due(shop, installation)] == ["day_2"]


def test_what_has_a_verdict_is_not_due_until_it_changes(installation: Installation) -> None:
    shop = order_domain()
    file = land(installation.landing.path, "day_1", *MOSTLY_BAD)
    do_work(due(shop, installation)[0], installation=installation, run=RUN)
    assert due(shop, installation) == ()
    touch(file, NOW - timedelta(days=1))
    (again,) = due(shop, installation)
    do_work(again, installation=installation, run=RUN)
    assert due(shop, installation) == ()
    land(installation.landing.path, "day_1", *ONE_BAD)
    assert [work.why for work in due(shop, installation)] == ["shop.orders: arrived"]


def test_what_a_killed_run_left_undone_is_due(installation: Installation) -> None:
    shop = order_domain()
    land(installation.landing.path, "day_1", *GOOD)
    ingest(gated(shop), batch="day_1", installation=installation, run=RUN)
    assert shown(due(shop, installation)) == [("day_1", ["orders", "paid", "refund_rate"])]
    deliver(gated(shop), batch="day_1", installation=installation, run=RUN)
    assert shown(due(shop, installation)) == [("day_1", ["paid", "refund_rate"])]
    deliver(shop.table("paid"), batch="day_1", installation=installation, run=RUN)
    assert shown(due(shop, installation)) == [("day_1", ["refund_rate"])]
    deliver(shop.table("refund_rate"), batch="day_1", installation=installation, run=RUN)
    assert due(shop, installation) == ()


def test_a_file_that_is_still_being_written_is_left_alone(installation: Installation) -> None:
    shop = order_domain()
    now = datetime.now(UTC)
    touch(land(installation.landing.path, "day_1", *GOOD), now - timedelta(minutes=3))
    careful = replace(installation, settles=timedelta(minutes=5))
    left: list[str] = []
    early = due(shop, careful, now, unsettled=lambda _, found: left.append(found.why))
    assert early == ()
    assert re.fullmatch(r"orders/day_1.csv was changed 3m\d*s? ago, and nothing of it may change for 5m", left[0])
    assert len(due(shop, careful, now, waits=timedelta(minutes=2))) == 1
    assert len(due(shop, replace(careful, settles=timedelta(minutes=2)), now)) == 1


def test_each_content_has_a_fingerprint_of_its_own(installation: Installation) -> None:
    shop, fingerprints = order_domain(), set()
    for rows in (GOOD, ONE_BAD):
        file = land(installation.landing.path, "day_1", *rows)
        for at in (NOW, NOW + timedelta(seconds=1)):
            touch(file, at)
            for _ in range(2):
                (found,) = due(shop, installation)
                fingerprints.add(found.fingerprint)
    assert len(fingerprints) == 4


def test_keys_that_are_not_of_the_tables_batches_are_not_due(installation: Installation) -> None:
    land(installation.landing.path, "day_99", *GOOD)
    assert due(order_domain(), installation) == ()


@pytest.mark.parametrize("batches", [DailyBatches(start="2026-01-01"), Versions()])
def test_a_key_of_whose_content_nothing_is_known_is_due_beside_another(
    installation: Installation, batches: Batches
) -> None:
    shop, keys = Domain("shop", owner="a@b.example"), ["2026-01-01"]
    reader = Function(lambda: [{"order_id": 1}], arrivals=lambda: keys)
    shop.gated("rates", schema=Order, batches=batches, source=Source(origin="x", steward=STEWARD, reader=reader))
    (first,) = due(shop, installation)
    do_work(first, installation=installation, run=RUN)
    assert due(shop, installation) == ()
    keys.append("2026-01-02")
    assert [work.batch for work in due(shop, installation)] == ["2026-01-02"]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_day_of_a_database_whose_last_row_moves_is_due_and_keeps_no_row_of_it_unseen(
    installation: Installation, tmp_path: Path, allowed: bool
) -> None:
    file = tmp_path / "shop.db"
    shop = Domain("shop", owner="a@b.example")
    reader = SqlQuery("SELECT * FROM orders", connection="shop", cursor="note", overlap="9999d")
    orders = shop.gated(
        "orders",
        schema=Order,
        batches=DailyBatches(start="2026-01-01"),
        allow_empty=allowed,
        source=Source(origin="x", steward=STEWARD, reader=reader),
    )
    here = replace(installation, connection={"shop": f"sqlite:///{file}"}.__getitem__)

    def execute(statement: str) -> None:
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(statement)

    execute("CREATE TABLE orders (order_id BIGINT, amount FLOAT, status TEXT, note TEXT)")
    execute(
        "INSERT INTO orders VALUES (1, 1.5, 'paid', '2026-01-01 08:00:00'), (2, 1.5, 'paid', '2026-01-02 08:00:00')"
    )
    run(shop, installation=here)
    execute("UPDATE orders SET note = '2026-01-02 09:00:00' WHERE order_id = 1")
    assert run(shop, installation=here) == {"orders": ["2026-01-01", "2026-01-02"]}
    moved = published_rows(here, orders.id, "order_id", batch="2026-01-01")
    emptied = record(here, orders, "2026-01-01").state
    assert (moved, emptied) == (([], BatchState.PUBLISHED) if allowed else ([(1,)], BatchState.EMPTY))
    execute("UPDATE orders SET note = '2026-01-01 08:00:00' WHERE order_id = 1")
    run(shop, installation=here)
    assert published_rows(here, orders.id, "order_id") == [(1,), (2,)]


def test_a_source_that_cannot_be_reached_keeps_no_other_table_waiting(installation: Installation) -> None:
    shop = order_domain()
    away = Source(origin="x", steward=STEWARD, reader=FileDrop("away/{batch}.csv"))

    class Unreachable(FileDrop):
        def arrivals(self, places: Any) -> Any:
            raise LandingError("the source is away")

    lost = shop.gated("lost", source=away, schema=Order, batches=Versions())
    broken = replace(lost, source=away.model_copy(update={"reader": Unreachable(pattern="away/{batch}.csv")}))
    shop._tables["lost"] = broken
    land(installation.landing.path, "day_1", *GOOD)
    with pytest.raises(LandingError):
        due(shop, installation)
    seen: list[GatedTable] = []
    works = due(shop, installation, unreachable=lambda table, _error: seen.append(table))
    assert (len(works), seen) == (1, [broken])


def test_a_changed_version_makes_due_what_it_is_in_force_for(installation: Installation) -> None:
    shop = order_domain(batches=MonthlyBatches(start="2026-01-01"))
    rates = Source(origin="x", steward=STEWARD, reader=FileDrop("rates/{batch}.csv", missing="?"))
    shop.gated("rates", source=rates, schema=Order, batches=Versions())

    @shop.kpi(question="?", unit="EUR")
    def revenue(orders: Any, rates: Any) -> Sum:
        rates = rates.project("order_id, amount AS rate")
        return Sum("amount * rate", of=orders.join(rates, "order_id"))

    folder = installation.landing.path
    for month in ("2026-01", "2026-03"):
        land(folder, month, *GOOD)
    (folder / "rates").mkdir()

    def bring(version: str) -> None:
        (folder / "rates" / f"{version}.csv").write_text("order_id,amount,status,note\n1,2,paid,a\n")

    def do_all() -> list[str]:
        done: list[str] = []
        while works := due(shop, installation):
            for work in works:
                done += [str(one.ref) for one in do_work(work, installation=installation, run=RUN)]
        return sorted(done)

    bring("2026-01-01")
    assert "shop.revenue[2026-03]" in do_all()
    bring("2026-02-15")
    assert do_all() == ["shop.rates[2026-02-15]", "shop.revenue[2026-03]"]
