"""For how much of a time a table kept its freshness promise, by its calendar and by what was published when."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice, pairwise

from readiness_pipelines.batches import Batches, Calendar, Publication
from readiness_pipelines.batches.schedules import ticks_before
from readiness_pipelines.contracts import Freshness
from readiness_pipelines.durations import later

Span = tuple[datetime, datetime]

_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)

MOST_TICKS = 100_000
"""A schedule is followed for so many ticks at most: every minute of two months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessKept:
    """For how much of a time a promise was kept.

    Attributes:
        start: From when, in UTC: the later of the time asked for and the first publication.
        end: Until when, in UTC.
        spans: When it was broken (over `fail_after`) meanwhile, oldest first.
    """

    start: datetime
    end: datetime
    spans: tuple[Span, ...]

    @property
    def broken(self) -> timedelta:
        """For how long it was broken."""
        return sum((stop - at for at, stop in self.spans), timedelta())

    @property
    def share(self) -> float:
        """The share of the time in which it was kept, 0 to 1."""
        return 1 - self.broken / (self.end - self.start)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A publication, when it counts from (not before its batch has ended), the end and the place of its batch."""

    at: datetime
    end: datetime
    order: tuple[float, str]
    event: datetime | None


def freshness_kept(
    freshness: Freshness, batches: Batches, publications: Sequence[Publication], *, start: datetime, end: datetime
) -> FreshnessKept | None:
    """For how much of a time a table kept its promise; as `assess` would have said at each moment of it.

    Args:
        freshness: The promise.
        batches: The table's batches.
        publications: The batches that consumers see.
        start: The time's beginning, in UTC.
        end: Its end, in UTC: now, where it is not over.

    Returns:
        ``None`` where nothing was promised in all of it: nothing was published yet, or the last batch was before.
    """
    shown = sorted((_shown(batches, one) for one in publications), key=lambda one: one.at)
    if not shown:
        return None
    begins, until = max(start, shown[0].at), min(end, _over_at(batches, shown))
    if begins >= until:
        return None
    found = (
        _too_old(freshness, shown, until)
        if freshness.due is None
        else _missed(freshness, batches, shown, begins, until)
    )
    return FreshnessKept(start=begins, end=until, spans=tuple(_clipped(sorted(found), begins, until)))


def _shown(batches: Batches, publication: Publication) -> _Shown:
    window = batches.window(publication.batch)
    end = window.end if window else publication.first_at
    event = publication.newest_possible_event(window)
    return _Shown(max(publication.first_at, end), end, batches.order(publication.batch), event)


def _over_at(batches: Batches, shown: Sequence[_Shown]) -> datetime:
    """When the promise ended: with the last batch of a calendar that has one, or before anything was shown."""
    never, grid = datetime.max.replace(tzinfo=UTC), batches.grid()
    if not isinstance(grid, Calendar) or grid.end is None:
        return never
    last = batches.last_ended(_END_OF_TIME)
    if last is None or last.end <= shown[0].at:
        return shown[0].at
    return next((one.at for one in shown if one.end >= last.end), never)


def _too_old(freshness: Freshness, shown: Sequence[_Shown], until: datetime) -> Iterator[Span]:
    """When the newest of what was shown was older than promised."""
    counts_from: datetime | None = None
    last: tuple[float, str] | None = None
    for one in shown:
        if freshness.event_time is not None:
            newest = one.event
            newer = newest is not None and (counts_from is None or newest > counts_from)
        else:  # an older version that is published after a newer one makes nothing fresh
            newest, newer = one.end, last is None or one.order > last
        if newest is None or not newer:
            continue
        last = one.order
        if counts_from is not None:
            yield later(counts_from, freshness.fail_after), one.at
        counts_from = newest
    if counts_from is not None:
        yield later(counts_from, freshness.fail_after), until


def _missed(
    freshness: Freshness, batches: Batches, shown: Sequence[_Shown], begins: datetime, until: datetime
) -> Iterator[Span]:
    """From when what was due at each tick was missing, until it was shown, or the next tick counts."""
    ends = list(accumulate((one.end for one in shown), max))
    times = [one.at for one in shown]
    ticks = ticks_before(str(freshness.due), freshness.timezone, until - freshness.fail_after)
    stop = until
    for tick, before in islice(pairwise(ticks), MOST_TICKS):
        late = tick + freshness.fail_after
        if batches.first_start() is None:
            place: int | None = bisect_right(times, before)
        else:
            ended = batches.last_ended(tick)
            place = None if ended is None else bisect_left(ends, ended.end)
        if place is not None:  # something was due
            yield late, min(stop, times[place] if place < len(times) else until)
        if late <= begins:
            return
        stop = late


def _clipped(spans: Sequence[Span], begins: datetime, until: datetime) -> Iterator[Span]:
    """Spans within a time, those that touch as one."""
    last: Span | None = None
    for start, stop in spans:
        at, end = max(start, begins), min(stop, until)
        if at >= end:
            continue
        if last is not None and at <= last[1]:
            last = (last[0], max(last[1], end))
            continue
        if last is not None:
            yield last
        last = (at, end)
    if last is not None:
        yield last
