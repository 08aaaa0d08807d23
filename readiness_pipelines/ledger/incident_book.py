"""The book of incidents: what is wrong, who is to be notified, and when nobody wants to be."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger import incidents, outbox, silences, watched
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.finding import Finding
from readiness_pipelines.ledger.incidents import Incident, IncidentEvent, IncidentState
from readiness_pipelines.ledger.outbox import Message, NoticeKey
from readiness_pipelines.ledger.silences import Silence
from readiness_pipelines.names import TableId


class Incidents:
    """Incidents, messages, silences and watched tables, over one small store each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(
        self, findings: Iterable[Finding], *, tables: Collection[TableId], at: datetime
    ) -> tuple[IncidentEvent, ...]:
        """Compare what was found with the incidents: open, worsen, reopen and resolve.

        Args:
            findings: What was found.
            tables: The tables that were looked at: their open incidents that were not found are resolved.
            at: When, in UTC.

        Returns:
            What changed; nothing where everything is as it was at the last look.
        """
        with self._database.writing() as connection:
            return incidents.compare_findings(connection, findings, tables=tables, at=at)

    def acknowledge(self, incident: int, *, who: str, why: str | None, at: datetime) -> Incident:
        """Take an incident: whoever it was sent to is not notified again.

        Raises:
            UnknownNameError: No such incident.
            LedgerError: It is resolved.
        """
        values = {"state": IncidentState.ACKNOWLEDGED.value, "acknowledged_at": at, "acknowledged_by": who}
        with self._database.writing() as connection:
            return incidents.move_incident(connection, incident, "acknowledged", values, who=who, why=why, at=at)

    def resolve(self, incident: int, *, who: str, why: str, at: datetime) -> Incident:
        """Close an incident by hand; it is reopened at the next look at which it is still there.

        One about the newest batch stays closed until a later batch has the same, one about a delivery that broke until
        the next one of the batch breaks.

        Raises:
            UnknownNameError: No such incident.
            LedgerError: It is resolved, or there is no reason.
        """
        if not why.strip():
            raise LedgerError(f"resolving incident {incident} has no reason", way_out='give one: --reason "…"')
        values = {"state": IncidentState.RESOLVED.value, "resolved_at": at, "resolved_by": who}
        with self._database.writing() as connection:
            return incidents.move_incident(connection, incident, "resolved", values, who=who, why=why, at=at)

    def incidents(self, *, tables: Collection[TableId] | None = None, active: bool = False) -> tuple[Incident, ...]:
        """The incidents of some tables (of all where none are given), oldest first; with `active`, the unresolved."""
        with self._database.reading() as connection:
            return incidents.incidents_of(connection, tables, active=active)

    def events(self, *, incident: int | None = None, after: int = 0) -> tuple[IncidentEvent, ...]:
        """What happened to an incident (to all where none is given), oldest first."""
        with self._database.reading() as connection:
            return incidents.incident_events(connection, incident, after=after)

    def notices(self) -> Mapping[str, frozenset[NoticeKey]]:
        """The notices each channel was given, or will be as soon as it takes messages."""
        with self._database.reading() as connection:
            return outbox.notices_given(connection)

    def write(self, messages: Sequence[Message]) -> int:
        """Keep messages until they are sent; those without news are left out. How many are kept."""
        with self._database.writing() as connection:
            return outbox.add_messages(connection, messages)

    def messages(self, *, unsent: bool = False, due_at: datetime | None = None) -> tuple[Message, ...]:
        """All messages, oldest first; with `unsent`, those that no channel took; with `due_at`, to be tried then."""
        with self._database.reading() as connection:
            return outbox.messages(connection, unsent=unsent, due_at=due_at)

    def claim(self, message: Message, *, at: datetime, until: datetime) -> bool:
        """Take a message to send it; no other sender can before a time. Whether it was free to take."""
        with self._database.writing() as connection:
            return outbox.claim_message(connection, message, at=at, until=until)

    def sent(self, message: Message, *, at: datetime) -> None:
        """Note that a message was sent, and that somebody knows of its incidents now."""
        with self._database.writing() as connection:
            outbox.mark_sent(connection, message, at=at)

    def not_sent(self, message: Message, *, error: str, next_try_at: datetime) -> None:
        """Note that a message could not be sent."""
        with self._database.writing() as connection:
            outbox.mark_not_sent(connection, message, error=error, next_try_at=next_try_at)

    def silence(self, tables: str, *, begins_at: datetime, ends_at: datetime, who: str, why: str) -> None:
        """Notify nobody about some tables for a time.

        Raises:
            LedgerError: No reason, or an end that is not after the beginning.
        """
        with self._database.writing() as connection:
            silences.add_silence(connection, tables, begins_at=begins_at, ends_at=ends_at, who=who, why=why)

    def silences(self) -> tuple[Silence, ...]:
        """All silences, oldest first."""
        with self._database.reading() as connection:
            return silences.silences(connection)

    def watched(self) -> Mapping[TableId, tuple[str, datetime]]:
        """Each watched table's state at the last look, and since when it is watched."""
        with self._database.reading() as connection:
            return watched.watched_tables(connection)

    def last_look(self) -> datetime | None:
        """When somebody looked last; ``None`` before the first look at a table that promises freshness."""
        with self._database.reading() as connection:
            return watched.last_look(connection)

    def looked(self, states: Mapping[TableId, str], *, at: datetime) -> None:
        """Keep each table's state for the next look."""
        with self._database.writing() as connection:
            watched.keep_states(connection, states, at=at)
