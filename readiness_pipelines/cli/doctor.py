"""`readiness doctor`: whether everything that a delivery needs is there, and what to do where it is not."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated
from uuid import uuid4

import typer
from rich.table import Table
from rich.text import Text

from readiness_pipelines.alerts import load_alerts
from readiness_pipelines.cli.erasures import open_erasures
from readiness_pipelines.cli.output import (
    BROKEN_EXIT,
    OUT,
    AsJson,
    count_of,
    errors_for_people,
    print_json,
    reachable,
    say,
)
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.contracts import Domain, GatedTable
from readiness_pipelines.delivery import engine_of, gate_of
from readiness_pipelines.delivery.attempts import home_of
from readiness_pipelines.delivery.erasure.matching import check_key
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import DeclarationError, ReadinessError, first_line
from readiness_pipelines.installation import Installation, lakehouse_of, utc_now
from readiness_pipelines.keys import key_id
from readiness_pipelines.lakehouse import WAY_OUT_OF_OTHER_TYPES
from readiness_pipelines.ledger import ErasureState, Ledger
from readiness_pipelines.ledger.claims import check_home
from readiness_pipelines.overview import refused_types
from readiness_pipelines.register_key import RegisterKey
from readiness_pipelines.settings import Settings
from readiness_pipelines.sources import PostgresChanges
from readiness_pipelines.storage import Place
from readiness_pipelines.streaming import SlotMessages

PACKAGES = ("dagster", "dagster-webserver", "dagster-postgres", "pandera", "pyiceberg", "pyarrow", "duckdb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One thing that was looked at: whether it is well, what it is, and what to do where it is not."""

    what: str
    ok: bool
    detail: str
    way_out: str = ""


def run_doctor(
    as_json: AsJson = False,
    instance: Annotated[bool, typer.Option("--instance", help="Also open Dagster's own storage.")] = False,
) -> None:
    """Check every connection, folder, version, name and declaration. The exit code is 1 where something is wrong."""
    with errors_for_people():
        found = list(_examine(instance=instance))
        if as_json:
            print_json([asdict(one) for one in found])
        else:
            OUT.print(_table(found))
            wrong = [one for one in found if not one.ok]
            say(f"{len(wrong)} of {len(found)} are not well" if wrong else "everything is well")
    if not all(one.ok for one in found):
        raise typer.Exit(BROKEN_EXIT)


def _examine(*, instance: bool) -> Iterator[Examined]:
    try:
        settings = Settings()
    except ReadinessError as error:
        yield Examined(what="settings", ok=False, detail=error.what, way_out=error.way_out)
        return
    yield _versions()
    yield _look("landing", lambda: _landing(settings.landing_place))
    yield _look("warehouse", lambda: _warehouse(settings.warehouse_place))
    if (restricted := settings.restricted_place) is not None:
        yield _look("restricted", lambda: _warehouse(restricted))
    if settings.keys:
        yield _look("keys", lambda: ", ".join(f"{name} {key_id(settings.key(name))}" for name in settings.keys))
    yield _look("catalog", lambda: _catalog(settings))
    yield (ledger := _look("ledger", lambda: _ledger(settings)))
    yield _look("alerts", lambda: _alerts(settings))
    try:
        domains = load_domains(settings)
    except ReadinessError as error:
        yield Examined(what="domains", ok=False, detail=error.what, way_out=error.way_out)
        domains = ()
    else:
        yield _look("domains", lambda: _gates(domains, settings))
        if ledger.ok:
            yield _look("names", lambda: _names(domains, settings))
            yield _look("erasures", lambda: _erasures(settings))
            if settings.openlineage:
                yield _look("OpenLineage", lambda: _receivers(settings))
            yield _look("types", lambda: _types(domains, settings))
        if connections := _connections(domains):
            yield _look("connections", lambda: _addresses(connections, settings))
        for table in _replicated(domains):
            yield _look(f"changes of {table.id}", partial(_replication, table, settings))
    if _spark_judges(domains, settings):
        yield _look("Spark", lambda: _spark(settings))
    if instance:
        yield _look("Dagster's storage", _instance)


def _look(what: str, examine: Callable[[], str]) -> Examined:
    try:
        return Examined(what=what, ok=True, detail=examine())
    except ReadinessError as error:
        return Examined(what=what, ok=False, detail=error.what, way_out=error.way_out or "")


def _versions() -> Examined:
    there, missing = [], []
    for name in PACKAGES:
        try:
            there.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    detail = ", ".join(there) + (f"; missing: {', '.join(missing)}" if missing else "")
    return Examined(
        what="packages", ok=not missing, detail=detail, way_out="pip install readiness-pipelines" if missing else ""
    )


def _landing(place: Place) -> str:
    if place.is_local and not place.path.is_dir():
        raise DeclarationError(f"{place} is not a folder", way_out=f"mkdir -p {place}, or set READINESS_LANDING")
    if place.is_local and not os.access(place.path, os.R_OK | os.X_OK):
        raise DeclarationError(f"{place} cannot be read", way_out=_way_out(place))
    try:
        next(place.files(), None)
    except OSError as error:
        raise DeclarationError(f"{place} cannot be listed: {first_line(error)}", way_out=_way_out(place)) from error
    return f"{place} can be read"


def _warehouse(place: Place) -> str:
    probe = f".doctor-{uuid4().hex}"
    try:
        place.make()
        place.write(probe, b"")
        place.remove(probe)
    except OSError as error:
        raise DeclarationError(f"{place} cannot be written to: {first_line(error)}", way_out=_way_out(place)) from error
    driver = "" if place.is_local else "; DuckDB reaches it through Arrow's driver, not through its extension httpfs"
    return f"{place} can be written to{driver}"


def _way_out(place: Place) -> str:
    if place.is_local:
        return "give permission, or set another folder"
    return "check the bucket, READINESS_S3_ENDPOINT, READINESS_S3_REGION and the credentials (AWS_PROFILE, AWS_…)"


def _catalog(settings: Settings) -> str:
    tables = lakehouse_of(settings).tables()
    return f"{_kind(settings.catalog_url)} answers; {count_of(len(tables), 'table')}"


def _ledger(settings: Settings) -> str:
    ledger = Ledger.open(settings.ledger_url)
    return f"{ledger.server} answers; {len(ledger.open_attempts())} deliveries under way"


def _alerts(settings: Settings) -> str:
    alerts = load_alerts(settings.config)
    for channel in alerts.channels:
        channel.url()
    if not alerts.rules:
        return f"no alerts are sent: {settings.config} has no rule"
    return f"{count_of(len(alerts.rules), 'rule')}, {count_of(len(alerts.channels), 'channel')} with addresses"


def _gates(domains: tuple[Domain, ...], settings: Settings) -> str:
    detail = []
    for domain in domains:
        rules = sum(len(gate_of(table, default_engine=settings.engine).rules) for table in domain.tables)
        detail.append(f"{domain.name}: {count_of(len(domain.tables), 'table')}, {count_of(rules, 'rule')}")
    return "; ".join(detail)


def _names(domains: tuple[Domain, ...], settings: Settings) -> str:
    """Whether each table's name belongs to its declaration in this code.

    Raises:
        DeclarationError: Another declaration has delivered a table of the name; names all such tables.
    """
    claims = Ledger.open(settings.ledger_url).claims()
    taken: list[DeclarationError] = []
    tables = [table for domain in domains for table in domain.tables]
    for table in tables:
        if (known := claims.get(table.id)) is not None:
            try:
                check_home(table.id, known, home_of(table))
            except DeclarationError as error:
                taken.append(error)
    if taken:
        raise DeclarationError("; ".join(one.what for one in taken), way_out=taken[0].way_out)
    return f"{len(tables)} names, {sum(table.id in claims for table in tables)} of them delivered from here"


def _erasures(settings: Settings) -> str:
    """Whether persons who asked for it are erased, and whether the register's key is there.

    Raises:
        ErasureOpenError: A request is not done.
        RegisterKeyError: The key is not there, or is another one.
    """
    ledger = Ledger.open(settings.ledger_url)
    if left := ledger.erasures.requests(state=ErasureState.OPEN):
        raise open_erasures(left)
    if not (register := ledger.erasures.register()):
        return "nobody was erased"
    check_key(register, RegisterKey(said=settings.register_key, ledger=ledger.file).read())
    done = ledger.erasures.requests()
    kept = [one for one in done if (one.certificate or {}).get("accepted")]
    numbers = ", ".join(str(one.id) for one in kept)
    of_which = f", with a remainder that somebody accepted: {numbers}" if kept else ""
    return f"{len(done)} requests are done{of_which}; the register's key is there"


def _receivers(settings: Settings) -> str:
    """Whether those who are sent events take them.

    Raises:
        DeclarationError: An address that is none, or one that takes nothing, or refused events.
    """
    from readiness_pipelines.openlineage import receivers_of  # noqa: PLC0415  # a parser of SQL: where it is set

    book, wrong = Ledger.open(settings.ledger_url).receivers, []
    names = [one.name for one in receivers_of(settings)]
    for name in names:
        if error := book.state(name, at=utc_now()).error:
            wrong.append(f"{name} takes nothing: {error}")
        if refused := book.refused(name):
            wrong.append(f"{name} refused {count_of(len(refused), 'event')}, the last for: {refused[-1].error}")
    if wrong:
        raise DeclarationError("; ".join(wrong), way_out="readiness lineage send --refused, or check its address")
    return f"{', '.join(names)} took what was sent"


def _types(domains: tuple[Domain, ...], settings: Settings) -> str:
    """Whether each table can hold the columns that the code has.

    Raises:
        DeclarationError: A type that the table's own cannot become; names all such columns.
    """
    installation = Installation.open(settings)
    tables = [table for domain in domains for table in domain.tables]
    refused = [
        f"{table.id} has {one.column} as {one.there}, not {one.given}"
        for table in tables
        for one in refused_types(table, installation=installation)
    ]
    if refused:
        raise DeclarationError("; ".join(refused), way_out=WAY_OUT_OF_OTHER_TYPES)
    return f"{count_of(len(tables), 'table')} can hold what the code declares"


def _connections(domains: tuple[Domain, ...]) -> dict[str, list[str]]:
    """The tables by the name of the connection that their source needs."""
    found: dict[str, list[str]] = {}
    for table in (table for domain in domains for table in domain.tables if isinstance(table, GatedTable)):
        if isinstance(name := getattr(table.source.reader, "connection", None), str):
            found.setdefault(name, []).append(str(table.id))
    return found


def _addresses(connections: dict[str, list[str]], settings: Settings) -> str:
    for name, tables in connections.items():
        try:
            settings.connection(name)
        except ReadinessError as error:
            raise DeclarationError(f"{', '.join(tables)}: {error.what}", way_out=error.way_out) from error
    return ", ".join(f"{name} for {', '.join(tables)}" for name, tables in connections.items())


def _replicated(domains: tuple[Domain, ...]) -> list[GatedTable]:
    """The tables whose changes come from a Postgres server."""
    tables = [table for domain in domains for table in domain.tables if isinstance(table, GatedTable)]
    return [table for table in tables if isinstance(table.source.reader, PostgresChanges)]


def _replication(table: GatedTable, settings: Settings) -> str:
    reader = table.source.reader
    assert isinstance(reader, PostgresChanges)  # noqa: S101  # `_replicated` gives no others
    with closing(SlotMessages(reader, settings.connection(reader.connection))) as messages:
        messages.partitions()
    return f"{reader.describe()}, publication {reader.publication}"


def _spark_judges(domains: tuple[Domain, ...], settings: Settings) -> bool:
    if not domains:
        return settings.engine == "spark"
    return any(engine_of(table, settings.engine) == "spark" for domain in domains for table in domain.tables)


def _spark(settings: Settings) -> str:
    from readiness_pipelines.engines.spark.session import examine  # noqa: PLC0415  # an extra that few install

    return examine(settings.spark_url)


def _instance() -> str:
    import dagster as dg  # noqa: PLC0415  # a second to import, and only asked for here

    try:
        with dg.DagsterInstance.get() as opened:
            runs = opened.get_runs_count()
    except Exception as error:  # whatever a storage raises, it cannot be used
        raise DeclarationError(
            f"Dagster's storage cannot be used: {first_line(error)}",
            way_out="check DAGSTER_HOME and the dagster.yaml in it",
        ) from error
    return f"{runs} runs"


def _kind(url: str) -> str:
    if url.startswith("http"):
        return "the REST server"
    return "Postgres" if url.startswith("postgres") else "SQLite"


def _table(found: list[Examined]) -> Table:
    table = plain_table("readiness doctor", lines=True)
    for column in ("", "what", "found", "way out"):
        table.add_column(column, overflow="fold")
    for one in found:
        mark = Text("ok", style="green") if one.ok else Text("wrong", style="bold red")
        table.add_row(mark, Text(one.what), Text(one.detail), Text(reachable(one.way_out)))
    return table
