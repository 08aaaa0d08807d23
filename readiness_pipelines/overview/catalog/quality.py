"""How good a table's data was, month by month: from what became of its batches, and when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median
from zoneinfo import ZoneInfo

from readiness_pipelines.batches import Batches, BatchState, Calendar, Counts
from readiness_pipelines.ledger import OutcomeRecord, StateChange, counts_of

_ENDS_A_HOLD = frozenset(
    {state.value for state in BatchState if state.visible} | {BatchState.DISCARDED.value, BatchState.EMPTY.value}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldTime:
    """A time in which a batch was held.

    Attributes:
        batch: The batch.
        since: From when, in UTC.
        until: When it was published or discarded, in UTC; ``None`` while it is held.
    """

    batch: str
    since: datetime
    until: datetime | None

    def lasts(self, now: datetime) -> timedelta:
        """How long it was held, up to now."""
        return (self.until or now) - self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityMonth:
    """How good the batches of a calendar month are.

    Attributes:
        month: The month: ``2026-11``.
        batches: How many batches belong to it: by the end of the time that they cover; without a calendar, by when
            they first had a verdict.
        held_now: How many of them are held.
        counts: Their rows, accounted for.
        holds: How often a batch was held in the month.
        repaired: How many of these are published or discarded by now.
        repair_time: The median time that these took; ``None`` where there are none.
    """

    month: str
    batches: int
    held_now: int
    counts: Counts
    holds: int
    repaired: int
    repair_time: timedelta | None

    @property
    def pass_share(self) -> float | None:
        """The share of the rows that are published, 0 to 1, without those of erased persons; ``None`` of no rows."""
        return pass_share(self.counts)


def pass_share(counts: Counts) -> float | None:
    """The share of rows that are published, 0 to 1, without those of erased persons; ``None`` of no rows."""
    there = counts.ingested - counts.erased
    return counts.published / there if there > 0 else None


def median_time(times: Sequence[timedelta]) -> timedelta | None:
    """The median of some times; ``None`` of none."""
    return timedelta(seconds=median(time.total_seconds() for time in times)) if times else None


def holds_of(turns: Sequence[StateChange]) -> tuple[HeldTime, ...]:
    """The times in which batches of a table were held, in the order in which they began.

    Args:
        turns: When its batches came to their states, oldest first.
    """
    since: dict[str, datetime] = {}
    found: list[HeldTime] = []
    for turn in turns:
        if turn.what == BatchState.HELD.value:
            since.setdefault(turn.batch, turn.at)  # held again is held still
        elif turn.what in _ENDS_A_HOLD and turn.batch in since:
            found.append(HeldTime(batch=turn.batch, since=since.pop(turn.batch), until=turn.at))
    found += [HeldTime(batch=batch, since=at, until=None) for batch, at in since.items()]
    return tuple(sorted(found, key=lambda hold: hold.since))


def months_of(batches: Batches, turns: Sequence[StateChange], outcomes: Iterable[OutcomeRecord]) -> Mapping[str, str]:
    """The calendar month that each batch of a table belongs to, as ``2026-11``: by the batches' own clock."""
    grid = batches.grid()
    zone: tzinfo = ZoneInfo(grid.timezone) if isinstance(grid, Calendar) else UTC
    first: dict[str, datetime] = {}
    for turn in turns:
        first.setdefault(turn.batch, turn.at)
    found: dict[str, str] = {}
    for outcome in outcomes:
        window = batches.window(outcome.batch)
        # A day ends when the next begins: what counts is its last moment.
        if window is not None:
            found[outcome.batch] = month_of(window.end - timedelta(microseconds=1), zone)
        elif outcome.batch in first:
            found[outcome.batch] = month_of(first[outcome.batch])
    return found


def month_of(at: datetime, zone: tzinfo = UTC) -> str:
    """The calendar month of a time, in UTC or another zone: ``2026-11``."""
    there = at.astimezone(zone)
    return f"{there.year:04d}-{there.month:02d}"


def month_span(month: str) -> tuple[datetime, datetime]:
    """When a month begins, and when the next one does, in UTC."""
    begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return begin, (begin + timedelta(days=32)).replace(day=1)


def quality_months(
    batches: Batches,
    outcomes: Sequence[OutcomeRecord],
    turns: Sequence[StateChange],
    holds: Sequence[HeldTime],
    *,
    most: int,
) -> tuple[QualityMonth, ...]:
    """How good a table's batches are, by month, oldest first: of so many of the newest months."""
    by_month: dict[str, list[OutcomeRecord]] = {}
    months = months_of(batches, turns, outcomes)
    for outcome in outcomes:
        if outcome.state is not BatchState.INGESTED and outcome.batch in months:
            by_month.setdefault(months[outcome.batch], []).append(outcome)
    held: dict[str, list[HeldTime]] = {}
    for hold in holds:
        held.setdefault(month_of(hold.since), []).append(hold)
    return tuple(
        _quality_month(month, by_month.get(month, []), held.get(month, []))
        for month in sorted({*by_month, *held})[-most:]
    )


def _quality_month(month: str, outcomes: Sequence[OutcomeRecord], holds: Sequence[HeldTime]) -> QualityMonth:
    took = [hold.until - hold.since for hold in holds if hold.until is not None]
    return QualityMonth(
        month=month,
        batches=len(outcomes),
        held_now=sum(one.state is BatchState.HELD for one in outcomes),
        counts=counts_of(outcomes),
        holds=len(holds),
        repaired=len(took),
        repair_time=median_time(took),
    )
