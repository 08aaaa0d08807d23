"""`readiness incidents`: what is wrong, who looks after it, and for how long it was."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.table import Table
from rich.text import Text

from readiness_pipelines.alerts import incident_lines
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.guiding import guidance_if_declared, say_runbook
from readiness_pipelines.cli.output import (
    OUT,
    AsJson,
    errors_for_people,
    print_json,
    reachable,
    say,
)
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.durations import Duration, format_duration
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.json_values.incidents import incident_value, incidents_value
from readiness_pipelines.ledger import FindingKind, Incident, Incidents
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What is not as promised: look, take it, close it, or silence it.")

Number = Annotated[int, typer.Argument(help="The incident's number.", metavar="INCIDENT")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept for ever.")]


@app.command("list")
def list_incidents(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    as_json: AsJson = False,
) -> None:
    """The incidents that are open or acknowledged, and the messages that no channel has taken."""
    with errors_for_people():
        book = _book()
        found, unsent = book.incidents(active=not everything), book.messages(unsent=True)
        if as_json:
            print_json(incidents_value(found, unsent))
            return
        if found:
            OUT.print(incidents_table(found))
        else:
            say("no incident is open")
        for message in unsent:
            problem = f" ({message.error}, {message.tries} tries)" if message.error else ""
            say((f"waits for {message.channel}", "yellow"), f": {message.title}{problem}")


@app.command("show")
def show(incident: Number, as_json: AsJson = False) -> None:
    """One incident: what was promised and seen, what happened, and how long it took."""
    with errors_for_people():
        book = _book()
        known = {one.id: one for one in book.incidents()}
        if incident not in known:
            raise UnknownNameError("incident", str(incident), map(str, known))
        found, events = known[incident], book.events(incident=incident)
        guidance = guidance_if_declared(found.finding.table)
        if as_json:
            print_json(incident_value(found, events, guidance))
            return
        say((f"#{found.id} {_where(found)} · {found.finding.kind} ", "bold"), found.state)
        for line in incident_lines(found, guidance=guidance, now=Run().clock()):
            say(line)
        say_runbook(guidance)
        for event in events:
            why = f" · {event.why}" if event.why else ""
            say(f"  {event.at:%Y-%m-%d %H:%M:%S} {event.what} · {event.who}{why}")
        say(_times(found))


@app.command("ack")
def acknowledge(
    incident: Number,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept for ever.")] = None,
) -> None:
    """Take an incident: it is neither repeated nor escalated any more."""
    with errors_for_people():
        found = _book().acknowledge(incident, who=who_types(), why=reason, at=Run().clock())
        say(f"#{found.id} is yours, {found.acknowledged_by}")


@app.command("resolve")
def resolve(
    incident: Number,
    reason: Reason,
    as_normal: Annotated[
        bool, typer.Option("--as-normal", help="What was unusual is normal from this batch on: learn it anew.")
    ] = False,
) -> None:
    """Close an incident by hand; it is reopened at the next look at which it is still there.

    One about a batch's volume, values or columns stays closed until a later batch has the same, one about a delivery
    that broke until the batch breaks again.
    """
    with errors_for_people():
        ledger, who, now = Installation.open(Settings()).ledger, who_types(), Run().clock()
        if as_normal:
            ledger.findings.accept(*_unusual(ledger.incidents, incident), who=who, why=reason, at=now)
        found = ledger.incidents.resolve(incident, who=who, why=reason, at=now)
        say(f"#{found.id} is resolved" + (f": normal from {found.finding.batch} on" if as_normal else ""))


@app.command("silence")
def silence(
    tables: Annotated[str, typer.Argument(help="A pattern of tables, such as 'shop.*'.")],
    reason: Reason,
    lasts: Annotated[str, typer.Option("--for", help="How long, such as 2h or 1d12h.")] = "2h",
) -> None:
    """Notify nobody about some tables for a time; what still lasts afterwards is notified then."""
    with errors_for_people():
        now = Run().clock()
        length = _duration(lasts)
        _book().silence(tables, begins_at=now, ends_at=now + length, who=who_types(), why=reason)
        say(f"{tables} is silent until {now + length:%Y-%m-%d %H:%M} UTC")


def incidents_table(incidents: Sequence[Incident]) -> Table:
    """One line for each incident."""
    table = plain_table("incidents", lines=True)
    for column in ("#", "state", "what", "where", "since", "seen", "next"):
        table.add_column(column, overflow="fold")
    for incident in incidents:
        finding = incident.finding
        style = "bold red" if finding.severity == "error" else "yellow"
        table.add_row(
            str(incident.id),
            Text(incident.state + (f" by {incident.acknowledged_by}" if incident.acknowledged_by else "")),
            Text(finding.kind, style=style),
            Text(_where(incident)),
            f"{finding.since:%Y-%m-%d %H:%M}",
            Text(finding.seen),
            Text(reachable(finding.way_out)),
        )
    return table


def _duration(text: str) -> timedelta:
    try:
        length: timedelta = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        raise DeclarationError(
            f"--for {text!r} is not a duration", way_out="write '26h', '90m', '2d' or '1d12h', within the calendar"
        ) from None
    return length


def _book() -> Incidents:
    return Installation.open(Settings()).ledger.incidents


def _unusual(book: Incidents, number: int) -> tuple[BatchRef, tuple[FindingKind, ...]]:
    """The batch that an incident is about, and what was found of it."""
    known = {one.id: one.finding for one in book.incidents()}
    if number not in known:
        raise UnknownNameError("incident", str(number), map(str, known))
    found = known[number]
    if not found.of_newest or found.batch is None:
        raise DeclarationError(
            f"incident {number} is about {found.kind}, which cannot be normal",
            way_out=f'readiness incidents resolve {number} --reason "…"',
        )
    return BatchRef(found.table, found.batch), (found.kind,)


def _where(incident: Incident) -> str:
    finding = incident.finding
    return str(BatchRef(finding.table, finding.batch) if finding.batch else finding.table)


def _times(incident: Incident) -> str:
    times = {
        "detect": incident.time_to_detect,
        "notify": incident.time_to_notify,
        "repair": incident.time_to_repair,
    }
    spans = (f"{name} {format_duration(took) if took is not None else '–'}" for name, took in times.items())
    return "time to " + ", ".join(spans)
