"""The doors of an installation: what people and programs call, each with the state that it needs."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from readiness_pipelines.alerts import AlertSettings, watch
from readiness_pipelines.contracts import Kpi
from readiness_pipelines.decisions import Correction, Discarding
from readiness_pipelines.delivery import (
    Level,
    Selection,
    audit,
    decide,
    deliver,
    do_work,
    due_work,
    evaluate,
    ingest,
    kpi_values,
    maintain,
    plan_replay,
    reconcile,
    repair,
    replay_batch,
)
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import history, observe, quarantine_rows, status, waiting_batches
from readiness_pipelines.reports.facts import gather
from readiness_pipelines.reports.page import html_page, markdown_page
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.faults.domains import chained_shop
from readiness_pipelines_tests.samples import ONE_BAD, gated, land

SHOP = chained_shop()
ORDERS = gated(SHOP)
RUN = Run(run_id="door", who="ann")
DOMAINS = "readiness_pipelines_tests.faults.door_list:SHOP"


class CrashedError(Exception):
    """A command that ended in a traceback, or with an error and no words."""


@dataclass(frozen=True, slots=True)
class Door:
    """One door.

    Attributes:
        enter: What is done, in the installation of a folder.
        writes: Whether it changes anything.
    """

    enter: Callable[[Path], object]
    writes: bool = False


def prepare(folder: Path) -> None:
    """An installation with a batch that was delivered and decided about, and one that landed."""
    land(folder / "landing", "day_1", *ONE_BAD)
    installation = Installation.open(settings_in(folder))
    _work(installation)
    decide(
        ORDERS,
        Correction(column="amount", expression="'25'", where="order_id = '2'"),
        batch="day_1",
        why="known",
        installation=installation,
        run=RUN,
    )
    land(folder / "landing", "day_2", *ONE_BAD)


def _work(installation: Installation) -> None:
    while works := due_work([SHOP], installation=installation, now=RUN.clock()):
        for work in works:
            do_work(work, installation=installation, run=RUN)


def _deliver(installation: Installation) -> None:
    ingest(ORDERS, batch="day_2", installation=installation, run=RUN)
    deliver(ORDERS, batch="day_2", installation=installation, run=RUN)


def _withdraw(installation: Installation) -> None:
    decide(ORDERS, Discarding(), batch="day_1", why="sent twice", installation=installation, run=RUN)
    replay_batch(ORDERS, batch="day_1", installation=installation, run=RUN)


def _repair(installation: Installation) -> None:
    repair([SHOP], reconcile([SHOP], installation=installation), installation=installation, run=RUN)


def _report(installation: Installation) -> None:
    facts = gather(SHOP, installation=installation, now=RUN.clock())
    html_page(facts), markdown_page(facts)


def _kpis(installation: Installation) -> None:
    for table in SHOP.tables:
        if isinstance(table, Kpi):
            kpi_values(table, installation=installation)


def _evaluate(installation: Installation) -> None:
    """What judging the batches again would do; their gate is the same, so a plan has nothing to evaluate."""
    refs = [record.ref for record in installation.ledger.batches(tables=[ORDERS.id])]
    evaluate(SHOP.tables, refs, [], installation=installation, run=RUN)


def _maintain(installation: Installation) -> None:
    later = datetime.now(UTC) + timedelta(days=60)
    maintain(installation, now=later, orphan_age=timedelta(0), most_snapshots=1)


def _opened(act: Callable[[Installation], object], *, writes: bool = False) -> Door:
    return Door(lambda folder: act(Installation.open(settings_in(folder))), writes)


def _command(*words: str, writes: bool = False) -> Door:
    def enter(folder: Path) -> None:
        from readiness_pipelines.cli.main import app  # noqa: PLC0415  # only the commands need it

        settings = settings_in(folder)
        variables: Mapping[str, str] = {
            "READINESS_LANDING": settings.landing,
            "READINESS_WAREHOUSE": settings.warehouse,
            "READINESS_CATALOG_URL": settings.catalog_url,
            "READINESS_S3_ENDPOINT": settings.s3_endpoint,
            "READINESS_S3_REGION": settings.s3_region,
            "READINESS_DOMAINS": DOMAINS,
            "DAGSTER_HOME": "",
        }
        before = Path.cwd()
        os.chdir(folder)
        try:
            result = CliRunner().invoke(app, list(words), env=variables)
        finally:
            os.chdir(before)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if result.exit_code not in (0, 1, 2) or "Traceback" in result.output:
            raise CrashedError(f"exit {result.exit_code}: {result.output[-300:]}")

    return Door(enter, writes)


def _reconcile(level: Level) -> Door:
    return _opened(lambda opened: reconcile([SHOP], installation=opened, level=level))


DOORS: Mapping[str, Door] = {
    "open": _opened(lambda opened: opened),
    "work": _opened(_work, writes=True),
    "deliver": _opened(_deliver, writes=True),
    "replay": _opened(lambda opened: replay_batch(ORDERS, batch="day_1", installation=opened, run=RUN), writes=True),
    "plan": _opened(lambda opened: plan_replay([ORDERS], Selection(), installation=opened, run=RUN, evaluate=True)),
    "decide": _opened(
        lambda opened: decide(
            ORDERS, Discarding(where="_row = 1"), batch="day_1", why="test", installation=opened, run=RUN
        ),
        writes=True,
    ),
    "withdraw": _opened(_withdraw, writes=True),
    "reconcile": _reconcile(Level.ROWS),
    "reconcile files": _reconcile(Level.FILES),
    "reconcile ledger": _reconcile(Level.LEDGER),
    "repair": _opened(_repair, writes=True),
    "maintain": _opened(_maintain, writes=True),
    "audit": _opened(lambda opened: audit(installation=opened)),
    "status": _opened(lambda opened: status(SHOP, installation=opened)),
    "history": _opened(lambda opened: history(ORDERS, batch="day_1", installation=opened)),
    "waiting": _opened(lambda opened: waiting_batches(SHOP.tables, installation=opened)),
    "quarantine": _opened(
        lambda opened: quarantine_rows(ORDERS, batch="day_1", rule=None, limit=None, installation=opened)
    ),
    "observe": _opened(lambda opened: observe(SHOP.tables, installation=opened, now=RUN.clock(), watched={})),
    "watch": _opened(lambda opened: watch([SHOP], AlertSettings(), installation=opened, clock=RUN.clock), writes=True),
    "kpis": _opened(_kpis),
    "report": _opened(_report),
    "readiness run": _command("run", writes=True),
    "readiness check": _command("check"),
    "readiness status": _command("status"),
    "readiness doctor": _command("doctor"),
    "readiness reconcile": _command("reconcile"),
    "readiness audit verify": _command("audit", "verify"),
    "readiness quarantine list": _command("quarantine", "list"),
    "readiness quarantine show": _command("quarantine", "show", "--batch", "day_1"),
    "readiness quarantine rows": _command("quarantine", "rows", "--batch", "day_1"),
    "readiness plan": _command("plan"),
    "readiness plan evaluate": _command("plan", "--evaluate"),
    "evaluate": _opened(_evaluate),
    "readiness history": _command("history", "--batch", "day_1"),
    "readiness replay": _command("replay", "--batch", "day_1", "--dry-run"),
    "readiness maintain": _command("maintain", writes=True),
    "readiness watch": _command("watch", writes=True),
    "readiness report": _command("report"),
    "readiness open": _command("open", "orders", "--batch", "day_1", "--no-browser"),
    "readiness incidents list": _command("incidents", "list"),
    "readiness domain show": _command("domain", "show"),
    "readiness domain diff": _command("domain", "diff"),
    "readiness schema": _command("schema", "show"),
    "readiness migrate": _command("migrate", writes=True),
    "readiness quarantine discard": _command(
        "quarantine", "discard", "--batch", "day_1", "--where", "_row = 1", "--reason", "test", writes=True
    ),
}
"""By name."""


def reconciled(folder: Path) -> tuple[Any, ...]:
    """What does not add up in a folder's installation."""
    return reconcile([SHOP], installation=Installation.open(settings_in(folder))).problems
