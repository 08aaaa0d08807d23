"""Events to their receivers: what one does not take is sent again, and nothing is left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from readiness_pipelines.contracts import Domain
from readiness_pipelines.errors import ReadinessError, first_line
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import Attempt, Receivers, ReceiverState, RefusedEvent, StartedRun, TrailEntry
from readiness_pipelines.openlineage.events import EventMaker, run_uuid
from readiness_pipelines.openlineage.facets import Json
from readiness_pipelines.openlineage.receivers import LastEvent, NotTakenError, Receiver, RefusedError, receivers_of
from readiness_pipelines.settings import Settings

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
LEASE = timedelta(minutes=5)
"""How long a receiver belongs to the sender that took it: one that ended under way does not keep it for ever."""

AT_ONCE = 200
"""So many entries of the trail are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEvents:
    """What came of sending to one receiver.

    Attributes:
        name: The receiver.
        sent: How many events it took.
        refused: How many it will never take; see `Receivers.refused`.
        error: Why it took no more; "" where it took all.
        busy: Whether another sender had it, or its time has not come, and nothing was tried.
    """

    name: str
    sent: int = 0
    refused: int = 0
    error: str = ""
    busy: bool = False


def send_events(
    receiver: Receiver,
    maker: EventMaker,
    *,
    installation: Installation,
    clock: Callable[[], datetime],
    most: int | None = None,
    now: bool = False,
) -> SentEvents:
    """Send a receiver what happened since it was sent something last, in order, and then what began since.

    The beginning of a delivery that is under way is sent at once, and its end when the trail has it. One that was
    killed ends when another one of its batch supersedes it.

    One sender at a time has a receiver. What it refuses for good is kept, and sending goes on with the next event.
    Where it does not answer, or an event cannot be made, sending stops, and is tried again after a minute, then twice
    as long, up to an hour.

    Args:
        receiver: The receiver.
        maker: Makes the events.
        installation: Where the ledger is.
        clock: Says what time it is.
        most: So many entries of the trail are gone through at most; ``None`` for all.
        now: Try now, though it failed a short time ago.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    book = installation.ledger.receivers
    at = clock()
    state = book.state(receiver.name, at=at)
    if now and state.error is not None and state.next_try_at > at:
        book.release(receiver.name, next_try_at=at)
    lease = at + LEASE
    if not book.claim(receiver.name, at=at, until=lease):
        return SentEvents(name=receiver.name, busy=True)
    state = book.state(receiver.name, at=at)
    entry, part = state.entry, state.part
    sent = refused = gone = 0
    next_try_at, error, mine, caught_up = at, None, True, False
    way = _Way(receiver, maker, book, clock)
    try:
        entry, part = _place(receiver, state, installation, at=at)
        while most is None or gone < most:
            # With the entry itself, of which an event may be left.
            left = [one for one in book.entries(after=entry - 1, limit=AT_ONCE) if one.id > entry or part < _PARTS]
            if not left or not mine:
                caught_up = mine
                break
            begun = book.begun({one.attempt for one in left if one.attempt})
            started = book.started(receiver.name)
            for one in left:
                known = started.get(one.attempt or "")
                has = max(_HAS.get(known, 0) if known else 0, part if one.id == entry else 0)
                taken, not_taken = way.send(one, begun.get(one.attempt or ""), has=has)
                sent, refused = sent + taken, refused + not_taken
                entry, part, gone = one.id, _PARTS, gone + 1
                if (until := clock() + LEASE) > lease + LEASE / 2:
                    mine = book.claim(receiver.name, at=lease, until=until)
                    lease = until
                    if not mine:
                        break  # it took so long that another sender has it now
        if caught_up:
            sent += way.send_unfinished()
    except NotTakenError as stopped:
        error, next_try_at = str(stopped), _next_try(state, clock())
    except Exception as broken:  # noted as what is not taken is: else nobody saw it, and each look tried again
        kind = type(broken).__name__  # the text of what is not ours may hold values
        error = f"after entry {entry}: {broken.what if isinstance(broken, ReadinessError) else kind}"
        next_try_at = _next_try(state, clock())
        raise
    finally:
        if mine:
            book.release(receiver.name, next_try_at=next_try_at, error=error)
    return SentEvents(name=receiver.name, sent=sent, refused=refused, error=error or "")


def _next_try(state: ReceiverState, now: datetime) -> datetime:
    """When a receiver is tried again: each time after twice as long, up to an hour."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(state.tries, 10), LONGEST_WAIT)
    return now + wait


_PARTS = 2
"""So many events an entry has at most."""


_HAS = {StartedRun.STARTED: 1, StartedRun.OVER: _PARTS}
"""How many events of a delivery a receiver has, before the trail has it."""


@dataclass(frozen=True, slots=True)
class _Way:
    """From the ledger to a receiver."""

    receiver: Receiver
    maker: EventMaker
    book: Receivers
    clock: Callable[[], datetime]

    def send(self, entry: TrailEntry, begun_at: datetime | None, *, has: int) -> tuple[int, int]:
        """Send the events of an entry of the trail, but for the first that it has; how many were taken, and refused."""
        name, sent, refused = self.receiver.name, 0, 0
        events = self.maker.events(entry, begun_at=begun_at)
        for number in range(has, len(events)):
            taken = _take(
                self.receiver, events[number], _event_of(self.receiver, entry, number, self.clock()), self.book
            )
            sent, refused = sent + taken, refused + (not taken)
            # The beginning stays noted until the end is: a crash between them sends none of them twice.
            ended = entry.attempt if number + 1 == _PARTS else None
            self.book.advance(name, entry=entry.id, part=number + 1, sent_at=self.clock(), ended=ended or "")
        if has >= len(events):
            self.book.advance(name, entry=entry.id, part=_PARTS, sent_at=None, ended=entry.attempt or "")
        return sent, refused

    def send_unfinished(self) -> int:
        """Send the ends of deliveries that were superseded, and the beginnings of those under way; how many it took.

        Raises:
            NotTakenError: The receiver takes nothing now.
        """
        sent = 0
        for attempt, at in self.book.superseded(self.receiver.name):
            sent += self._note(self.maker.superseded(attempt, at=at), attempt, StartedRun.OVER)
        known = self.book.started(self.receiver.name)
        for attempt in self.book.under_way():
            if attempt.attempt not in known:
                sent += self._note(self.maker.started(attempt), attempt, StartedRun.STARTED)
        return sent

    def _note(self, event: Json, attempt: Attempt, state: StartedRun) -> bool:
        """Send an event of a delivery that is not in the trail, and note that; whether it was taken."""
        try:
            self.receiver.take(event)
        except RefusedError:
            # An end that it refuses is not tried for ever; a beginning comes once more, with its end.
            refused = StartedRun.REFUSED if state is StartedRun.STARTED else state
            self.book.note_started(self.receiver.name, attempt.attempt, refused, sent_at=None)
            return False
        self.book.note_started(self.receiver.name, attempt.attempt, state, sent_at=self.clock())
        return True


def _note_last(receiver: Receiver, last: LastEvent, book: Receivers, at: datetime) -> None:
    """Note an event that a receiver says it got last, where its sender ended before it could."""
    attempt, state = last.run.replace("-", ""), StartedRun.STARTED if last.part == 1 else StartedRun.OVER
    if book.knows(attempt) and book.started(receiver.name).get(attempt) != state:
        book.note_started(receiver.name, attempt, state, sent_at=at)


def _place(receiver: Receiver, state: ReceiverState, installation: Installation, *, at: datetime) -> tuple[int, int]:
    """How far a receiver is: as the ledger noted, or as it says itself, where it got something that was not noted."""
    last = receiver.last()
    if last is not None and not last.entry:
        _note_last(receiver, last, installation.ledger.receivers, at)
    if last is not None and (last.entry, last.part) > (state.entry, state.part):
        for one in installation.ledger.receivers.entries(after=last.entry - 1, limit=1):
            if one.id == last.entry and one.attempt is not None and run_uuid(one.attempt) == last.run:
                return last.entry, last.part
    return state.entry, state.part


def _event_of(receiver: Receiver, entry: TrailEntry, part: int, at: datetime) -> RefusedEvent:
    return RefusedEvent(name=receiver.name, entry=entry.id, part=part, at=at, error="")


def _take(receiver: Receiver, event: Json, place: RefusedEvent, book: Receivers) -> bool:
    """Whether a receiver took an event; what it refuses is kept."""
    try:
        receiver.take(event)
    except RefusedError as error:
        book.refuse(replace(place, error=str(error)))
        return False
    return True


def send_again(
    receiver: Receiver, maker: EventMaker, *, installation: Installation, clock: Callable[[], datetime]
) -> SentEvents:
    """Send a receiver once more what it refused.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    book, sent, refused = installation.ledger.receivers, 0, 0
    for one in book.refused(receiver.name):
        (entry,) = book.entries(after=one.entry - 1, limit=1)
        begun_at = book.begun([entry.attempt or ""]).get(entry.attempt or "")
        event = maker.events(entry, begun_at=begun_at)[one.part]
        try:
            taken = _take(receiver, event, replace(one, at=clock()), book)
        except NotTakenError as stopped:
            return SentEvents(name=receiver.name, sent=sent, refused=refused, error=str(stopped))
        if taken:
            book.accept(one)
        sent, refused = sent + taken, refused + (not taken)
    return SentEvents(name=receiver.name, sent=sent, refused=refused)


def skip_to_now(receiver: Receiver, *, installation: Installation, at: datetime) -> int:
    """Let a receiver begin with what happens from now on; the trail's last entry, which it will not get.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    book = installation.ledger.receivers
    book.state(receiver.name, at=at)
    last = installation.ledger.trail(limit=1)
    entry = last[-1].id if last else 0
    book.advance(receiver.name, entry=entry, part=_PARTS, sent_at=None)
    return entry


def send_to_all(
    domains: Sequence[Domain],
    settings: Settings,
    *,
    installation: Installation,
    clock: Callable[[], datetime],
    most: int | None = None,
) -> tuple[SentEvents, ...]:
    """Send every receiver of the settings what is due. Whatever goes wrong is in the result: it stops nothing.

    Args:
        domains: The domains in the code.
        settings: Name the receivers.
        installation: Where the ledger and the tables are.
        clock: Says what time it is.
        most: So many entries of the trail are gone through at most for each; ``None`` for all.
    """
    if not settings.openlineage:
        return ()
    try:
        maker = EventMaker(domains, installation=installation, namespace=settings.openlineage_namespace)
        chosen = receivers_of(settings)
    except ReadinessError as error:
        return (SentEvents(name="openlineage", error=error.what),)
    found = []
    for receiver in chosen:
        try:
            found.append(send_events(receiver, maker, installation=installation, clock=clock, most=most))
        except Exception as error:  # law 7: nothing that only watches can stop a delivery
            found.append(SentEvents(name=receiver.name, error=f"{type(error).__name__}: {first_line(error)}"))
    return tuple(found)
