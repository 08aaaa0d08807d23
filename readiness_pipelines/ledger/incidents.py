"""Incidents: what is wrong, since when, and who looks after it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from readiness_pipelines.errors import LedgerError, UnknownNameError
from readiness_pipelines.ledger.chain import append_row
from readiness_pipelines.ledger.finding import Finding, FindingKind, Severity
from readiness_pipelines.ledger.keys import in_tables, new_number, table_of
from readiness_pipelines.ledger.tables import INCIDENT_EVENTS, INCIDENTS
from readiness_pipelines.names import TableId

REOPENS_WITHIN = timedelta(days=1)
"""What comes back sooner is the same incident; later, it is a new one."""

WATCHER = "readiness"
"""Who opens and resolves incidents by itself."""


class IncidentState(StrEnum):
    """``OPEN``: nobody looks after it yet. ``ACKNOWLEDGED``: somebody does. ``RESOLVED``: it is over."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that is, or was, not as promised.

    Attributes:
        id: Grows with time.
        finding: What was found, at the last look at which it was there.
        state: How far it is.
        opened_at: When it was found, in UTC.
        notified_at: When somebody was notified first; ``None`` before.
        acknowledged_at: When somebody took it; ``None`` before.
        acknowledged_by: Who took it.
        resolved_at: When it was over; ``None`` before.
        resolved_by: Who closed it; ``None`` before.
    """

    id: int
    finding: Finding
    state: IncidentState
    opened_at: datetime
    notified_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None

    def is_closed_for(self, finding: Finding) -> bool:
        """Whether somebody looked into this very batch and closed it: what the batch is like does not change again.

        A delivery that broke is closed until the next one of the batch breaks, too: its file may have been taken back.
        """
        if self.resolved_at is None or self.resolved_by in (None, WATCHER) or finding.batch != self.finding.batch:
            return False
        return finding.stays_closed or (finding.kind is FindingKind.BROKEN and finding.since <= self.resolved_at)

    @property
    def time_to_detect(self) -> timedelta:
        """From when it began to when it was found."""
        return self.opened_at - self.finding.since

    @property
    def time_to_notify(self) -> timedelta | None:
        """From when it was found to when somebody was notified."""
        return None if self.notified_at is None else self.notified_at - self.opened_at

    @property
    def time_to_repair(self) -> timedelta | None:
        """From when it was found to when it was over."""
        return None if self.resolved_at is None else self.resolved_at - self.opened_at


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent:
    """Something that happened to an incident: opened, worse, acknowledged, resolved, reopened; never changed."""

    id: int
    incident: int
    at: datetime
    what: str
    who: str
    why: str | None


def compare_findings(
    connection: Connection, findings: Iterable[Finding], *, tables: Collection[TableId], at: datetime
) -> tuple[IncidentEvent, ...]:
    """Open, worsen, reopen and resolve incidents, so that they are what was found."""
    current = {finding.subject: finding for finding in findings}
    looked_at = {*tables, *(finding.table for finding in current.values())}
    query = select(INCIDENTS).where(in_tables(INCIDENTS, looked_at)).order_by(INCIDENTS.c.id)
    last = {incident.finding.subject: incident for incident in map(_incident, connection.execute(query))}
    events: list[IncidentEvent] = []
    for subject, finding in current.items():
        events += _update(connection, finding, last.get(subject), at)
    for subject, incident in last.items():
        over = subject not in current and incident.finding.table in tables
        if over and incident.state is not IncidentState.RESOLVED:
            values = {"state": IncidentState.RESOLVED.value, "resolved_at": at, "resolved_by": WATCHER}
            connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident.id).values(**values))
            events.append(_add_event(connection, incident.id, "resolved", who=WATCHER, why="as promised again", at=at))
    return tuple(events)


def _update(connection: Connection, finding: Finding, last: Incident | None, at: datetime) -> list[IncidentEvent]:
    """Bring the incident of a finding to what was found."""
    values = _values(finding)
    if last is not None and last.is_closed_for(finding):
        return []
    if last is None or (last.resolved_at is not None and at - last.resolved_at > REOPENS_WITHIN):
        state = IncidentState.OPEN.value
        number = new_number(connection.execute(insert(INCIDENTS).values(**values, state=state, opened_at=at)))
        return [_add_event(connection, number, "opened", who=WATCHER, why=finding.seen, at=at)]
    what = None
    if last.state is IncidentState.RESOLVED:
        # A new episode of the same incident: what was notified of the last one does not count.
        values |= {"state": IncidentState.OPEN.value, "opened_at": at, "resolved_at": None, "notified_at": None}
        values |= {"acknowledged_at": None, "acknowledged_by": None, "resolved_by": None}
        what = "reopened"
    elif last.finding.severity is Severity.WARN and finding.severity is Severity.ERROR:
        what = "worse"
    if what != "reopened":
        values["since"] = min(last.finding.since, finding.since)
    connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == last.id).values(**values))
    return [_add_event(connection, last.id, what, who=WATCHER, why=finding.seen, at=at)] if what else []


def move_incident(
    connection: Connection,
    number: int,
    what: str,
    values: Mapping[str, Any],
    *,
    who: str,
    why: str | None,
    at: datetime,
) -> Incident:
    """Change an incident that is not resolved.

    Raises:
        UnknownNameError: No such incident.
        LedgerError: It is resolved.
    """
    row = connection.execute(select(INCIDENTS).where(INCIDENTS.c.id == number)).one_or_none()
    if row is None:
        known = connection.execute(select(INCIDENTS.c.id).order_by(INCIDENTS.c.id.desc())).scalars()
        raise UnknownNameError("incident", str(number), map(str, known))
    if row.state == IncidentState.RESOLVED:
        raise LedgerError(
            f"incident {number} is resolved since {row.resolved_at:%Y-%m-%d %H:%M}",
            way_out="readiness incidents list",
        )
    connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == number).values(**values))
    _add_event(connection, number, what, who=who, why=why, at=at)
    return _incident(connection.execute(select(INCIDENTS).where(INCIDENTS.c.id == number)).one())


def incidents_of(connection: Connection, tables: Collection[TableId] | None, *, active: bool) -> tuple[Incident, ...]:
    """The incidents of some tables, oldest first."""
    query = select(INCIDENTS).order_by(INCIDENTS.c.id)
    if tables is not None:
        query = query.where(in_tables(INCIDENTS, tables))
    if active:
        query = query.where(INCIDENTS.c.state != IncidentState.RESOLVED.value)
    return tuple(map(_incident, connection.execute(query)))


def incident_events(connection: Connection, incident: int | None, *, after: int) -> tuple[IncidentEvent, ...]:
    """What happened to an incident, or to all, oldest first."""
    query = select(INCIDENT_EVENTS).where(INCIDENT_EVENTS.c.id > after).order_by(INCIDENT_EVENTS.c.id)
    if incident is not None:
        query = query.where(INCIDENT_EVENTS.c.incident == incident)
    return tuple(
        IncidentEvent(id=r.id, incident=r.incident, at=r.at, what=r.what, who=r.who, why=r.why)
        for r in connection.execute(query)
    )


def _add_event(
    connection: Connection, incident: int, what: str, *, who: str, why: str | None, at: datetime
) -> IncidentEvent:
    values = {"incident": incident, "at": at, "what": what, "who": who, "why": why}
    number = append_row(connection, INCIDENT_EVENTS, values)
    return IncidentEvent(id=number, incident=incident, at=at, what=what, who=who, why=why)


def _values(finding: Finding) -> dict[str, Any]:
    return {
        "subject": finding.subject,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "table_name": str(finding.table),
        "batch": finding.batch,
        "promised": finding.promised,
        "seen": finding.seen,
        "way_out": finding.way_out,
        "answers": finding.answers,
        "details": list(finding.details),
        "at_risk": list(finding.at_risk),
        "since": finding.since,
    }


def _incident(row: Any) -> Incident:
    return Incident(
        id=row.id,
        finding=Finding(
            kind=FindingKind(row.kind),
            severity=Severity(row.severity),
            table=table_of(row),
            batch=row.batch,
            promised=row.promised,
            seen=row.seen,
            since=row.since,
            details=tuple(row.details),
            way_out=row.way_out,
            answers=row.answers,
            at_risk=tuple(row.at_risk),
        ),
        state=IncidentState(row.state),
        opened_at=row.opened_at,
        notified_at=row.notified_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
    )
