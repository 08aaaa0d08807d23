"""`readiness run`: batches from their source to the products, through Dagster's jobs."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from readiness_pipelines.cli.outdated import say_other_gates
from readiness_pipelines.cli.output import (
    BROKEN_EXIT,
    AsJson,
    count_batches,
    errors_for_people,
    named_error,
    print_json_of,
    say,
    say_next,
    show_error,
)
from readiness_pipelines.cli.planning import all_work, follows, named_work, wanted_tables
from readiness_pipelines.cli.running import RunReport, run_works
from readiness_pipelines.cli.status import show_lanes
from readiness_pipelines.cli.stopping import Stop, signals_end_after_a_batch
from readiness_pipelines.cli.unusual import say_unusual, unusual_of
from readiness_pipelines.cli.words import Chosen, What, find
from readiness_pipelines.commands import quarantine_command, status_command
from readiness_pipelines.contracts import Domain, GatedTable
from readiness_pipelines.delivery import WAITS_AT_MOST, Work, due_work
from readiness_pipelines.errors import BatchNotLandedError, DeclarationError
from readiness_pipelines.installation import Installation
from readiness_pipelines.json_values.status import status_value
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.overview import DomainStatus, batches_by_other_gates, status
from readiness_pipelines.settings import Settings

NOTHING_NEW = (
    "nothing new landed: every batch has a verdict (--all runs them again, --again also reads their files again)"
)


def run(
    what: What = None,
    batch: Annotated[
        list[str] | None, typer.Option(help="A batch to run, also where nothing changed; may be given more than once.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Run every batch that landed, also those that ran before.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="With --batch or --all: read the source once more, also where it is as it was: the declaration of how "
            "it is read was mended (delimiter, encoding, …). What was read from a topic stays.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run batches from their source to the products. Without --batch or --all: what is due.

    A table that is named runs with all that is computed from it. A held batch is not an error: the gate is
    for that. The exit code is 1 only where a batch could not be judged. Ctrl-C ends after the batch under way, a second
    one at once.
    """
    with signals_end_after_a_batch() as stop:
        with errors_for_people():
            settings = Settings()
            chosen = find(what, settings)
            installation = Installation.open(settings)
            if batch and every:
                raise DeclarationError("--batch and --all exclude each other", way_out="give one of them")
            if again and not (batch or every):
                raise DeclarationError(
                    "--again reads once more what was ingested before, and needs to know what",
                    way_out="name it with --batch, or give --all",
                )
            report = _run(
                chosen, batch or [], every=every, again=again, installation=installation, stop=stop, quiet=as_json
            )
            if not (report.ran or report.broken or report.unreachable or stop.asked):
                _check_landed(chosen, installation)
            _report(chosen, report, stop, installation, as_json=as_json)
        if stop.asked:
            raise typer.Exit(stop.exit_code)
        if report.broken or report.unreachable:
            raise typer.Exit(BROKEN_EXIT)


def _run(
    chosen: Chosen,
    batches: list[str],
    *,
    every: bool,
    again: bool,
    installation: Installation,
    stop: Stop,
    quiet: bool,
) -> RunReport:
    report = RunReport()
    wanted = {table.id for table in wanted_tables(chosen)}
    domains = tuple(dict.fromkeys(table.domain for table in wanted_tables(chosen)))

    def more() -> Iterable[Work]:
        report.unsettled.clear()
        due = due_work(
            domains,
            installation=installation,
            now=datetime.now(UTC),
            waits=WAITS_AT_MOST,
            unsettled=report.note_unsettled,
            unreachable=report.note_unreachable,
        )
        for work in due:
            tables = tuple(table for table in work.tables if table.id in wanted)
            mine = Work(lane=work.lane, batch=work.batch, tables=tables, why=work.why, fingerprint=work.fingerprint)
            if tables and (not batches or follows(mine, report.refs, installation=installation)):
                yield mine

    first: list[Work] = []
    if batches:
        first = named_work(chosen, batches, installation=installation)
    elif every:
        first = all_work(chosen, installation=installation)
    run_works(first, more, report, stop, quiet=quiet, again=again)
    return report


def _check_landed(chosen: Chosen, installation: Installation) -> None:
    """Refuse to call it well where nothing is there at all.

    Raises:
        BatchNotLandedError: Nothing landed, and nothing ever did.
    """
    fed = [table for table in chosen.tables if isinstance(table, GatedTable)]
    arrived = {table.id: list(table.source.reader.arrivals(installation.places(table.batches))) for table in fed}
    strange = [
        f"{one.batch!r} of {table.id}" for table in fed for one in arrived[table.id] if not table.batches.has(one.batch)
    ]
    if strange:
        show_error(
            f"what landed is not a batch that is declared: {', '.join(strange[:10])}", "declare it, or rename it"
        )
    if not fed or any(arrived.values()) or installation.ledger.batches(tables=[table.id for table in fed]):
        return
    where = "; ".join(f"{table.id} from {table.source.reader.describe()}" for table in fed)
    raise BatchNotLandedError(
        f"nothing landed: {where}, under {installation.landing}",
        way_out="put files there, or point READINESS_LANDING at them",
    )


def _report(chosen: Chosen, report: RunReport, stop: Stop, installation: Installation, *, as_json: bool) -> None:
    touched = {work.lane.domain.name: work.lane.domain for work in report.ran}
    domains = list(touched.values()) or list(chosen.domains)
    after = {domain.name: status(domain, installation=installation) for domain in domains}
    tables = [table for domain in domains for table in domain.tables]
    older = () if report.broken else batches_by_other_gates(tables, installation=installation)
    unusual = unusual_of(tables, installation=installation)
    if as_json:
        values = {domain.name: status_value(after[domain.name], older, unusual=unusual) for domain in domains}
        print_json_of([_value(domain, values[domain.name], report, stop) for domain in domains])
        return
    if not (report.ran or report.broken or report.unreachable or report.unsettled or stop.asked):
        say(NOTHING_NEW)
    for domain in domains:
        show_lanes(domain, after[domain.name])
        for record in _held(after[domain.name], report):
            say(("held ", "bold red"), f"{record.ref}: {record.reason or 'nothing of it is published'}")
            say(("  → ", "bold"), quarantine_command(record.ref))
    for table, error in report.unreachable.items():
        show_error(f"the source of {table}: {error.what}", error.way_out, error.code)
    for (table, batch), found in report.unsettled.items():
        say(("arriving ", "bold"), f"{table} {batch}: {found.why}")
    for broken in report.broken:
        say((f"{named_error(broken.code, 'broken')} ", "bold red"), f"{broken.name} {broken.batch}: {broken.what}")
        if broken.way_out:
            say(("  → ", "bold"), broken.way_out)
    say_unusual(unusual)
    say_other_gates(older, domains[0].name if len(domains) == 1 else None)
    if stop.asked:
        say(f"ended after {count_batches(len(report.ran))}; what is due is run by the next: readiness run")
    say_next(_next(domains[0], report))


def _held(after: DomainStatus, report: RunReport) -> list[BatchRecord]:
    """The batches that are held, of those that ran; of all, where none did."""
    records = [
        record
        for lane in after.lanes
        for batch in lane.batches
        for record in batch.tables.values()
        if record is not None and record.state == "held"
    ]
    return [record for record in records if not report.ran or tuple(record.ref) in report.refs]


def _next(domain: Domain, report: RunReport) -> str:
    return report.broken[0].command if report.broken else status_command(domain.name)


def _value(domain: Domain, after: dict[str, Any], report: RunReport, stop: Stop) -> dict[str, Any]:
    return {
        **after,
        "ran": [
            {
                "lane": work.lane.name,
                "batch": work.batch,
                "tables": [str(table.id) for table in work.tables],
                "why": work.why,
            }
            for work in report.ran
            if work.lane.domain.name == domain.name
        ],
        "broken": [{**one.value, "next": one.command} for one in report.broken],
        "arriving": [
            {"table": str(table), "batch": batch, "why": found.why}
            for (table, batch), found in report.unsettled.items()
        ],
        "unreachable": {str(table): str(error) for table, error in report.unreachable.items()},
        "ended_by_signal": stop.number,
        "next": _next(domain, report),
    }
