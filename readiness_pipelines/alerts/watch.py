"""One look at everything: observe, keep incidents, write messages, send them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness_pipelines.alerts.routing import due_messages
from readiness_pipelines.alerts.rules import AlertSettings
from readiness_pipelines.alerts.sending import Sent, send_due
from readiness_pipelines.contracts import DataPath
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import IncidentEvent, IncidentState
from readiness_pipelines.observability import TableFreshness
from readiness_pipelines.overview import observe

TOLD_WITHIN = timedelta(days=7)
"""The end of an incident is told so long after; a channel may be down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look found and did.

    Attributes:
        freshness: Where each table with a freshness promise stands, by path and published name.
        changed: The tables that are in another state than at the last look, by path and published name.
        events: What changed in the incidents since then.
        messages: Messages that were written.
        sent: Messages that were taken, and what went wrong with the others.
    """

    freshness: Mapping[tuple[str, str], TableFreshness]
    changed: frozenset[tuple[str, str]]
    events: tuple[IncidentEvent, ...]
    messages: int
    sent: Sent


def watch(
    paths: Iterable[DataPath], settings: AlertSettings, *, installation: Installation, clock: Callable[[], datetime]
) -> Look:
    """Look at some paths, once. Safe to do as often as one likes, and after a crash: nothing is told twice.

    Args:
        paths: The paths.
        settings: Who hears of what.
        installation: Where the ledger is.
        clock: Tells the time.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    now = clock()
    book = installation.ledger.incidents
    publications, watched = installation.ledger.publications(), book.watched()
    freshness: dict[tuple[str, str], TableFreshness] = {}
    events: list[IncidentEvent] = []
    for path in paths:
        seen = observe(path, installation=installation, now=now, publications=publications, watched=watched)
        freshness |= {(path.name, table): state for table, state in seen.freshness.items()}
        events += book.look(seen.findings, path=path.name, at=now)
    book.looked({table: found.state.value for table, found in freshness.items()}, at=now)
    lately = [
        incident
        for incident in book.incidents()
        if incident.state is not IncidentState.RESOLVED or (incident.resolved_at or now) >= now - TOLD_WITHIN
    ]
    messages = due_messages(lately, settings, told=book.told(), silences=book.silences(), now=now)
    written = book.write(messages)
    return Look(
        freshness=freshness,
        changed=frozenset(key for key, now_is in freshness.items() if watched.get(key, ("",))[0] != now_is.state.value),
        events=tuple(events),
        messages=written,
        sent=send_due(settings, book, clock=clock),
    )
