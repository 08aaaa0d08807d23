"""When what a batch tells of happened, which may be long before the batch: coarse enough to be kept for each batch."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from readiness_pipelines.batches.kinds import Batches, Calendar, Window

QUARTER = timedelta(minutes=15)
"""What is kept is counted in them. Windows of all zones of today begin and end at one; long ago they did not."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # of instants in UTC, and of clocks on a wall
_RANGES = 1_000
_MOST_LEFT_OUT = 24 * 4 + 2
"""Quarters: no clock was ever put forward by more than a day."""
_LAST_QUARTER = (datetime(9999, 12, 31) - _EPOCH) // QUARTER  # noqa: DTZ001  # as above
_FIRST_QUARTER = (datetime(1, 1, 2) - _EPOCH) // QUARTER  # noqa: DTZ001  # as above


@dataclass(frozen=True, slots=True)
class EventTimes:
    """The quarters of an hour in which what a batch tells of happened.

    Attributes:
        quarters: The first and the last quarter of each stretch, counted from 1970; in order, apart from each other.
            They may hold a quarter without an event, never lack one with.
        zoned: Whether the times are instants; else they are of a clock on a wall, in the zone of whoever asks.
    """

    quarters: tuple[tuple[int, int], ...]
    zoned: bool

    @classmethod
    def of(cls, stretches: Iterable[tuple[int, int]], *, zoned: bool) -> "EventTimes":
        """Of stretches of quarters, in any order. Where there are very many, those with little between them are one."""
        kept = sorted(one for one in stretches if _FIRST_QUARTER <= one[0] <= one[1] <= _LAST_QUARTER)
        gap = 1
        while True:
            joined: list[tuple[int, int]] = []
            for first, last in kept:
                if joined and first - joined[-1][1] <= gap:
                    joined[-1] = joined[-1][0], max(last, joined[-1][1])
                else:
                    joined.append((first, last))
            if len(joined) <= _RANGES:
                return cls(quarters=tuple(joined), zoned=zoned)
            kept, gap = joined, gap * 2

    def in_window(self, batches: Batches, window: Window) -> bool:
        """Whether something may have happened in the time that a batch covers."""
        start, end = bounds(batches, window, zoned=self.zoned)
        first, last = _quarter(start), _quarter(end - timedelta(microseconds=1))
        place = bisect_right(self.quarters, (last, _LAST_QUARTER)) - 1
        return place >= 0 and self.quarters[place][1] >= first

    def keys(self, batches: Batches) -> Iterator[str]:
        """The batches of a calendar in whose time something may have happened, from old to new."""
        grid, start = batches.grid(), batches.first_start()
        if not isinstance(grid, Calendar) or start is None:
            return
        zone = UTC if self.zoned else ZoneInfo(grid.timezone)
        reached = start.replace(tzinfo=None) - timedelta(days=1)  # no zone is further from UTC
        for first, last in self.quarters:
            # Moments, not quarters: until clocks were set alike, batches of many zones began in the midst of one.
            at, end = max(_EPOCH + first * QUARTER, reached), _EPOCH + (last + 1) * QUARTER
            while at < end:
                window = _window_of(batches, at, zone)
                if window is None:
                    break
                if batches.has(window.batch):
                    yield window.batch
                at = reached = bounds(batches, window, zoned=self.zoned)[1]


def bounds(batches: Batches, window: Window, *, zoned: bool) -> tuple[datetime, datetime]:
    """From when up to and without when the batch of a calendar lasts, without a zone.

    Args:
        batches: The calendar.
        window: One of its batches.
        zoned: Whether in UTC; else as the clocks of the calendar's zone show it, where each time is of one batch,
            also those that a clock leaves out or shows twice.
    """
    if zoned:
        return window.start.replace(tzinfo=None), window.end.replace(tzinfo=None)
    grid, following = batches.grid(), batches.key_at(window.end)
    if not isinstance(grid, Calendar) or following is None:
        raise TypeError(f"{batches.name} batches have no calendar")
    zone = ZoneInfo(grid.timezone)
    begin, end = (datetime.strptime(key, grid.key_format) for key in (window.batch, following))  # noqa: DTZ007  # wanted
    while True:
        # A day that the clocks left out (in Apia the 30th of December 2011) has no time, and has a date.
        before = batches.key_at((end - timedelta(microseconds=1)).replace(tzinfo=zone))
        if before in (None, window.batch) or batches.window(before) is None:
            return begin, end
        end = datetime.strptime(before, grid.key_format)  # noqa: DTZ007  # as above


def _quarter(moment: datetime) -> int:
    return (moment - _EPOCH) // QUARTER


def _window_of(batches: Batches, at: datetime, zone: tzinfo) -> Window | None:
    """The window that a moment lies in; an hour that the clock leaves out is of the one before."""
    for back in range(_MOST_LEFT_OUT):
        key = batches.key_at((at - back * QUARTER).replace(tzinfo=zone))
        window = batches.window(key) if key is not None else None
        if window is not None:
            return window
    return None
