"""A delivery or replay killed at any instant is finished or undone by the next run, and every row is accounted for."""

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.decisions import Correction
from readiness_pipelines.delivery import decide, reconcile, repair
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.faults.domains import outlet, shop_with_totals
from readiness_pipelines_tests.faults.victims import RUN, work, work_until
from readiness_pipelines_tests.samples import MOSTLY_BAD, ONE_BAD, land

SHOP = shop_with_totals()
OUTLET = outlet()
TABLES = (
    "shop.orders",
    "shop_quarantine.orders",
    "shop.paid",
    "shop.refund_rate",
    "shop.totals",
    "outlet.orders",
    "outlet_quarantine.orders",
)
RANDOM_KILLS = int(os.environ.get("RANDOM_KILLS", "6"))
"""Set the variable to kill more often than CI does; `make soak` kills for as long as asked."""
WORKERS = multiprocessing.get_context("forkserver")
WORKERS.set_forkserver_preload(["readiness_pipelines_tests.faults.victims"])

pytestmark = pytest.mark.slow

# Before a step begins is after the last one was recorded; after rows are staged is before they are committed.
POINTS = [
    *(("deliver", "begin", place, "after") for place in (1, 2)),
    *(("deliver", "stage", place, "before") for place in (1, 2, 3)),
    *(("deliver", "replace", place, when) for place in (1, 2, 3) for when in ("before", "after")),
    *(("deliver", "record", place, when) for place in (1, 2) for when in ("before", "after")),
    *(("replay", "begin", place, "after") for place in (1, 2, 3, 4)),
    *(("replay", "stage", place, "before") for place in (1, 2, 4, 5)),
    *(("replay", "replace", place, when) for place in (1, 2, 3, 4, 5) for when in ("before", "after")),
    *(("replay", "record", place, when) for place in (1, 2, 3, 4) for when in ("before", "after")),
]


def prepared(folder: Path, action: str) -> None:
    """For a delivery, a batch that landed; for a replay, one that was delivered in part, and corrected."""
    folder.mkdir()
    land(folder / "landing", "day_1", *ONE_BAD)
    others = folder / "landing" / "outlet" / "day_1.csv"
    others.parent.mkdir()
    others.write_text("order_id,amount,status,note\n7,70,paid,o\n8,-8,paid,o\n")
    run_domains(OUTLET, installation=Installation.open(settings_in(folder)))
    if action == "replay":
        work(folder, "deliver")
        work(folder, "replay")
        installation = Installation.open(settings_in(folder))
        correction = Correction(column="amount", expression="'20'", where="_row = 1")
        orders: Any = SHOP.table("orders")
        decide(orders, correction, batch="day_1", why="sign", installation=installation, run=RUN)


Untouched = Callable[[str], dict[str, list[tuple[Any, ...]]]]


def rows_of(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What every table shows, without times and snapshots."""
    installation = Installation.open(settings_in(folder))
    shown = {}
    for name in TABLES:
        table = TableId(*name.split("."))
        if not installation.lakehouse.exists(table):
            continue
        with installation.engine() as engine:
            rows = installation.lakehouse.relation(engine, table).to_arrow_table().to_pylist()
        hidden = {"_quarantined_at", "measured_at", "inputs"}
        shown[name] = sorted(tuple(str(v) for k, v in row.items() if k not in hidden) for row in rows)
    return shown


def recovered(folder: Path, action: str) -> None:
    """What the next run, or `reconcile --repair`, leaves."""
    installation = Installation.open(settings_in(folder))
    seen = reconcile([SHOP, OUTLET], installation=installation)
    repair([SHOP, OUTLET], seen, installation=installation, run=RUN)
    work(folder, action)
    assert reconcile([SHOP, OUTLET], installation=installation).problems == ()
    record = installation.ledger.get(BatchRef(SHOP.table("orders").id, "day_1"))
    assert record is not None
    assert record.counts.accounted


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """What a process finds that is going to be killed: made once, and put in its place again for each."""
    base = tmp_path_factory.mktemp("kills")
    for action in ("deliver", "replay"):
        prepared(base / action, action)
        (base / action).rename(base / f"{action}-before")

    def restored(action: str) -> Path:
        shutil.rmtree(base / action, ignore_errors=True)
        shutil.copytree(base / f"{action}-before", base / action)
        return base / action

    return restored


@pytest.fixture(scope="module")
def untouched(fresh: Callable[[str], Path]) -> Untouched:
    """What a run that was never killed leaves."""
    left = {}
    for action in ("deliver", "replay"):
        folder = fresh(action)
        work(folder, action)
        left[action] = rows_of(folder)
    return left.__getitem__


@pytest.mark.parametrize(("action", "step", "place", "when"), POINTS)
def test_a_process_killed_at_a_step_leaves_nothing_lost_and_nothing_twice(
    fresh: Callable[[str], Path], untouched: Untouched, action: str, step: str, place: int, when: str
) -> None:
    folder = fresh(action)
    victim = WORKERS.Process(target=work_until, args=(folder, action, step, place, when))
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    recovered(folder, action)
    left = rows_of(folder)
    assert {name: left[name] for name in untouched(action)} == untouched(action)


@pytest.mark.parametrize("action", ["deliver", "replay"])
def test_a_process_killed_at_any_instant_leaves_nothing_lost_and_nothing_twice(
    fresh: Callable[[str], Path], untouched: Untouched, action: str
) -> None:
    chance = random.Random(7)
    takes, killed, finished = 60.0, 0, 0
    while killed < RANDOM_KILLS // 2:
        folder = fresh(action)
        started = time.monotonic()
        victim = WORKERS.Process(target=work, args=(folder, action))
        victim.start()
        # The first runs to its end, and says how long that takes once the forkserver stands.
        victim.join(takes if finished == 0 else chance.uniform(0, takes))
        if victim.exitcode is not None:
            takes = min(takes, time.monotonic() - started)
            finished += 1
            assert finished < 2 * RANDOM_KILLS, f"killed {killed} of {RANDOM_KILLS // 2}"
        victim.kill()
        victim.join()
        killed += victim.exitcode == -signal.SIGKILL
        recovered(folder, action)
        left = rows_of(folder)
        assert {name: left[name] for name in untouched(action)} == untouched(action), (killed, finished)


def test_a_held_batch_killed_stays_held(tmp_path: Path) -> None:
    land(tmp_path / "landing", "day_1", *MOSTLY_BAD)
    victim = WORKERS.Process(target=work_until, args=(tmp_path, "deliver", "record", 2, "before"))
    victim.start()
    victim.join(60)
    installation = Installation.open(settings_in(tmp_path))
    work(tmp_path, "deliver")
    assert reconcile([SHOP, OUTLET], installation=installation).problems == ()
    assert "shop.orders" not in rows_of(tmp_path)
