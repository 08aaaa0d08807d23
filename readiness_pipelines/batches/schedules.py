"""When schedules tick."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator


def _check_cron(expression: str) -> str:
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"{expression!r} is not a cron expression ({error}): write '0 6 * * 1-5'") from error
    return expression


CronExpression = Annotated[str, AfterValidator(_check_cron)]


def ticks_before(expression: str, timezone: str, at: datetime) -> Iterator[datetime]:
    """A schedule's ticks at a time and before, newest first, in UTC."""
    just_after = at.astimezone(ZoneInfo(timezone)) + timedelta(microseconds=1)
    next_minute = just_after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return (tick.astimezone(UTC) for tick in CronSim(expression, next_minute, reverse=True))


def last_ticks(expression: str, timezone: str, at: datetime) -> tuple[datetime, datetime]:
    """The newest tick at a time or before, and the one before that, in UTC."""
    newest, before = islice(ticks_before(expression, timezone, at), 2)
    return newest, before
