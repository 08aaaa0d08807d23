"""Incidents: what is wrong, since when, who looks after it, and what was told to whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Connection, insert, select, update

from readiness_pipelines.errors import LedgerError, UnknownNameError
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.tables import INCIDENT_EVENTS, INCIDENTS, MESSAGES, SILENCES, TOLD, WATCHED
from readiness_pipelines.observability import Finding, FindingKind, Severity

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
        notified_at: When somebody was told first; ``None`` before.
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
        """Whether somebody looked into this very batch and closed it: what the batch is like does not change again."""
        by_hand = self.resolved_by is not None and self.resolved_by != WATCHER
        return by_hand and finding.of_newest and finding.batch == self.finding.batch

    @property
    def time_to_detect(self) -> timedelta:
        """From when it began to when it was found."""
        return self.opened_at - self.finding.since

    @property
    def time_to_notify(self) -> timedelta | None:
        """From when it was found to when somebody was told."""
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


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Tell:
    """That a channel was told of an incident: that it opened, got worse, lasts, was escalated, or is over.

    Attributes:
        incident: The incident.
        what: What was told, the same at every look, so that it is told once.
    """

    incident: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to a channel; it stays until it is sent.

    Attributes:
        channel: The channel's name.
        title: One line.
        body: The text.
        tells: What it tells.
        written_at: When it was written, in UTC.
        id: Grows with time; 0 before it is kept.
        tries: How often sending failed.
        sent_at: When it was sent; ``None`` before.
        error: Why the last try failed; ``None`` where none did.
    """

    channel: str
    title: str
    body: str
    tells: tuple[Tell, ...]
    written_at: datetime
    id: int = 0
    tries: int = 0
    sent_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A time in which nobody is told about some tables: ``tables`` is a pattern such as ``shop.*``."""

    id: int
    tables: str
    begins_at: datetime
    ends_at: datetime
    who: str
    why: str

    def covers(self, table: str, at: datetime) -> bool:
        """Whether it silences a table at a time."""
        return self.begins_at <= at < self.ends_at and fnmatchcase(table, self.tables)


class Incidents:
    """The book of incidents, of what is to be told, and of when nobody wants to hear it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, findings: Iterable[Finding], *, path: str, at: datetime) -> tuple[IncidentEvent, ...]:
        """Hold what was found in a path against its open incidents: open, worsen, reopen and resolve.

        Returns:
            What changed; nothing where everything is as it was at the last look.
        """
        found = {finding.subject: finding for finding in findings}
        events: list[IncidentEvent] = []
        with self._database.writing() as connection:
            rows = connection.execute(select(INCIDENTS).where(INCIDENTS.c.path == path).order_by(INCIDENTS.c.id))
            last = {incident.finding.subject: incident for incident in map(_incident, rows)}
            for subject, finding in found.items():
                events += self._found(connection, finding, last.get(subject), at)
            for subject, incident in last.items():
                if subject not in found and incident.state is not IncidentState.RESOLVED:
                    values = {"state": IncidentState.RESOLVED.value, "resolved_at": at, "resolved_by": WATCHER}
                    connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident.id).values(**values))
                    events.append(
                        _happened(connection, incident.id, "resolved", who=WATCHER, why="as promised again", at=at)
                    )
        return tuple(events)

    @staticmethod
    def _found(connection: Connection, finding: Finding, last: Incident | None, at: datetime) -> list[IncidentEvent]:
        told = _values(finding)
        if last is not None and last.is_closed_for(finding):
            return []
        if last is None or (last.resolved_at is not None and at - last.resolved_at > REOPENS_WITHIN):
            state = IncidentState.OPEN.value
            done = connection.execute(insert(INCIDENTS).values(**told, state=state, opened_at=at))
            number = int((done.inserted_primary_key or (0,))[0])
            return [_happened(connection, number, "opened", who=WATCHER, why=finding.seen, at=at)]
        what = None
        if last.state is IncidentState.RESOLVED:
            # A new episode of the same incident: what was told of the last one does not count.
            told |= {"state": IncidentState.OPEN.value, "opened_at": at, "resolved_at": None, "notified_at": None}
            told |= {"acknowledged_at": None, "acknowledged_by": None, "resolved_by": None}
            what = "reopened"
        elif last.finding.severity is Severity.WARN and finding.severity is Severity.ERROR:
            what = "worse"
        if what != "reopened":
            told["since"] = min(last.finding.since, finding.since)
        connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == last.id).values(**told))
        return [_happened(connection, last.id, what, who=WATCHER, why=finding.seen, at=at)] if what else []

    def acknowledge(self, incident: int, *, who: str, why: str | None, at: datetime) -> Incident:
        """Take an incident: whoever it was sent to need not be told again.

        Raises:
            UnknownNameError: No such incident.
            LedgerError: It is resolved.
        """
        values = {"state": IncidentState.ACKNOWLEDGED.value, "acknowledged_at": at, "acknowledged_by": who}
        return self._move(incident, "acknowledged", values, who=who, why=why, at=at)

    def resolve(self, incident: int, *, who: str, why: str, at: datetime) -> Incident:
        """Close an incident by hand; it is reopened at the next look at which it is still there.

        One about the newest batch stays closed until a later batch has the same.

        Raises:
            UnknownNameError: No such incident.
            LedgerError: It is resolved, or there is no reason.
        """
        if not why.strip():
            raise LedgerError(f"resolving incident {incident} has no reason", way_out='give one: --reason "…"')
        values = {"state": IncidentState.RESOLVED.value, "resolved_at": at, "resolved_by": who}
        return self._move(incident, "resolved", values, who=who, why=why, at=at)

    def _move(
        self, number: int, what: str, values: Mapping[str, Any], *, who: str, why: str | None, at: datetime
    ) -> Incident:
        with self._database.writing() as connection:
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
            _happened(connection, number, what, who=who, why=why, at=at)
            return _incident(connection.execute(select(INCIDENTS).where(INCIDENTS.c.id == number)).one())

    def incidents(self, *, path: str | None = None, active: bool = False) -> tuple[Incident, ...]:
        """The incidents of a path (of all where none is given), oldest first; with `active`, only the unresolved."""
        query = select(INCIDENTS).order_by(INCIDENTS.c.id)
        if path is not None:
            query = query.where(INCIDENTS.c.path == path)
        if active:
            query = query.where(INCIDENTS.c.state != IncidentState.RESOLVED.value)
        with self._database.reading() as connection:
            return tuple(map(_incident, connection.execute(query)))

    def events(self, *, incident: int | None = None, after: int = 0) -> tuple[IncidentEvent, ...]:
        """What happened to an incident (to all where none is given), oldest first."""
        query = select(INCIDENT_EVENTS).where(INCIDENT_EVENTS.c.id > after).order_by(INCIDENT_EVENTS.c.id)
        if incident is not None:
            query = query.where(INCIDENT_EVENTS.c.incident == incident)
        with self._database.reading() as connection:
            return tuple(
                IncidentEvent(id=r.id, incident=r.incident, at=r.at, what=r.what, who=r.who, why=r.why)
                for r in connection.execute(query)
            )

    def told(self) -> Mapping[str, frozenset[Tell]]:
        """What each channel was told, or will be as soon as it takes messages."""
        found: dict[str, set[Tell]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(select(TOLD)):
                found.setdefault(row.channel, set()).add(Tell(incident=row.incident, what=row.what))
        return {channel: frozenset(tells) for channel, tells in found.items()}

    def write(self, messages: Sequence[Message]) -> int:
        """Keep messages until they are sent; those that tell nothing new are left out. How many are kept."""
        kept = 0
        with self._database.writing() as connection:
            for message in messages:
                known = connection.execute(select(TOLD).where(TOLD.c.channel == message.channel))
                if not set(message.tells) - {Tell(incident=row.incident, what=row.what) for row in known}:
                    continue
                done = connection.execute(
                    insert(MESSAGES).values(
                        channel=message.channel,
                        title=message.title,
                        body=message.body,
                        written_at=message.written_at,
                        next_try_at=message.written_at,
                        tries=0,
                    )
                )
                number = int((done.inserted_primary_key or (0,))[0])
                for tell in message.tells:
                    row = {"channel": message.channel, **asdict(tell), "message": number}
                    connection.execute(insert(TOLD).values(**row))
                kept += 1
        return kept

    def messages(self, *, unsent: bool = False, due_at: datetime | None = None) -> tuple[Message, ...]:
        """All messages, oldest first; with `unsent`, those that no channel took; with `due_at`, to be tried then."""
        query = select(MESSAGES).order_by(MESSAGES.c.id)
        if unsent or due_at is not None:
            query = query.where(MESSAGES.c.sent_at.is_(None))
        if due_at is not None:
            query = query.where(MESSAGES.c.next_try_at <= due_at)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
            tells: dict[int, list[Tell]] = {row.id: [] for row in rows}
            for row in connection.execute(select(TOLD).where(TOLD.c.message.in_(list(tells)))):
                tells[row.message].append(Tell(incident=row.incident, what=row.what))
        return tuple(_message(row, tells[row.id]) for row in rows)

    def sent(self, message: Message, *, at: datetime) -> None:
        """Note that a message was sent, and that somebody knows of its incidents now."""
        with self._database.writing() as connection:
            connection.execute(update(MESSAGES).where(MESSAGES.c.id == message.id).values(sent_at=at, error=None))
            connection.execute(
                update(INCIDENTS)
                .where(INCIDENTS.c.id.in_({tell.incident for tell in message.tells}), INCIDENTS.c.notified_at.is_(None))
                .values(notified_at=at)
            )

    def not_sent(self, message: Message, *, error: str, next_try_at: datetime) -> None:
        """Note that a message could not be sent."""
        values = {"tries": MESSAGES.c.tries + 1, "error": error, "next_try_at": next_try_at}
        with self._database.writing() as connection:
            connection.execute(update(MESSAGES).where(MESSAGES.c.id == message.id).values(**values))

    def silence(self, tables: str, *, begins_at: datetime, ends_at: datetime, who: str, why: str) -> None:
        """Tell nobody about some tables for a time.

        Raises:
            LedgerError: No reason, or an end that is not after the beginning.
        """
        if not why.strip() or ends_at <= begins_at:
            raise LedgerError(
                f"the silence of {tables} has no reason, or ends before it begins", way_out='--reason "…" --for 2h'
            )
        with self._database.writing() as connection:
            connection.execute(
                insert(SILENCES).values(tables=tables, begins_at=begins_at, ends_at=ends_at, who=who, why=why)
            )

    def silences(self) -> tuple[Silence, ...]:
        """All silences, oldest first."""
        with self._database.reading() as connection:
            return tuple(
                Silence(id=r.id, tables=r.tables, begins_at=r.begins_at, ends_at=r.ends_at, who=r.who, why=r.why)
                for r in connection.execute(select(SILENCES).order_by(SILENCES.c.id))
            )

    def watched(self) -> Mapping[tuple[str, str], tuple[str, datetime]]:
        """Each watched table's state at the last look, and since when it is watched, by path and table."""
        with self._database.reading() as connection:
            rows = connection.execute(select(WATCHED))
            return {(row.path, row.table_name): (row.state, row.watched_since) for row in rows}

    def looked(self, states: Mapping[tuple[str, str], str], *, at: datetime) -> None:
        """Keep each table's state for the next look."""
        with self._database.writing() as connection:
            known = {(r.path, r.table_name) for r in connection.execute(select(WATCHED.c.path, WATCHED.c.table_name))}
            for (path, table), state in states.items():
                if (path, table) in known:
                    here = (WATCHED.c.path == path) & (WATCHED.c.table_name == table)
                    connection.execute(update(WATCHED).where(here).values(state=state, looked_at=at))
                else:
                    row = {"path": path, "table_name": table, "state": state, "watched_since": at, "looked_at": at}
                    connection.execute(insert(WATCHED).values(**row))


def _happened(
    connection: Connection, incident: int, what: str, *, who: str, why: str | None, at: datetime
) -> IncidentEvent:
    done = connection.execute(insert(INCIDENT_EVENTS).values(incident=incident, at=at, what=what, who=who, why=why))
    number = int((done.inserted_primary_key or (0,))[0])
    return IncidentEvent(id=number, incident=incident, at=at, what=what, who=who, why=why)


def _values(finding: Finding) -> dict[str, Any]:
    return {
        "subject": finding.subject,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "path": finding.path,
        "table_name": finding.table,
        "batch": finding.batch,
        "promised": finding.promised,
        "seen": finding.seen,
        "way_out": finding.way_out,
        "answers": finding.answers,
        "details": list(finding.details),
        "since": finding.since,
    }


def _incident(row: Any) -> Incident:
    return Incident(
        id=row.id,
        finding=Finding(
            kind=FindingKind(row.kind),
            severity=Severity(row.severity),
            path=row.path,
            table=row.table_name,
            batch=row.batch,
            promised=row.promised,
            seen=row.seen,
            since=row.since,
            details=tuple(row.details),
            way_out=row.way_out,
            answers=row.answers,
        ),
        state=IncidentState(row.state),
        opened_at=row.opened_at,
        notified_at=row.notified_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
    )


def _message(row: Any, tells: Sequence[Tell]) -> Message:
    return Message(
        id=row.id,
        channel=row.channel,
        title=row.title,
        body=row.body,
        tells=tuple(sorted(tells)),
        written_at=row.written_at,
        tries=row.tries,
        sent_at=row.sent_at,
        error=row.error,
    )
