"""The kinds of batches: each answers for its own keys, windows and order; nothing else asks which kind it is."""

import re
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, Protocol, runtime_checkable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, field_validator, model_validator

from readiness_pipelines.frozen import Frozen

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,99}")
_BEFORE_ALL = float("-inf")
"""Sorts what has no time before all that has one."""
_FIRST_YEAR = 1000
"""Keys have years of four digits, and not every platform writes earlier ones so."""


class Scope(StrEnum):
    """What a delivery replaces. ``BATCH``: what the table has of the batch. ``TABLE``: all that the table has."""

    BATCH = "batch"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that a batch covers: from `start` up to and without `end`, in UTC."""

    batch: str
    start: datetime
    end: datetime

    def covers(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Batches that are a fixed list of keys."""

    keys: tuple[str, ...]


Every = Literal["quarter_hour", "hour", "day", "week", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Batches that follow the calendar: one each quarter of an hour, hour, day, week or month, keyed by its start."""

    every: Every
    start: date
    end: date | None
    timezone: str
    key_format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """Batches that nobody knows before they arrive."""


Grid = Keys | Calendar | Growing
"""What an orchestrator makes partitions of."""


@runtime_checkable
class Batches(Protocol):
    """A kind of batch. Keys are text; those that are not of the kind are older than all that are.

    Attributes:
        scope: What a delivery replaces.
        name: The kind, in one word: ``daily``.
    """

    scope: ClassVar[Scope]
    name: ClassVar[str]

    def has(self, key: str) -> bool:
        """Whether a key is one of the batches', due or not."""
        ...

    def window(self, key: str) -> Window | None:
        """The time that a batch covers; ``None`` where batches have no calendar, or the key is not one of them."""
        ...

    def key_at(self, moment: datetime) -> str | None:
        """The key of the batch that a moment (with a zone) lies in; ``None`` where batches have no calendar."""
        ...

    def order(self, key: str) -> tuple[float, str]:
        """What sorts batches from old to new."""
        ...

    def first_start(self) -> datetime | None:
        """When the first batch begins, in UTC; ``None`` where batches have no calendar."""
        ...

    def last_ended(self, at: datetime) -> Window | None:
        """The newest batch that has ended at a time; ``None`` where there is none, or batches have no calendar."""
        ...

    def season(self, key: str) -> int | None:
        """What makes some batches alike: the weekday of a day, Monday 0; ``None`` for no such thing."""
        ...

    def grid(self) -> Grid:
        """Which batches there are, for an orchestrator."""
        ...


def in_order(batches: Batches, keys: Iterable[str]) -> list[str]:
    """Keys from old to new; those that are not of the kind come first."""
    return sorted(keys, key=batches.order)


def checked_key(key: str) -> str:
    """A batch key, if it is safe in names of files, partitions and tables.

    Raises:
        ValueError: Other characters, or too many.
    """
    if not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"the batch key {key!r} must be letters, digits and _ . : + -, at most 100 of them")
    return key


def _check_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}: write an IANA name such as 'Europe/Berlin'") from error
    return name


BatchKey = Annotated[str, AfterValidator(checked_key)]
TimeZone = Annotated[str, AfterValidator(_check_timezone)]


class _WithoutCalendar(Frozen):
    """What batches that cover no time share: a fixed list, and versions."""

    def window(self, key: str) -> None:  # a kind's method
        """No batch covers a time; a version is in force from `Versions.in_force_from` until the next one is."""
        return

    def key_at(self, moment: datetime) -> None:  # as above
        """No moment lies in a batch: which version is in force depends on those that are there."""
        return

    def first_start(self) -> None:
        """No calendar, so no start."""
        return

    def last_ended(self, at: datetime) -> None:  # as above
        """No calendar, so no end."""
        return

    def season(self, key: str) -> None:  # as above
        """No calendar, so no seasons."""
        return


class StaticBatches(_WithoutCalendar):
    """A fixed list of batches, oldest first.

    Attributes:
        keys: The batches' keys, unique, in order.

    Example:
        StaticBatches(keys=["extract_01", "extract_02"])
    """

    scope: ClassVar[Scope] = Scope.BATCH
    name: ClassVar[str] = "static"

    keys: tuple[BatchKey, ...]

    @field_validator("keys")
    @classmethod
    def _unique(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if not keys:
            raise ValueError("a table needs at least one batch")
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"batch keys given twice: {', '.join(twice)}")
        return keys

    def has(self, key: str) -> bool:
        """Whether the key is in the list."""
        return key in self.keys

    def order(self, key: str) -> tuple[float, str]:
        """The key's place in the list."""
        return float(self.keys.index(key) if key in self.keys else -1), key

    def grid(self) -> Keys:
        """The list."""
        return Keys(keys=self.keys)


VERSION_KEY = "%Y-%m-%dT%H%M%SZ"
"""How a version is keyed that has no key of its own: by a time in UTC."""


class Versions(_WithoutCalendar):
    """Every delivery replaces the whole table and is a version of it; older versions stay readable.

    A key that begins with a date (``2026-11-24``, ``2026-11-24T061500Z``, ``20261124``) is in force from then on;
    others are ordered as text, from the beginning of time.

    Attributes:
        timezone: IANA name of the zone of dates in keys.
    """

    scope: ClassVar[Scope] = Scope.TABLE
    name: ClassVar[str] = "versions"

    timezone: TimeZone = "UTC"

    def has(self, key: str) -> bool:
        """Whether the key can be a version's."""
        return bool(_KEY.fullmatch(key)) and ".." not in key

    def in_force_from(self, key: str) -> datetime:
        """From when on a version is in force, in UTC; the beginning of time for a key without a date."""
        return _leading_time(key, ZoneInfo(self.timezone)) or datetime.min.replace(tzinfo=UTC)

    def order(self, key: str) -> tuple[float, str]:
        """By the time from which they are in force, then as text."""
        found = _leading_time(key, ZoneInfo(self.timezone))
        return (found.timestamp() if found else _BEFORE_ALL), key

    def grid(self) -> Growing:
        """Nobody knows a version before it arrives."""
        return Growing()


class _CalendarBatches(Frozen):
    """What hours, days, weeks and months share.

    Attributes:
        start: The first day; the batch that it lies in is the first.
        end: The day after the last; ``None`` while it goes on.
        timezone: IANA name of the zone whose midnights (or hours) separate the batches.
    """

    scope: ClassVar[Scope] = Scope.BATCH
    name: ClassVar[str]
    every: ClassVar[Every]
    key_format: ClassVar[str]

    start: date
    end: date | None = None
    timezone: TimeZone = "UTC"

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> "_CalendarBatches":
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"the end ({self.end}) is not after the start ({self.start})")
        return self

    @model_validator(mode="after")
    def _begins_in_time(self) -> "_CalendarBatches":
        begin = self._floor(datetime.combine(self.start, time())).date()
        if begin.year < _FIRST_YEAR:
            raise ValueError(f"the first batch would begin on {begin}, and the first year is {_FIRST_YEAR}")
        try:
            self.first_start()
        except (OverflowError, ValueError):  # there is no time after the year 9999
            raise ValueError(f"the first batch, from {begin} on, would end after the year 9999") from None
        return self

    @classmethod
    @abstractmethod
    def _floor(cls, local: datetime) -> datetime:
        """The wall-clock time at which the batch of a wall-clock time begins."""

    @classmethod
    @abstractmethod
    def _next(cls, begin: datetime) -> datetime:
        """The wall-clock time at which the batch after that begins."""

    @classmethod
    def _window_at(cls, begin: datetime, timezone: str) -> Window:
        zone = ZoneInfo(timezone)
        start, end = (at.replace(tzinfo=zone).astimezone(UTC) for at in (begin, cls._next(begin)))
        return Window(batch=begin.strftime(cls.key_format), start=start, end=end)

    def has(self, key: str) -> bool:
        """Whether the key is one of the calendar's, from the first batch to the last."""
        window, first = self.window(key), self.first_start()
        return window is not None and window.start >= first and (self.end is None or window.start < self._closing())

    def window(self, key: str) -> Window | None:
        """The time that the key names; ``None`` for a key that is not written as the calendar writes it."""
        return _window(type(self), self.timezone, key)

    @classmethod
    def _parsed(cls, timezone: str, key: str) -> Window | None:
        try:
            begin = datetime.strptime(key, cls.key_format)  # noqa: DTZ007  # the zone is the batches'
            if cls._floor(begin) != begin:
                return None
            found = cls._window_at(begin, timezone)
        except (ValueError, OverflowError):
            return None
        return found if found.batch == key else None

    def key_at(self, moment: datetime) -> str:
        """The key of the batch that a moment lies in."""
        try:
            local = moment.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)
        except OverflowError:
            # The zone's clock shows a year that is not written, where no batch is: the nearest key that is none's.
            local = datetime.max if moment.year > _FIRST_YEAR else datetime.min  # noqa: DTZ901  # of a clock on a wall
        return self._floor(local).strftime(self.key_format)

    def order(self, key: str) -> tuple[float, str]:
        """By the time that they cover."""
        window = self.window(key)
        return window.start.timestamp() if window else _BEFORE_ALL, key

    def first_start(self) -> datetime:
        """When the first batch begins."""
        return self._window_at(self._floor(datetime.combine(self.start, time())), self.timezone).start

    def last_ended(self, at: datetime) -> Window | None:
        """The newest batch that has ended at a time."""
        last = self._last()
        if last is not None:
            at = min(at, last.end)
        current = self.window(self.key_at(at))
        before = self.window(self.key_at(current.start - timedelta(microseconds=1))) if current else None
        return before if before is not None and before.start >= self.first_start() else None

    def season(self, key: str) -> int | None:  # a kind's method
        """Only days have seasons."""
        return None

    def grid(self) -> Calendar:
        """The calendar."""
        return Calendar(
            every=self.every, start=self.start, end=self.end, timezone=self.timezone, key_format=self.key_format
        )

    def _last(self) -> Window | None:
        """The last batch: the one that the last instant before the end lies in, even where it goes on after the end."""
        if self.end is None:
            return None
        return self.window(self.key_at(self._closing() - timedelta(microseconds=1)))

    def _closing(self) -> datetime:
        assert self.end is not None  # noqa: S101  # asked only where there is an end
        return datetime.combine(self.end, time(), ZoneInfo(self.timezone)).astimezone(UTC)


class HourlyBatches(_CalendarBatches):
    """One batch an hour, keyed ``2026-01-31-17:00``.

    Example:
        HourlyBatches(start="2026-11-01", timezone="Europe/Vienna")
    """

    name: ClassVar[str] = "hourly"
    every: ClassVar[Every] = "hour"
    key_format: ClassVar[str] = "%Y-%m-%d-%H:%M"

    @classmethod
    def _floor(cls, local: datetime) -> datetime:
        return local.replace(minute=0, second=0, microsecond=0)

    @classmethod
    def _next(cls, begin: datetime) -> datetime:
        return begin + timedelta(hours=1)

    @classmethod
    def _window_at(cls, begin: datetime, timezone: str) -> Window:
        zone = ZoneInfo(timezone)

        def shown(moment: datetime) -> datetime:
            return moment.astimezone(zone).replace(tzinfo=None)

        # As long as the clock shows the hour: none where it leaves it out, half of it (Lord Howe puts it forward by 30
        # minutes), or both times where it shows the hour, or a part of it, twice.
        end = start = begin.replace(tzinfo=zone).astimezone(UTC)
        hour = cls._floor(shown(start))
        while end == start or cls._floor(shown(end)) == hour:
            end += cls._next(cls._floor(shown(end))) - shown(end)
        return Window(batch=hour.strftime(cls.key_format), start=start, end=end)


class QuarterHourlyBatches(_CalendarBatches):
    """One batch a quarter of an hour, keyed ``2026-01-31-17:15``, for streams.

    They are of UTC: where clocks are put back, quarters of other zones would have the same key twice.

    Example:
        QuarterHourlyBatches(start="2026-11-01")
    """

    name: ClassVar[str] = "quarter-hourly"
    every: ClassVar[Every] = "quarter_hour"
    key_format: ClassVar[str] = "%Y-%m-%d-%H:%M"

    @model_validator(mode="after")
    def _of_utc(self) -> "QuarterHourlyBatches":
        if self.timezone != "UTC":
            raise ValueError(f"quarters of an hour are of UTC, not of {self.timezone}: leave timezone out")
        return self

    @classmethod
    def _floor(cls, local: datetime) -> datetime:
        return local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)

    @classmethod
    def _next(cls, begin: datetime) -> datetime:
        return begin + timedelta(minutes=15)


class DailyBatches(_CalendarBatches):
    """One batch a day, keyed ``2026-01-31``.

    Example:
        DailyBatches(start="2026-11-01", end="2027-01-01", timezone="Europe/Vienna")
    """

    name: ClassVar[str] = "daily"
    every: ClassVar[Every] = "day"
    key_format: ClassVar[str] = "%Y-%m-%d"

    @classmethod
    def _floor(cls, local: datetime) -> datetime:
        return datetime.combine(local.date(), time())

    @classmethod
    def _next(cls, begin: datetime) -> datetime:
        return begin + timedelta(days=1)

    def season(self, key: str) -> int | None:
        """The weekday, Monday 0."""
        try:
            return date.fromisoformat(key).weekday()
        except ValueError:
            return None


class WeeklyBatches(_CalendarBatches):
    """One batch a week, from Monday to Sunday, keyed by its Monday: ``2026-01-26``.

    Example:
        WeeklyBatches(start="2026-11-02")
    """

    name: ClassVar[str] = "weekly"
    every: ClassVar[Every] = "week"
    key_format: ClassVar[str] = "%Y-%m-%d"

    @classmethod
    def _floor(cls, local: datetime) -> datetime:
        return datetime.combine(local.date() - timedelta(days=local.weekday()), time())

    @classmethod
    def _next(cls, begin: datetime) -> datetime:
        return begin + timedelta(days=7)


class MonthlyBatches(_CalendarBatches):
    """One batch a month, keyed ``2026-01``.

    Example:
        MonthlyBatches(start="2026-11-01")
    """

    name: ClassVar[str] = "monthly"
    every: ClassVar[Every] = "month"
    key_format: ClassVar[str] = "%Y-%m"

    @classmethod
    def _floor(cls, local: datetime) -> datetime:
        return datetime.combine(local.date().replace(day=1), time())

    @classmethod
    def _next(cls, begin: datetime) -> datetime:
        return begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)


@lru_cache(maxsize=1 << 17)
def _window(kind: type[_CalendarBatches], timezone: str, key: str) -> Window | None:
    """Kept: whoever plans asks for the windows of all batches of a table again and again."""
    return kind._parsed(timezone, key)


_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T_-]?(\d\d)[:-]?(\d\d)[:-]?(\d\d)?)?(Z)?")


def _leading_time(key: str, zone: ZoneInfo) -> datetime | None:
    """The time that a key begins with, in UTC."""
    match = _TIME.match(key)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) if part else 0 for part in match.groups()[:6])
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC if match[7] else zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
