"""`readiness doctor`: whether everything that a delivery needs is there, and what to do where it is not."""

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated
from uuid import uuid4

import typer
from rich.table import Table
from rich.text import Text

from readiness_pipelines.alerts import load_alerts
from readiness_pipelines.cli.output import BROKEN_EXIT, OUT, AsJson, errors_for_people, print_json
from readiness_pipelines.cli.paths import load_paths
from readiness_pipelines.delivery import engine_of, examined_spark, gate_of
from readiness_pipelines.errors import DeclarationError, ReadinessError
from readiness_pipelines.installation import lakehouse_of
from readiness_pipelines.ledger import Ledger
from readiness_pipelines.settings import Settings
from readiness_pipelines.storage import Place

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
    except DeclarationError as error:
        yield Examined(what="settings", ok=False, told=error.what, way_out=error.way_out)
        return
    yield _versions()
    yield _look("landing", lambda: _landing(settings.landing_place))
    yield _look("warehouse", lambda: _warehouse(settings.warehouse_place))
    yield _look("catalog", lambda: _catalog(settings))
    yield _look("ledger", lambda: _ledger(settings))
    yield _look("alerts", lambda: _alerts(settings))
    yield _look("paths", lambda: _paths(settings))
    if _spark_judges(settings):
        yield _look("Spark", lambda: examined_spark(settings.spark_url))
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


def _landing(place: Place) -> str:
    if place.is_local and not (place.path.is_dir() and os.access(place.path, os.R_OK | os.X_OK)):
        raise DeclarationError(
            f"{place} is no folder that can be read", way_out=f"mkdir -p {place}, or set READINESS_LANDING"
        )
    try:
        next(place.files(), None)
    except OSError as error:
        raise DeclarationError(f"{place} cannot be listed: {_first_line(error)}", way_out=_way_out(place)) from error
    return f"{place} can be read"


def _warehouse(place: Place) -> str:
    probe = f".doctor-{uuid4().hex}"
    try:
        place.make()
        place.write(probe, b"")
        place.remove(probe)
    except OSError as error:
        raise DeclarationError(
            f"{place} cannot be written to: {_first_line(error)}", way_out=_way_out(place)
        ) from error
    driver = "" if place.is_local else "; DuckDB reaches it through Arrow's driver, not through its extension httpfs"
    return f"{place} can be written to{driver}"


def _way_out(place: Place) -> str:
    if place.is_local:
        return "give permission, or set another folder"
    return "check the bucket, READINESS_S3_ENDPOINT, READINESS_S3_REGION and the credentials (AWS_PROFILE, AWS_…)"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _catalog(settings: Settings) -> str:
    tables = lakehouse_of(settings).tables()
    return f"{_kind(settings.catalog_url)} answers; {len(tables)} tables"


def _ledger(settings: Settings) -> str:
    ledger = Ledger.open(settings.ledger_url)
    return f"{ledger.server} answers; {len(ledger.open_attempts())} deliveries under way"


def _alerts(settings: Settings) -> str:
    alerts = load_alerts(settings.config)
    for channel in alerts.channels:
        channel.url()
    if not alerts.rules:
        return f"nobody is told: {settings.config} has no rule"
    return f"{len(alerts.rules)} rules, {len(alerts.channels)} channels with addresses"


def _paths(settings: Settings) -> str:
    paths = load_paths(settings)
    gates = [gate_of(p, table, default_engine=settings.engine) for p in paths.values() for table in p.tables]
    rules = sum(len(gate.rules) for gate in gates)
    return f"{', '.join(paths)}: {rules} rules"


def _spark_judges(settings: Settings) -> bool:
    try:
        paths = load_paths(settings).values()
    except ReadinessError:
        return settings.engine == "spark"
    return any(engine_of(path, table, settings.engine) == "spark" for path in paths for table in path.tables)


def _instance() -> str:
    import dagster as dg  # noqa: PLC0415  # a second to import, and only asked for here

    try:
        with dg.DagsterInstance.get() as opened:
            runs = opened.get_runs_count()
    except Exception as error:  # whatever a storage raises, it cannot be used
        raise DeclarationError(
            f"Dagster's storage cannot be used: {_first_line(error)}",
            way_out="check DAGSTER_HOME and the dagster.yaml in it",
        ) from error
    return f"{runs} runs"


def _kind(url: str) -> str:
    if url.startswith("http"):
        return "the REST server"
    return "Postgres" if url.startswith("postgres") else "SQLite"


def _table(found: list[Examined]) -> Table:
    table = Table(title="readiness doctor", title_justify="left")
    for column in ("", "what", "found", "way out"):
        table.add_column(column, overflow="fold")
    for one in found:
        mark = Text("ok", style="green") if one.ok else Text("wrong", style="bold red")
        table.add_row(mark, one.what, Text(one.told), Text(one.way_out))
    return table
