"""When batches begin and end, and when schedules tick."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator

from readiness_pipelines.batches.kinds import Batches, DailyBatches, HourlyBatches, StaticBatches

HOURLY_KEY = "%Y-%m-%d-%H:%M"


def _check_cron(expression: str) -> str:
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"{expression!r} is no cron expression ({error}): write '0 6 * * 1-5'") from error
    return expression


CronExpression = Annotated[str, AfterValidator(_check_cron)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that a batch covers: from `start` up to and without `end`, in UTC."""

    batch: str
    start: datetime
    end: datetime


def window_of(batches: Batches, batch: str) -> Window | None:
    """The time that a batch covers; ``None`` where batches have no calendar, or the key is not of it."""
    try:
        match batches:
            case StaticBatches():
                return None
            case DailyBatches():
                return _day(date.fromisoformat(batch), batches.timezone)
            case HourlyBatches():
                naive = datetime.strptime(batch, HOURLY_KEY)  # noqa: DTZ007  # the zone is the batches'
                return _hour(naive.replace(tzinfo=ZoneInfo(batches.timezone)).astimezone(UTC), batches.timezone)
    except ValueError:
        return None


def has_batch(batches: Batches, batch: str) -> bool:
    """Whether a key is one of the batches', due or not."""
    return batch in batches.keys if isinstance(batches, StaticBatches) else window_of(batches, batch) is not None


def in_order(batches: Batches, keys: Iterable[str]) -> list[str]:
    """Keys from old to new; those that are not of the path come first."""
    if isinstance(batches, StaticBatches):
        places = {key: place for place, key in enumerate(batches.keys)}
        return sorted(keys, key=lambda key: (places.get(key, -1), key))
    return sorted(keys, key=lambda key: order_of(batches, key))


def order_of(batches: Batches, batch: str) -> tuple[float, str]:
    """What sorts batches from old to new; a key that is not of the path comes first."""
    if isinstance(batches, StaticBatches):
        return float(batches.keys.index(batch) if batch in batches.keys else -1), batch
    window = window_of(batches, batch)
    return window.start.timestamp() if window else -1.0, batch


def weekday_of(batches: Batches, batch: str) -> int | None:
    """The weekday of a day, Monday 0; ``None`` where batches are not days."""
    try:
        return date.fromisoformat(batch).weekday() if isinstance(batches, DailyBatches) else None
    except ValueError:
        return None


def first_start(batches: Batches) -> datetime | None:
    """When the first batch begins, in UTC; ``None`` where batches have no calendar."""
    if isinstance(batches, StaticBatches):
        return None
    return datetime.combine(batches.start, time(), ZoneInfo(batches.timezone)).astimezone(UTC)


def last_ended(batches: Batches, at: datetime) -> Window | None:
    """The newest batch that has ended at a time; ``None`` where there is none, or batches have no calendar."""
    if isinstance(batches, StaticBatches):
        return None
    zone = ZoneInfo(batches.timezone)
    if batches.end is not None:
        at = min(at, datetime.combine(batches.end, time(), zone).astimezone(UTC))
    if isinstance(batches, DailyBatches):
        found = _day(at.astimezone(zone).date() - timedelta(days=1), batches.timezone)
    else:
        full = at.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        found = _hour(full - timedelta(hours=1), batches.timezone)
    begins = first_start(batches)
    return found if begins is not None and found.start >= begins else None


def ticks_before(expression: str, timezone: str, at: datetime) -> Iterator[datetime]:
    """A schedule's ticks at a time and before, newest first, in UTC."""
    just_after = at.astimezone(ZoneInfo(timezone)) + timedelta(microseconds=1)
    return (tick.astimezone(UTC) for tick in CronSim(expression, _next_minute(just_after), reverse=True))


def last_ticks(expression: str, timezone: str, at: datetime) -> tuple[datetime, datetime]:
    """The newest tick at a time or before, and the one before that, in UTC."""
    newest, before = islice(ticks_before(expression, timezone, at), 2)
    return newest, before


def _next_minute(at: datetime) -> datetime:
    floor = at.replace(second=0, microsecond=0)
    return floor + timedelta(minutes=1)


def _day(day: date, timezone: str) -> Window:
    zone = ZoneInfo(timezone)
    start, end = (datetime.combine(at, time(), zone).astimezone(UTC) for at in (day, day + timedelta(days=1)))
    return Window(batch=day.isoformat(), start=start, end=end)


def _hour(start: datetime, timezone: str) -> Window:
    key = start.astimezone(ZoneInfo(timezone)).strftime(HOURLY_KEY)
    return Window(batch=key, start=start, end=start + timedelta(hours=1))
