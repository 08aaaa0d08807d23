"""Postgres restarts in the middle of a delivery: the next run finishes what was under way, and nothing is lost."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.delivery import deliver, ingest, reconcile
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.databases import restart_postgres, use_database
from readiness_pipelines_tests.faults.crashes import struck
from readiness_pipelines_tests.samples import ONE_BAD, land, order_domain
from readiness_pipelines_tests.shown import shown

pytestmark = pytest.mark.slow

SHOP = order_domain()
TABLES = ("shop_raw.orders", "shop.orders", "shop_quarantine.orders", "shop.paid", "shop.refund_rate")
POINTS = [
    *(("replace", place, "before") for place in (1, 3)),
    *(("replace", place, "after") for place in (2, 4)),
    *(("record", 2, when) for when in ("before", "after")),
    ("begin", 2, "after"),
]


def run_all(installation: Installation) -> None:
    orders: Any = SHOP.table("orders")
    run = Run(run_id="r1", who="me")
    ingest(orders, batch="day_1", installation=installation, run=run)
    for table in SHOP.tables:
        deliver(table, batch="day_1", installation=installation, run=run)
    deliver(SHOP.table("refund_rate"), batch="day_1", installation=installation, run=run)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("undisturbed")
    land(folder / "landing", "day_1", *ONE_BAD)
    installation = Installation.open(settings_in(folder))
    run_all(installation)
    return shown(installation, *TABLES)


@pytest.mark.parametrize(("step", "place", "when"), POINTS)
def test_a_restart_loses_nothing(tmp_path: Path, undisturbed: Any, step: str, place: int, when: str) -> None:
    use_database("postgres", tmp_path)
    land(tmp_path / "landing", "day_1", *ONE_BAD)
    installation = Installation.open(settings_in(tmp_path))
    restarts: list[str] = []

    def restart() -> None:
        restart_postgres()
        restarts.append(step)

    with struck(step, place, when, restart), suppress(ReadinessError):
        run_all(installation)
    assert restarts == [step], "the point was reached"
    run_all(installation)  # the same process: its connections are found broken and made anew
    assert shown(installation, *TABLES) == undisturbed
    assert reconcile([SHOP], installation=installation).problems == ()
    assert installation.ledger.open_attempts() == ()
