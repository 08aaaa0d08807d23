"""Receivers: who is sent what happens to batches, and how far each of them is in the trail."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, insert, select, update

from readiness_pipelines.ledger.attempts import SUPERSEDED, open_attempts
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.keys import batch_of
from readiness_pipelines.ledger.records import Attempt, TrailEntry
from readiness_pipelines.ledger.tables import ATTEMPTS, RECEIVERS, REFUSED_EVENTS, STARTED_RUNS
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


class StartedRun(StrEnum):
    """What a receiver was sent of a delivery before its end is in the trail."""

    STARTED = "started"
    REFUSED = "refused"
    """It does not take the beginning; it is sent once more with the end, and kept if it is refused again."""

    OVER = "over"
    """It has the end, too: another delivery superseded this one."""


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

    def advance(self, name: str, *, entry: int, part: int, sent_at: datetime | None, ended: str = "") -> None:
        """Note how far a receiver is; where it was sent something, that it took it.

        Args:
            name: The receiver.
            entry: The trail's entry.
            part: How many events of it the receiver has.
            sent_at: When it took the last one, in UTC; ``None`` where there was none to take.
            ended: The delivery whose end it has now: what was kept of its beginning goes.
        """
        values: dict[str, object] = {"entry": entry, "part": part}
        if sent_at is not None:
            values |= {"sent_at": sent_at, "tries": 0, "error": None}
        with self._database.writing() as connection:
            connection.execute(update(RECEIVERS).where(RECEIVERS.c.name == name).values(values))
            if ended:
                connection.execute(delete(STARTED_RUNS).where(_started(name, ended)))

    def under_way(self) -> tuple[Attempt, ...]:
        """The deliveries that began and did not end, oldest first: under way, or cut off."""
        with self._database.reading() as connection:
            return open_attempts(connection)

    def started(self, name: str) -> Mapping[str, StartedRun]:
        """What a receiver was sent of deliveries whose end in the trail it was not sent yet, by attempt."""
        query = select(STARTED_RUNS).where(STARTED_RUNS.c.name == name)
        with self._database.reading() as connection:
            return {row.attempt: StartedRun(row.state) for row in connection.execute(query)}

    def note_started(self, name: str, attempt: str, state: StartedRun, *, sent_at: datetime | None) -> None:
        """Note what a receiver was sent of a delivery.

        Args:
            name: The receiver.
            attempt: The delivery.
            state: What it has of it.
            sent_at: When it took it, in UTC; ``None`` where it did not.
        """
        with self._database.writing() as connection:
            connection.execute(delete(STARTED_RUNS).where(_started(name, attempt)))
            connection.execute(insert(STARTED_RUNS).values(name=name, attempt=attempt, state=state.value))
            if sent_at is not None:
                taken = {"sent_at": sent_at, "tries": 0, "error": None}
                connection.execute(update(RECEIVERS).where(RECEIVERS.c.name == name).values(taken))

    def knows(self, attempt: str) -> bool:
        """Whether a delivery began here, as far as attempts are kept."""
        with self._database.reading() as connection:
            return (
                connection.execute(select(ATTEMPTS.c.attempt).where(ATTEMPTS.c.attempt == attempt)).first() is not None
            )

    def superseded(self, name: str) -> Sequence[tuple[Attempt, datetime]]:
        """The deliveries of which a receiver has the beginning, that another one superseded, and when; oldest first.

        A delivery that was killed is among them as soon as its batch is delivered again.
        """
        has_begun = (STARTED_RUNS.c.name == name) & (STARTED_RUNS.c.state == StartedRun.STARTED.value)
        query = select(ATTEMPTS).join(STARTED_RUNS, STARTED_RUNS.c.attempt == ATTEMPTS.c.attempt)
        query = query.where(has_begun, ATTEMPTS.c.outcome == SUPERSEDED).order_by(ATTEMPTS.c.begun_at)
        with self._database.reading() as connection:
            return [
                (
                    Attempt(
                        attempt=row.attempt, ref=batch_of(row), run_id=row.run_id, who=row.who, begun_at=row.begun_at
                    ),
                    row.ended_at,
                )
                for row in connection.execute(query)
            ]

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


def _started(name: str, attempt: str) -> ColumnElement[bool]:
    return (STARTED_RUNS.c.name == name) & (STARTED_RUNS.c.attempt == attempt)
