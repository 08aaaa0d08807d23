"""Many processes at once: different batches go through together, one batch goes through once."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward, Tolerance
from readiness_pipelines.delivery import deliver, ingest, reconcile
from readiness_pipelines.errors import CommitConflictError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.databases import Kind
from readiness_pipelines_tests.samples import ONE_BAD, Order, land

CROWDS = {"sqlite": (8, 25), "postgres": (16, 10)}
"""Processes, and batches of each."""
WORKERS = multiprocessing.get_context("forkserver")
WORKERS.set_forkserver_preload(["readiness_pipelines_tests.faults.victims"])

pytestmark = pytest.mark.slow


def crowded_domain() -> Domain:
    """Orders of up to two hundred days."""
    shop = Domain("shop", owner="a@b.example")
    shop.gated(
        "orders",
        batches=StaticBatches(keys=[f"d{number:03d}" for number in range(200)]),
        source=Source(
            origin="test", steward=Steward("S", "s@s.example"), reader=FileDrop("orders/{batch}.csv", missing="?")
        ),
        schema=Order,
        tolerance=Tolerance(quarantined_ratio=0.5),
    )
    return shop


def deliver_all(folder: Path, batches: list[str]) -> None:
    """Deliver some batches, one after the other."""
    shop, installation = crowded_domain(), Installation.open(settings_in(folder))
    orders: Any = shop.table("orders")
    for batch in batches:
        for attempt in range(3):
            try:
                ingest(orders, batch=batch, installation=installation, run=Run(who="crowd"))
                deliver(orders, batch=batch, installation=installation, run=Run(who="crowd"))
                break
            except CommitConflictError:  # what Dagster tries again, too
                if attempt == 2:
                    raise


def run_together(folder: Path, shares: list[list[str]]) -> None:
    crowd = [WORKERS.Process(target=deliver_all, args=(folder, share)) for share in shares]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join(300)
    assert [process.exitcode for process in crowd] == [0] * len(crowd)


def test_different_batches_are_delivered_at_once(database: Kind, tmp_path: Path) -> None:
    shop = crowded_domain()
    processes, batches = CROWDS[database]
    keys = [f"d{number:03d}" for number in range(processes * batches)]
    for key in keys:
        land(tmp_path / "landing", key, *ONE_BAD)
    Installation.open(settings_in(tmp_path))
    run_together(tmp_path, [keys[start::processes] for start in range(processes)])
    installation = Installation.open(settings_in(tmp_path))
    records = installation.ledger.batches(tables=[TableId("shop", "orders")])
    assert [record.counts.published for record in records] == [3] * len(keys)
    seen = reconcile([shop], installation=installation)
    assert (seen.problems, seen.batches) == ((), len(keys))


def test_one_batch_delivered_by_many_at_once_is_there_once(database: Kind, tmp_path: Path) -> None:
    shop = crowded_domain()
    land(tmp_path / "landing", "d000", *ONE_BAD)
    Installation.open(settings_in(tmp_path))
    run_together(tmp_path, [["d000"]] * 4)
    installation = Installation.open(settings_in(tmp_path))
    assert reconcile([shop], installation=installation).problems == ()
    (record,) = installation.ledger.batches(tables=[TableId("shop", "orders")])
    assert (record.counts.published, record.counts.quarantined) == (3, 1)
