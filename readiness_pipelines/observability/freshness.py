"""Whether a table keeps its freshness promise: a function of the calendar, of what was published when, and of now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from readiness_pipelines.batches import Batches, Calendar, Publication
from readiness_pipelines.batches.schedules import last_ticks
from readiness_pipelines.contracts import Freshness
from readiness_pipelines.durations import format_duration, later


class FreshnessState(StrEnum):
    """Where a table stands with its promise.

    ``FRESH``: it keeps it. ``LATE`` and ``FAILED``: over the first, over the second bound. ``NEVER``: nothing was ever
    published, and nothing is late yet. ``RECOVERED``: fresh again since the last look.
    """

    FRESH = "fresh"
    LATE = "late"
    FAILED = "failed"
    NEVER = "never"
    RECOVERED = "recovered"


_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)

BAD = frozenset({FreshnessState.LATE, FreshnessState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFreshness:
    """Where a table stands with its promise.

    Attributes:
        state: Where it stands.
        since: Since when, in UTC; ``None`` where nothing was published and nothing is late.
        newest: The newest due batch that is published; ``None`` without one.
        age: How old what it shows is; ``None`` without anything to count from.
        late_at: When it becomes, or became, late; ``None`` where that is not known.
        promised: The promise, for people.
        seen: What there is, for people.
    """

    state: FreshnessState
    since: datetime | None
    newest: str | None
    age: timedelta | None
    late_at: datetime | None
    promised: str
    seen: str


def assess(
    freshness: Freshness,
    batches: Batches,
    publications: Sequence[Publication],
    *,
    now: datetime,
    watched_since: datetime,
    before: FreshnessState | None = None,
    still_open: Publication | None = None,
) -> TableFreshness:
    """Hold a table against its promise, which ends with its last batch.

    Args:
        freshness: The promise.
        batches: The table's batches.
        publications: The batches that consumers see.
        now: The time.
        watched_since: When somebody first looked: what is never filled and has no calendar counts from here.
        before: The state at the last look.
        still_open: What a stream shows of a window that is open: where an age is promised, it counts, too.
    """
    late_at: datetime | None
    failed_at: datetime | None
    due = _due(batches, publications, now)
    newest = max(due, key=lambda publication: batches.order(publication.batch), default=None)
    start = _counts_from(freshness, batches, due, newest)
    if still_open is not None and still_open.newest_event is not None and freshness.due is None:
        newest = still_open
        shown = min(still_open.newest_event, now)  # the clock of a sender may be ahead
        start = max(shown, start) if start else shown
    if _over(batches, newest, now, watched_since):
        late_at = failed_at = None
    elif freshness.due is None:
        counts_from = start or batches.first_start() or watched_since
        late_at, failed_at = later(counts_from, freshness.warn_after), later(counts_from, freshness.fail_after)
    else:
        late_at, failed_at = _missed(freshness, batches, due, now, watched_since)
    age = None if newest is None or start is None else now - start
    state, since = _state(late_at, failed_at, newest, now)
    if before in BAD and state is FreshnessState.FRESH:
        state = FreshnessState.RECOVERED
    return TableFreshness(
        state=state,
        since=since,
        newest=newest.batch if newest else None,
        age=age,
        late_at=late_at,
        promised=promise_text(freshness),
        seen=_seen(newest, age),
    )


def promise_text(freshness: Freshness) -> str:
    """The promise in words."""
    warn, fail = format_duration(freshness.warn_after), format_duration(freshness.fail_after)
    if freshness.due is not None:
        return f"due at '{freshness.due}' {freshness.timezone}, late {warn} after, broken {fail} after"
    what = f"the newest {freshness.event_time}" if freshness.event_time else "the newest published batch"
    return f"{what} is at most {warn} old, broken at {fail}"


def _due(batches: Batches, publications: Sequence[Publication], now: datetime) -> list[Publication]:
    """Those whose time is over: a batch published before its end says nothing about it."""
    windows = ((publication, batches.window(publication.batch)) for publication in publications)
    return [publication for publication, window in windows if window is None or window.end <= now]


def _counts_from(
    freshness: Freshness, batches: Batches, due: Sequence[Publication], newest: Publication | None
) -> datetime | None:
    """What an age counts from."""
    if newest is None:
        return None
    if freshness.event_time is not None:
        events = (one.newest_possible_event(batches.window(one.batch)) for one in due)
        return max((event for event in events if event is not None), default=None)
    window = batches.window(newest.batch)
    return window.end if window else newest.first_at


def _over(batches: Batches, newest: Publication | None, now: datetime, watched_since: datetime) -> bool:
    """Whether nothing is promised any more: the last batch is published, or was over before anybody watched."""
    grid = batches.grid()
    if not isinstance(grid, Calendar) or grid.end is None:
        return False
    last = batches.last_ended(_END_OF_TIME)
    if last is None or last.end > now:
        return False
    window = batches.window(newest.batch) if newest else None
    return last.end <= watched_since or (window is not None and window.end >= last.end)


def _missed(
    freshness: Freshness, batches: Batches, due: Sequence[Publication], now: datetime, watched_since: datetime
) -> tuple[datetime | None, datetime | None]:
    """When the table became late, and failed, by its schedule; ``None`` where it did not."""
    bounds = []
    for delay in (freshness.warn_after, freshness.fail_after):
        tick, before = last_ticks(str(freshness.due), freshness.timezone, now - delay)
        bounds.append(None if _met(batches, due, tick, before, watched_since) else tick + delay)
    return bounds[0], bounds[1]


def _met(
    batches: Batches, due: Sequence[Publication], tick: datetime, before: datetime, watched_since: datetime
) -> bool:
    """Whether what was due at a tick is there."""
    if batches.first_start() is None:
        return tick < watched_since or any(publication.first_at > before for publication in due)
    ended = batches.last_ended(tick)
    if ended is None:
        return True
    windows = (batches.window(publication.batch) for publication in due)
    return any(window is not None and window.end >= ended.end for window in windows)


def _state(
    late_at: datetime | None, failed_at: datetime | None, newest: Publication | None, now: datetime
) -> tuple[FreshnessState, datetime | None]:
    if failed_at is not None and now > failed_at:
        return FreshnessState.FAILED, failed_at
    if late_at is not None and now > late_at:
        return FreshnessState.LATE, late_at
    if newest is None:
        return FreshnessState.NEVER, None
    return FreshnessState.FRESH, newest.first_at


def _seen(newest: Publication | None, age: timedelta | None) -> str:
    if newest is None:
        return "nothing is published"
    old = f", {format_duration(timedelta(seconds=round(age.total_seconds())))} old" if age is not None else ""
    return f"{newest.batch}, first published {newest.first_at:%Y-%m-%d %H:%M} UTC{old}"
