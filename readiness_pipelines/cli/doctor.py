"""`readiness doctor`: whether everything that a delivery needs is there, and what to do where it is not."""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from readiness_pipelines.alerts import load_alerts
from readiness_pipelines.cli.output import BROKEN_EXIT, OUT, AsJson, errors_for_people, print_json
from readiness_pipelines.cli.paths import load_paths
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.errors import DeclarationError, ReadinessError
from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.quarantine import Ledger
from readiness_pipelines.settings import Settings

ENGINES = ("dagster", "dagster-webserver", "dagster-postgres", "pandera", "pyiceberg", "pyarrow", "duckdb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One thing that was looked at: whether it is well, what it is, and what to do where it is not."""

    what: str
    ok: bool
    told: str
    way_out: str = ""


def run_doctor(
    as_json: AsJson = False,
    instance: Annotated[bool, typer.Option("--instance", help="Also open Dagster's own storage.")] = False,
) -> None:
    """Check every connection, folder, version and declaration. The exit code is 1 where something is wrong."""
    with errors_for_people():
        found = list(_examined(instance=instance))
        if as_json:
            print_json([asdict(one) for one in found])
        else:
            OUT.print(_table(found))
            wrong = [one for one in found if not one.ok]
            OUT.print(f"{len(wrong)} of {len(found)} are not well" if wrong else "everything is well")
    if not all(one.ok for one in found):
        raise typer.Exit(BROKEN_EXIT)


def _examined(*, instance: bool) -> Iterator[Examined]:
    try:
        settings = Settings()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        yield Examined(what="settings", ok=False, told=problems, way_out="see docs/settings.md")
        return
    yield _versions()
    yield _look("landing", lambda: _landing(settings.landing))
    yield _look("warehouse", lambda: _warehouse(settings.warehouse))
    yield _look("catalog", lambda: _catalog(settings))
    yield _look("ledger", lambda: _ledger(settings))
    yield _look("alerts", lambda: _alerts(settings))
    yield _look("paths", lambda: _paths(settings))
    if instance:
        yield _look("Dagster's storage", _instance)


def _look(what: str, examine: Callable[[], str]) -> Examined:
    try:
        return Examined(what=what, ok=True, told=examine())
    except ReadinessError as error:
        return Examined(what=what, ok=False, told=error.what, way_out=error.way_out or "")


def _versions() -> Examined:
    there, missing = [], []
    for name in ENGINES:
        try:
            there.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    told = ", ".join(there) + (f"; missing: {', '.join(missing)}" if missing else "")
    return Examined(
        what="packages", ok=not missing, told=told, way_out="pip install readiness-pipelines" if missing else ""
    )


def _landing(folder: Path) -> str:
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        raise DeclarationError(
            f"{folder} is no folder that can be read", way_out=f"mkdir -p {folder}, or set READINESS_LANDING"
        )
    return f"{folder} can be read"


def _warehouse(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-"):
            pass
    except OSError as error:
        raise DeclarationError(
            f"{folder} cannot be written to: {error.strerror}", way_out="give permission, or set READINESS_WAREHOUSE"
        ) from error
    return f"{folder} can be written to"


def _catalog(settings: Settings) -> str:
    tables = Lakehouse.open(catalog_url=settings.catalog_url, warehouse=str(settings.warehouse)).tables()
    return f"{_kind(settings.catalog_url)} answers; {len(tables)} tables"


def _ledger(settings: Settings) -> str:
    attempts = Ledger.open(settings.ledger_url).open_attempts()
    return f"{_kind(settings.ledger_url)} answers; {len(attempts)} deliveries under way"


def _alerts(settings: Settings) -> str:
    alerts = load_alerts(settings.config)
    for channel in alerts.channels:
        channel.url()
    if not alerts.rules:
        return f"nobody is told: {settings.config} has no rule"
    return f"{len(alerts.rules)} rules, {len(alerts.channels)} channels with addresses"


def _paths(settings: Settings) -> str:
    paths = load_paths(settings)
    rules = sum(len(gate_of(path, table).rules) for path in paths.values() for table in path.tables)
    return f"{', '.join(paths)}: {rules} rules"


def _instance() -> str:
    import dagster as dg  # noqa: PLC0415  # a second to import, and only asked for here

    try:
        with dg.DagsterInstance.get() as opened:
            runs = opened.get_runs_count()
    except Exception as error:  # whatever a storage raises, it cannot be used
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DeclarationError(
            f"Dagster's storage cannot be used: {first}", way_out="check DAGSTER_HOME and the dagster.yaml in it"
        ) from error
    return f"{runs} runs"


def _kind(url: str) -> str:
    return "Postgres" if url.startswith("postgres") else "SQLite"


def _table(found: list[Examined]) -> Table:
    table = Table(title="readiness doctor", title_justify="left")
    for column in ("", "what", "found", "way out"):
        table.add_column(column, overflow="fold")
    for one in found:
        mark = Text("ok", style="green") if one.ok else Text("wrong", style="bold red")
        table.add_row(mark, one.what, Text(one.told), Text(one.way_out))
    return table
