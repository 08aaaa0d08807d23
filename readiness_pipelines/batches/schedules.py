"""When schedules tick."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import dropwhile, islice
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
    # Behind any change of clocks: in an hour that comes twice, CronSim would begin with the first of the two.
    behind = (at.astimezone(UTC) + timedelta(hours=3)).astimezone(ZoneInfo(timezone))
    ticks = (tick.astimezone(UTC) for tick in CronSim(expression, behind, reverse=True))
    return dropwhile(lambda tick: tick > at, ticks)


def last_ticks(expression: str, timezone: str, at: datetime) -> tuple[datetime, datetime]:
    """The newest tick at a time or before, and the one before that, in UTC."""
    newest, before = islice(ticks_before(expression, timezone, at), 2)
    return newest, before
