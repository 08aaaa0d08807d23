"""A full disk, a locked or a lost database: nothing is lost, and the next run finishes what was begun."""

import multiprocessing
import resource
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.delivery import deliver, ingest, reconcile, repair
from readiness_pipelines.errors import LakehouseError, LedgerError, ReadinessError
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.faults.crashes import struck
from readiness_pipelines_tests.faults.test_kills import rows_of
from readiness_pipelines_tests.faults.victims import RUN, work
from readiness_pipelines_tests.samples import ONE_BAD, land, order_domain
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

SHOP = order_domain()
WORKERS = multiprocessing.get_context("forkserver")

pytestmark = pytest.mark.slow


def impatient(folder: Path) -> Settings:
    """Settings with a ledger and a catalog of their own, that wait half a second for a lock."""
    (folder / "warehouse").mkdir(exist_ok=True)
    url = f"sqlite:///{folder / 'warehouse'}"
    return Settings(
        landing=str(folder / "landing"),
        warehouse=str(folder / "warehouse"),
        catalog_url=f"{url}/readiness.db?timeout=0.5",
        ledger_url=f"{url}/ledger.db?timeout=0.5",
    )


def deliver_with(settings: Settings, batch: str = "day_1") -> None:
    orders: Any = SHOP.table("orders")
    installation = Installation.open(settings)
    ingest(orders, batch=batch, installation=installation, run=RUN)
    deliver(orders, batch=batch, installation=installation, run=RUN)


def lock(file: Path) -> sqlite3.Connection:
    """Another program that keeps the database to itself."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize(
    ("database", "step", "error"),
    [
        ("readiness.db", "replace", LakehouseError),
        ("ledger.db", "replace", LedgerError),
        ("ledger.db", "begin", LedgerError),
        ("ledger.db", "record", LedgerError),
    ],
)
def test_a_locked_database_stops_a_delivery_that_the_next_run_finishes(
    tmp_path: Path, database: str, step: str, error: type[ReadinessError], place: int
) -> None:
    if step != "replace" and place == 3:
        pytest.skip("a delivery begins twice and is recorded twice")
    land(tmp_path / "landing", "day_1", *ONE_BAD)
    settings = impatient(tmp_path)
    Installation.open(settings)
    others: list[sqlite3.Connection] = []
    with (
        struck(step, place, "before", lambda: others.append(lock(tmp_path / "warehouse" / database))),
        pytest.raises(error) as refused,
    ):
        deliver_with(settings)
    assert refused.value.way_out
    others[0].close()
    deliver_with(settings)
    installation = Installation.open(settings)
    assert reconcile([SHOP], installation=installation).problems == ()
    (record,) = installation.ledger.batches(tables=[TableId("shop", "orders")])
    assert (record.counts.published, record.counts.quarantined) == (3, 1)


def with_small_files(folder: Path, most_bytes: int) -> None:
    """Work on a disk that takes no file larger than that."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    try:
        work(folder, "deliver")
    except ReadinessError as error:
        raise SystemExit(7 if error.way_out else 8) from error


@pytest.mark.parametrize(
    "most_bytes", [1_000, 20_000, 60_000, 150_000], ids=["nothing fits", "no rows fit", "small ones fit", "most fit"]
)
def test_a_full_disk_stops_a_delivery_that_the_next_run_finishes(tmp_path: Path, most_bytes: int) -> None:
    good = [f"{number},{number * 0.37},paid,{number * 2_654_435_761 % 2**64:x}" for number in range(40_000)]
    land(tmp_path / "landing", "day_1", *good, "50000,-1,paid,a")
    Installation.open(settings_in(tmp_path))
    victim = WORKERS.Process(target=with_small_files, args=(tmp_path, most_bytes))
    victim.start()
    victim.join(LONGEST_SECONDS)
    assert victim.exitcode == 7
    work(tmp_path, "deliver")
    installation = Installation.open(settings_in(tmp_path))
    assert reconcile([SHOP], installation=installation).problems == ()
    (record,) = installation.ledger.batches(tables=[TableId("shop", "orders")])
    assert (record.counts.published, record.counts.quarantined) == (40_000, 1)


def with_a_full_disk_at(folder: Path, place: int) -> None:
    """Work on a disk that is full when the n-th commit begins."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    try:
        with struck("replace", place, "before", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1, unlimited))):
            work(folder, "deliver")
    except ReadinessError as error:
        raise SystemExit(7 if error.way_out else 8) from error


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_disk_that_is_full_at_a_commit_is_an_error_with_a_way_out(tmp_path: Path, place: int) -> None:
    land(tmp_path / "landing", "day_1", *ONE_BAD)
    victim = WORKERS.Process(target=with_a_full_disk_at, args=(tmp_path, place))
    victim.start()
    victim.join(LONGEST_SECONDS)
    assert victim.exitcode == 7
    work(tmp_path, "deliver")
    assert reconcile([SHOP], installation=Installation.open(settings_in(tmp_path))).problems == ()


def test_a_lost_ledger_is_found_and_made_again_from_what_landed(tmp_path: Path) -> None:
    land(tmp_path / "landing", "day_1", *ONE_BAD)
    settings = impatient(tmp_path)
    deliver_with(settings)
    before = rows_of(tmp_path)
    for file in (tmp_path / "warehouse").glob("ledger.db*"):
        file.unlink()
    installation = Installation.open(settings)
    seen = reconcile([SHOP], installation=installation)
    assert any("the ledger does not know" in problem.what for problem in seen.problems)
    repair([SHOP], seen, installation=installation, run=RUN)
    assert reconcile([SHOP], installation=installation).problems == ()
    after = rows_of(tmp_path)
    assert {table: after[table] for table in before} == before


def test_a_ledger_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    settings = impatient(tmp_path)
    (tmp_path / "warehouse" / "ledger.db").write_bytes(b"not a database" * 1_000)
    with pytest.raises(LedgerError, match=r"ledger\.db.*not a database"):
        Installation.open(settings)


def test_a_catalog_that_is_gone_is_an_error_and_no_new_beginning(tmp_path: Path) -> None:
    land(tmp_path / "landing", "day_1", *ONE_BAD)
    settings = impatient(tmp_path)
    deliver_with(settings)
    (tmp_path / "elsewhere").mkdir()
    for file in (tmp_path / "warehouse").glob("readiness.db*"):
        shutil.move(file, tmp_path / "elsewhere" / file.name)
    land(tmp_path / "landing", "day_2", *ONE_BAD)
    for batch in ("day_1", "day_2"):
        with pytest.raises(LakehouseError, match="catalog"):
            deliver_with(settings, batch)
    for file in (tmp_path / "warehouse").glob("readiness.db*"):
        file.unlink()
    for file in (tmp_path / "elsewhere").iterdir():
        shutil.move(file, tmp_path / "warehouse" / file.name)
    deliver_with(settings)
    assert reconcile([SHOP], installation=Installation.open(settings)).problems == ()
