"""Many processes at once, over two domains and an aggregate: different batches go through together, one goes once."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import Domain
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import deliver, ingest, reconcile
from readiness_pipelines.errors import CommitConflictError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.databases import Kind
from readiness_pipelines_tests.faults.domains import outlet, shop_with_totals
from readiness_pipelines_tests.samples import GOOD, ONE_BAD, land, order_domain
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

CROWDS = {"sqlite": (6, 3), "postgres": (12, 1)}
"""Processes, and days of each; a day is three batches."""
ORDERS, TOTALS, OUTLET = TableId("shop", "orders"), TableId("shop", "totals"), TableId("outlet", "orders")
WORKERS = multiprocessing.get_context("forkserver")

pytestmark = pytest.mark.slow


DAYS = tuple(f"d{number:03d}" for number in range(max(processes * days for processes, days in CROWDS.values())))


def crowded_domains() -> tuple[Domain, Domain]:
    """A shop whose orders are summed, and an outlet with a table of the same name."""
    return shop_with_totals(order_domain(batches=DAYS)), outlet(DAYS)


def land_both(folder: Path, batch: str) -> None:
    file = land(folder / "landing", batch, *ONE_BAD)
    other = file.parents[1] / "outlet" / file.name
    other.parent.mkdir(exist_ok=True)
    other.write_text("\n".join(["order_id,amount,status,note", *GOOD]) + "\n")


def deliver_all(folder: Path, batches: list[str]) -> None:
    """Deliver some batches of both domains, one after the other."""
    installation = Installation.open(settings_in(folder))
    shop, other = crowded_domains()
    for batch in batches:
        for table in (shop.table("orders"), shop.table("totals"), other.table("orders")):
            deliver_again(table, batch, installation)


def deliver_again(table: Any, batch: str, installation: Installation) -> None:
    """As Dagster does where another process won."""
    for attempt in range(3):
        try:
            if isinstance(table, GatedTable):
                ingest(table, batch=batch, installation=installation, run=Run(who="crowd"))
            deliver(table, batch=batch, installation=installation, run=Run(who="crowd"))
        except CommitConflictError:
            if attempt == 2:
                raise
        else:
            return


def run_together(folder: Path, shares: list[list[str]]) -> None:
    crowd = [WORKERS.Process(target=deliver_all, args=(folder, share)) for share in shares]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join(LONGEST_SECONDS)
    assert [process.exitcode for process in crowd] == [0] * len(crowd)


def published(installation: Installation, table: TableId) -> list[int]:
    return [record.counts.published for record in installation.ledger.batches(tables=[table])]


def test_different_batches_are_delivered_at_once(database: Kind, tmp_path: Path) -> None:
    processes, share = CROWDS[database]
    days = DAYS[: processes * share]
    for day in days:
        land_both(tmp_path, day)
    Installation.open(settings_in(tmp_path))
    run_together(tmp_path, [list(days[start::processes]) for start in range(processes)])
    installation = Installation.open(settings_in(tmp_path))
    for table, rows in ((ORDERS, 3), (TOTALS, 1), (OUTLET, 4)):
        assert published(installation, table) == [rows] * len(days)
    seen = reconcile(crowded_domains(), installation=installation)
    assert (seen.problems, seen.batches) == ((), 3 * len(days))


def test_one_batch_delivered_by_many_at_once_is_there_once(database: Kind, tmp_path: Path) -> None:
    land_both(tmp_path, "d000")
    Installation.open(settings_in(tmp_path))
    run_together(tmp_path, [["d000"]] * 4)
    installation = Installation.open(settings_in(tmp_path))
    assert reconcile(crowded_domains(), installation=installation).problems == ()
    assert [published(installation, table) for table in (ORDERS, TOTALS, OUTLET)] == [[3], [1], [4]]
    (record,) = installation.ledger.batches(tables=[ORDERS])
    assert record.counts.quarantined == 1
