"""`readiness watch`: look now at what is late, held or broken, and notify whom the settings name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from readiness_pipelines.alerts import Look, load_alerts, watch
from readiness_pipelines.cli.incidents import incidents_table
from readiness_pipelines.cli.output import ERR, OUT, AsJson, errors_for_people, print_json, say
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.contracts import Domain
from readiness_pipelines.domains import load_domains
from readiness_pipelines.durations import format_duration
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.interop.odcs.publishing import publish_contracts
from readiness_pipelines.overview import scorecards_of_today
from readiness_pipelines.settings import Settings

if TYPE_CHECKING:
    from readiness_pipelines.openlineage import SentEvents

STYLES = {"failed": "bold red", "late": "yellow", "never": "dim", "fresh": "green", "recovered": "green"}


def run_watch(as_json: AsJson = False) -> None:
    """Look at every domain now: freshness, held batches, broken deliveries. Keep incidents, notify channels."""
    with errors_for_people():
        settings = Settings()
        installation, domains, run = Installation.open(settings), load_domains(settings), Run()
        publish_contracts(domains, installation=installation, now=run.clock())
        look = watch(
            domains,
            load_alerts(settings.config),
            installation=installation,
            clock=run.clock,
        )
        today = scorecards_of_today(
            domains, installation=installation, identity_required=settings.identity.required, now=run.clock()
        )
        installation.ledger.scorecards.keep(today)
        events = _send_events(domains, settings, installation, run)
        book = installation.ledger.incidents
        waiting = book.messages(unsent=True)
        if as_json:
            sent = [{"receiver": one.name, "sent": one.sent, "error": one.error or None} for one in events]
            print_json(
                {
                    **_value(look),
                    "lineage_events": sent,
                    "unsent_messages": len(waiting),
                    "incidents": len(book.incidents(active=True)),
                }
            )
            return
        if look.freshness:
            OUT.print(_table(look))
        else:
            say("no table promises freshness")
        if active := book.incidents(active=True):
            OUT.print(incidents_table(active))
        else:
            say("no incident is open")
        say(f"{look.messages} messages written, {look.sent.sent} sent")
        for error in look.sent.errors:
            ERR.print(Text.assemble(("not sent ", "bold red"), f"{error}; it is kept and tried again"))
        for one in events:
            if one.error:
                words = f"OpenLineage to {one.name}: {one.error}; it is tried again"
                ERR.print(Text.assemble(("not sent ", "bold red"), words))


def _send_events(
    domains: Sequence[Domain], settings: Settings, installation: Installation, run: Run
) -> "tuple[SentEvents, ...]":
    """What came of sending events to those who want them."""
    if not settings.openlineage:
        return ()
    from readiness_pipelines.openlineage import send_to_all  # noqa: PLC0415  # a parser of SQL: where it is set

    return send_to_all(domains, settings, installation=installation, clock=run.clock)


def _table(look: Look) -> Table:
    table = plain_table("freshness")
    for column in ("table", "state", "newest", "age", "promise"):
        table.add_column(column, overflow="fold", no_wrap=column in ("state", "age"))
    for ident, found in look.freshness.items():
        age = format_duration(found.age) if found.age is not None else "–"
        state = Text(found.state, style=STYLES[found.state])
        table.add_row(str(ident), state, Text(found.newest or "–"), age, Text(found.promised))
    return table


def _value(look: Look) -> dict[str, Any]:
    return {
        "freshness": [
            {
                "table": str(ident),
                "state": found.state.value,
                "since": found.since.isoformat() if found.since else None,
                "newest": found.newest,
                "age_seconds": found.age.total_seconds() if found.age is not None else None,
                "late_at": found.late_at.isoformat() if found.late_at else None,
                "promised": found.promised,
                "seen": found.seen,
            }
            for ident, found in look.freshness.items()
        ],
        "events": [{"incident": event.incident, "what": event.what, "seen": event.why} for event in look.events],
        "messages": look.messages,
        "sent": look.sent.sent,
        "errors": list(look.sent.errors),
    }
