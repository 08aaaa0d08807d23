"""The outbox: messages to channels, kept until they are sent, and the notices each channel was given."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from readiness_pipelines.ledger.keys import new_number
from readiness_pipelines.ledger.tables import INCIDENTS, MESSAGES, NOTICES


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class NoticeKey:
    """What one notice to a channel is known by: that an incident opened, got worse, lasts, was escalated, or is over.

    Attributes:
        incident: The incident.
        what: Which news of it, spelled the same at every look, so that it is sent once.
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
        notices: What is in it.
        written_at: When it was written, in UTC.
        id: Grows with time; 0 before it is kept.
        tries: How often sending failed.
        sent_at: When it was sent; ``None`` before.
        error: Why the last try failed; ``None`` where none did.
    """

    channel: str
    title: str
    body: str
    notices: tuple[NoticeKey, ...]
    written_at: datetime
    id: int = 0
    tries: int = 0
    sent_at: datetime | None = None
    error: str | None = None


def notices_given(connection: Connection) -> Mapping[str, frozenset[NoticeKey]]:
    """The notices each channel was given, or will be as soon as it takes messages."""
    found: dict[str, set[NoticeKey]] = {}
    for row in connection.execute(select(NOTICES)):
        found.setdefault(row.channel, set()).add(NoticeKey(incident=row.incident, what=row.what))
    return {channel: frozenset(keys) for channel, keys in found.items()}


def add_messages(connection: Connection, messages: Sequence[Message]) -> int:
    """Keep the messages with news for their channel; how many.

    Of what another look wrote meanwhile, the notice stays with the message that it wrote.
    """
    kept = 0
    for message in messages:
        rows = connection.execute(select(NOTICES).where(NOTICES.c.channel == message.channel))
        known = {NoticeKey(incident=row.incident, what=row.what) for row in rows}
        new = [key for key in message.notices if key not in known]
        if not new:
            continue
        values = {"channel": message.channel, "title": message.title, "body": message.body, "tries": 0}
        times = {"written_at": message.written_at, "next_try_at": message.written_at}
        number = new_number(connection.execute(insert(MESSAGES).values(**values, **times)))
        for key in new:
            connection.execute(insert(NOTICES).values(channel=message.channel, **asdict(key), message=number))
        kept += 1
    return kept


def messages(connection: Connection, *, unsent: bool, due_at: datetime | None) -> tuple[Message, ...]:
    """Messages, oldest first; only those that were not sent, or that are to be tried at a time."""
    query = select(MESSAGES).order_by(MESSAGES.c.id)
    if unsent or due_at is not None:
        query = query.where(MESSAGES.c.sent_at.is_(None))
    if due_at is not None:
        query = query.where(MESSAGES.c.next_try_at <= due_at)
    rows = connection.execute(query).all()
    notices: dict[int, list[NoticeKey]] = {row.id: [] for row in rows}
    for row in connection.execute(select(NOTICES).where(NOTICES.c.message.in_(list(notices)))):
        notices[row.message].append(NoticeKey(incident=row.incident, what=row.what))
    return tuple(_message(row, notices[row.id]) for row in rows)


def claim_message(connection: Connection, message: Message, *, at: datetime, until: datetime) -> bool:
    """Take a message to send it, until a time at which another sender may; whether it was free to take."""
    free = MESSAGES.c.sent_at.is_(None) & (MESSAGES.c.next_try_at <= at)
    taken = update(MESSAGES).where(MESSAGES.c.id == message.id, free).values(next_try_at=until)
    return connection.execute(taken).rowcount == 1


def mark_sent(connection: Connection, message: Message, *, at: datetime) -> None:
    """Note that a message was sent, and that somebody knows of its incidents now."""
    connection.execute(update(MESSAGES).where(MESSAGES.c.id == message.id).values(sent_at=at, error=None))
    notified = INCIDENTS.c.id.in_({key.incident for key in message.notices})
    connection.execute(update(INCIDENTS).where(notified, INCIDENTS.c.notified_at.is_(None)).values(notified_at=at))


def mark_not_sent(connection: Connection, message: Message, *, error: str, next_try_at: datetime) -> None:
    """Note that a message could not be sent."""
    values = {"tries": MESSAGES.c.tries + 1, "error": error, "next_try_at": next_try_at}
    connection.execute(update(MESSAGES).where(MESSAGES.c.id == message.id).values(**values))


def _message(row: Any, notices: Sequence[NoticeKey]) -> Message:
    return Message(
        id=row.id,
        channel=row.channel,
        title=row.title,
        body=row.body,
        notices=tuple(sorted(notices)),
        written_at=row.written_at,
        tries=row.tries,
        sent_at=row.sent_at,
        error=row.error,
    )
