"""Receivers: who is sent what happens to batches, and how far each of them is in the trail."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.records import TrailEntry
from readiness_pipelines.ledger.tables import ATTEMPTS, RECEIVERS, REFUSED_EVENTS
from readiness_pipelines.ledger.trail import entries_after


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverState:
    """How far a receiver is.

    Attributes:
        name: The receiver.
        entry: The trail's entry of which it was sent something last; 0 before the first.
        part: How many events of that entry it was sent.
        tries: How often sending failed since something was taken.
        next_try_at: When it is tried again at the earliest, in UTC; another sender may have it until then.
        sent_at: When it took an event last, in UTC; ``None`` before the first.
        error: Why the last try failed; ``None`` where it did not.
    """

    name: str
    entry: int = 0
    part: int = 0
    tries: int = 0
    next_try_at: datetime
    sent_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEvent:
    """An event that a receiver does not take, however often it is sent.

    Attributes:
        name: The receiver.
        entry: The trail's entry.
        part: Which event of the entry, from 0.
        at: When it was refused, in UTC.
        error: Why.
    """

    name: str
    entry: int
    part: int
    at: datetime
    error: str


class Receivers:
    """How far each receiver is; one sender at a time has one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self, name: str, *, at: datetime) -> ReceiverState:
        """How far a receiver is; one that is new begins with the first entry.

        Args:
            name: The receiver.
            at: The time, in UTC.
        """
        with self._database.writing() as connection:
            row = connection.execute(select(RECEIVERS).where(RECEIVERS.c.name == name)).one_or_none()
            if row is None:
                new = {"name": name, "entry": 0, "part": 0, "tries": 0, "next_try_at": at}
                connection.execute(insert(RECEIVERS).values(new))
                return ReceiverState(name=name, next_try_at=at)
        return ReceiverState(**row._mapping)

    def claim(self, name: str, *, at: datetime, until: datetime) -> bool:
        """Take a receiver to send to it, until a time; whether it was free to take, and due."""
        free = (RECEIVERS.c.name == name) & (RECEIVERS.c.next_try_at <= at)
        with self._database.writing() as connection:
            return connection.execute(update(RECEIVERS).where(free).values(next_try_at=until)).rowcount == 1

    def advance(self, name: str, *, entry: int, part: int, sent_at: datetime | None) -> None:
        """Note how far a receiver is; where it was sent something, that it took it."""
        values: dict[str, object] = {"entry": entry, "part": part}
        if sent_at is not None:
            values |= {"sent_at": sent_at, "tries": 0, "error": None}
        with self._database.writing() as connection:
            connection.execute(update(RECEIVERS).where(RECEIVERS.c.name == name).values(values))

    def release(self, name: str, *, next_try_at: datetime, error: str | None = None) -> None:
        """Let others send to a receiver from a time on; with an error where it took nothing."""
        values: dict[str, object] = {"next_try_at": next_try_at}
        if error is not None:
            values |= {"error": error, "tries": RECEIVERS.c.tries + 1}
        with self._database.writing() as connection:
            connection.execute(update(RECEIVERS).where(RECEIVERS.c.name == name).values(values))

    def refuse(self, event: RefusedEvent) -> None:
        """Keep that a receiver does not take an event."""
        here = (REFUSED_EVENTS.c.name == event.name) & (REFUSED_EVENTS.c.entry == event.entry)
        values = {"name": event.name, "entry": event.entry, "part": event.part, "at": event.at, "error": event.error}
        with self._database.writing() as connection:
            connection.execute(delete(REFUSED_EVENTS).where(here, REFUSED_EVENTS.c.part == event.part))
            connection.execute(insert(REFUSED_EVENTS).values(values))

    def accept(self, event: RefusedEvent) -> None:
        """Note that a receiver took an event after all."""
        here = (REFUSED_EVENTS.c.name == event.name) & (REFUSED_EVENTS.c.entry == event.entry)
        with self._database.writing() as connection:
            connection.execute(delete(REFUSED_EVENTS).where(here, REFUSED_EVENTS.c.part == event.part))

    def refused(self, name: str) -> tuple[RefusedEvent, ...]:
        """The events that a receiver does not take, oldest first."""
        query = select(REFUSED_EVENTS).where(REFUSED_EVENTS.c.name == name)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(REFUSED_EVENTS.c.entry, REFUSED_EVENTS.c.part)).all()
        return tuple(RefusedEvent(**row._mapping) for row in rows)

    def entries(self, *, after: int, limit: int) -> tuple[TrailEntry, ...]:
        """What happened to batches after an entry of the trail, oldest first."""
        with self._database.reading() as connection:
            return entries_after(connection, after, limit)

    def begun(self, attempts: Collection[str]) -> Mapping[str, datetime]:
        """When some deliveries began, in UTC, as far as attempts are kept."""
        query = select(ATTEMPTS.c.attempt, ATTEMPTS.c.begun_at).where(ATTEMPTS.c.attempt.in_(sorted(attempts)))
        with self._database.reading() as connection:
            return {row.attempt: row.begun_at for row in connection.execute(query)}
