"""Upkeep: the past is forgotten in time, what is there now stays readable, running deliveries are left alone."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery import deliver, ingest, maintain, reconcile, replay_batch
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import status
from readiness_pipelines_tests.samples import GOOD, ONE_BAD, gated, land, order_domain

SHOP = order_domain()
RUN = Run(run_id="r1", who="me")
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=90)


@pytest.fixture
def delivered(installation: Installation) -> Installation:
    orders: Any = SHOP.table("orders")
    for batch, rows in (("day_1", ONE_BAD), ("day_2", GOOD), ("day_1", ONE_BAD)):
        land(installation.landing.path, batch, *rows)
        ingest(orders, batch=batch, installation=installation, run=RUN)
        for table in SHOP.tables:
            deliver(table, batch=batch, installation=installation, run=RUN)
    return installation


def files_of(installation: Installation, name: str) -> set[Path]:
    folder = installation.lakehouse._location(TableId(*name.split("."))).path
    return {file for file in folder.rglob("*") if file.is_file()}


def age(files: set[Path], to: datetime) -> None:
    for file in files:
        os.utime(file, (to.timestamp(), to.timestamp()))


def test_old_snapshots_go_and_everything_stays_readable(delivered: Installation) -> None:
    before = status(SHOP, installation=delivered)
    age(files_of(delivered, "shop.orders"), NOW - timedelta(days=3))
    done = {str(table.table): table for table in maintain(delivered, now=LATER).tables}
    assert (done["shop.orders"].expired_snapshots, done["shop.orders"].kept_snapshots) == (2, 1)
    assert done["shop.orders"].removed_files > 0
    after = status(SHOP, installation=delivered)
    assert after == before
    assert after.lanes[0].kpis[SHOP.kpis[0].id] is not None
    assert reconcile([SHOP], installation=delivered).problems == ()


def test_a_batch_whose_snapshots_are_gone_is_replayed_all_the_same(delivered: Installation) -> None:
    maintain(delivered, now=LATER)
    replayed = replay_batch(gated(SHOP), batch="day_1", installation=delivered, run=RUN)
    assert replayed.deliveries[replayed.ref].counts.published == 3
    assert [str(ref) for ref in replayed.deliveries] == [
        "shop.orders[day_1]",
        "shop.paid[day_1]",
        "shop.refund_rate[day_1]",
    ]
    assert reconcile([SHOP], installation=delivered).problems == ()


def test_only_so_many_snapshots_are_kept(delivered: Installation) -> None:
    done = {str(table.table): table for table in maintain(delivered, now=NOW, most_snapshots=2).tables}
    assert done["shop.orders"].kept_snapshots == 2


def test_files_that_nothing_names_are_removed_when_they_are_old(delivered: Installation) -> None:
    folder = delivered.lakehouse._location(TableId("shop", "orders")).path / "data"
    stray, fresh = folder / "stray.parquet", folder / "fresh.parquet"
    for file in (stray, fresh):
        file.write_bytes(b"x")
    age({stray}, NOW - timedelta(days=2))
    maintain(delivered, now=NOW)
    assert not stray.exists()
    assert fresh.exists()


def test_files_of_a_running_delivery_are_left_alone(delivered: Installation) -> None:

    began = NOW - timedelta(days=4)
    ref = BatchRef(SHOP.table("orders").id, "day_1")
    delivered.ledger.begin(ref, attempt="running", run_id="r2", who="me", at=began)
    staged = delivered.lakehouse._location(TableId("shop", "orders")).path / "data" / "staged.parquet"
    staged.write_bytes(b"x")
    age({staged}, began + timedelta(hours=1))
    maintain(delivered, now=NOW)
    assert staged.exists()


def test_files_of_a_running_delivery_are_left_alone_where_a_clock_is_days_ahead(delivered: Installation) -> None:
    ahead = datetime.now(UTC) + timedelta(days=3)
    ref = BatchRef(SHOP.table("orders").id, "day_1")
    delivered.ledger.begin(ref, attempt="running", run_id="r2", who="me", at=ahead)
    staged = delivered.lakehouse._location(TableId("shop", "orders")).path / "data" / "staged.parquet"
    staged.write_bytes(b"x")
    maintain(delivered, now=ahead)
    assert staged.exists()


def test_the_ledger_forgets_closed_attempts_and_nothing_else(delivered: Installation) -> None:
    trail = delivered.ledger.trail()
    assert maintain(delivered, now=LATER).forgotten_attempts > 0
    assert maintain(delivered, now=LATER).forgotten_attempts == 0
    assert delivered.ledger.trail() == trail
