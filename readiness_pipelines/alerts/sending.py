"""Messages to their channels: what a channel does not take is kept and tried again."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import apprise

from readiness_pipelines.alerts.rules import AlertSettings
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.ledger import Incidents, Message

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
_DOUBLINGS = 6
"""The wait is the longest by then; doubled at each try of two days, it would be longer than a time can be."""
LEASE = timedelta(minutes=5)
"""How long a message belongs to the sender that took it: one that ended under way does not keep it for ever."""
MOST_PIECES = 5
"""What takes more than about so many is cut: services take one each five seconds, and some wake somebody by each."""

_OVERFLOW = re.compile(r"[?&]overflow=", re.IGNORECASE)
"""An address that says itself what becomes of what is too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How many messages were taken, and the errors of those that were not, by channel."""

    sent: int
    errors: tuple[str, ...]


def send_due(settings: AlertSettings, incidents: Incidents, *, clock: Callable[[], datetime]) -> Sent:
    """Send the messages whose time has come, in order by channel.

    A message is sent by one sender at a time, however many look at once. One that arrived and could not be noted is
    sent again when its sender's time is over: better than never.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    sent, errors = 0, []
    due = {message.id for message in incidents.messages(due_at=clock())}
    stopped: set[str] = set()
    for message in incidents.messages(unsent=True):
        # In order: the end of an incident is not announced before its beginning.
        if message.channel in stopped or message.id not in due:
            stopped.add(message.channel)
            continue
        now = clock()
        if not incidents.claim(message, at=now, until=now + LEASE):
            stopped.add(message.channel)  # another sender has it
            continue
        error = _send(settings, message)
        if error is None:
            incidents.sent(message, at=clock())
            sent += 1
        else:
            stopped.add(message.channel)
            wait = min(FIRST_WAIT * 2 ** min(message.tries, _DOUBLINGS), LONGEST_WAIT)
            incidents.not_sent(message, error=error, next_try_at=clock() + wait)
            errors.append(f"{message.channel}: {error}")
    return Sent(sent=sent, errors=tuple(errors))


def _send(settings: AlertSettings, message: Message) -> str | None:
    """Send one message; why it failed, or nothing. What a channel says is kept without its address: it has a secret."""
    try:
        channel, address = apprise.Apprise(), settings.channel(message.channel).url()
        channel.add(address)
    except DeclarationError as error:
        return error.what
    try:
        body = message.body if _OVERFLOW.search(address) else _fitted(message, channel)
        taken = channel.notify(title=message.title, body=body)
    except Exception as error:  # a plugin may raise anything, and one channel must not stop the others
        return type(error).__name__
    return None if taken else "the channel did not take it"


def _fitted(message: Message, channel: apprise.Apprise) -> str:
    """What a channel is sent, in pieces as long as its services take: one that is refused would be refused for ever."""
    services = list(channel)
    for service in services:
        service.overflow_mode = apprise.OverflowMode.SPLIT
    # Pieces end with a paragraph, a line or a word, so that there may be some more where they are short.
    room = (MOST_PIECES - 1) * min(service.body_maxlen for service in services) - len(message.title)
    if len(message.body) <= room:
        return message.body
    more = "\n\n… and more: readiness incidents list"
    shown = message.body[: max(room - len(more), 0)]
    return (shown.rpartition("\n\n")[0] or shown) + more
