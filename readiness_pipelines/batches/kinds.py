"""Which batches a path has: its partitions, said without an orchestrator."""

import re
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, field_validator

from readiness_pipelines.frozen import Contract

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,99}")


def _check_key(key: str) -> str:
    if not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"the batch key {key!r} must be letters, digits and _ . : + -, at most 100 of them")
    return key


def _check_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"unknown time zone {name!r}: write an IANA name such as 'Europe/Berlin'") from error
    return name


BatchKey = Annotated[str, AfterValidator(_check_key)]
TimeZone = Annotated[str, AfterValidator(_check_timezone)]


class StaticBatches(Contract):
    """A fixed list of batches, oldest first.

    Attributes:
        keys: The batches' keys, unique, in order.
    """

    keys: tuple[BatchKey, ...]

    @field_validator("keys")
    @classmethod
    def _unique(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if not keys:
            raise ValueError("a path needs at least one batch")
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"batch keys given twice: {', '.join(twice)}")
        return keys


class DailyBatches(Contract):
    """One batch a day, keyed ``2026-01-31``.

    Attributes:
        start: The first day.
        end: The day after the last; ``None`` while it goes on.
        timezone: IANA name of the zone whose midnight separates the days.
    """

    start: date
    end: date | None = None
    timezone: TimeZone = "UTC"


class HourlyBatches(Contract):
    """One batch an hour, keyed ``2026-01-31-17:00``; `start` is the first day, `timezone` as in `DailyBatches`."""

    start: date
    end: date | None = None
    timezone: TimeZone = "UTC"


Batches = StaticBatches | DailyBatches | HourlyBatches
