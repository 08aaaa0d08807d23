"""One look at everything: observe, update incidents, write messages, send them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from readiness_pipelines.alerts.routing import due_messages
from readiness_pipelines.alerts.rules import AlertSettings
from readiness_pipelines.alerts.sending import Sent, send_due
from readiness_pipelines.contracts import Domain
from readiness_pipelines.domains import tables_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import IncidentEvent, IncidentState
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import TableFreshness
from readiness_pipelines.overview import guidance_for, observe

END_ANNOUNCED_WITHIN = timedelta(days=7)
"""So long after its end an incident is still announced as resolved: a channel may be down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look found and did.

    Attributes:
        freshness: Where each table with a freshness promise stands.
        changed: The tables that are in another state than at the last look.
        events: What changed in the incidents since then.
        messages: Messages that were written.
        sent: Messages that were taken, and what went wrong with the others.
    """

    freshness: Mapping[TableId, TableFreshness]
    changed: frozenset[TableId]
    events: tuple[IncidentEvent, ...]
    messages: int
    sent: Sent


def watch(
    domains: Iterable[Domain], settings: AlertSettings, *, installation: Installation, clock: Callable[[], datetime]
) -> Look:
    """Look at some domains, once. It may be called at any time, and after a crash: no notice is given twice.

    Where two look at the same time, a message of one may name beside its news what the other has just written.

    Args:
        domains: The domains.
        settings: Who is notified of what.
        installation: Where the ledger is.
        clock: Says what time it is.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    now = clock()
    book = installation.ledger.incidents
    domains = tuple(domains)
    tables, watched = tables_of(domains), book.watched()
    observed = observe(tables.values(), installation=installation, now=now, watched=watched)
    events = book.look(observed.findings, tables=set(tables), at=now)
    book.looked({table: found.state.value for table, found in observed.freshness.items()}, at=now)
    recent = [
        incident
        for incident in book.incidents()
        if incident.state is not IncidentState.RESOLVED or (incident.resolved_at or now) >= now - END_ANNOUNCED_WITHIN
    ]
    lasting = {one.finding.table for one in recent if one.state is not IncidentState.RESOLVED}
    messages = due_messages(
        recent,
        settings,
        given=book.notices(),
        silences=book.silences(),
        # Nobody is notified where no rule is: then no calendar is read.
        guidance=guidance_for(domains, lasting, now=now) if settings.rules else {},
        now=now,
    )
    written = book.write(messages)
    return Look(
        freshness=observed.freshness,
        changed=frozenset(
            table for table, found in observed.freshness.items() if watched.get(table, ("",))[0] != found.state.value
        ),
        events=tuple(events),
        messages=written,
        sent=send_due(settings, book, clock=clock),
    )
