"""Values as words on a page: times, ages, counts, states."""

from datetime import datetime, timedelta

from readiness_pipelines.contracts import Target
from readiness_pipelines.products import KpiValue, format_value

_STATES = {
    "held": "held",
    "partly_published": "in part",
    "published": "published",
    "open": "still filling",
    "sealed": "not judged",
    "ingested": "not judged",
    "discarded": "discarded",
    "empty": "empty",
}

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


def at_text(at: datetime | None) -> str:
    """A time to the minute, in UTC."""
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M}"


def age_text(since: datetime | None, now: datetime) -> str:
    """How long ago, in one unit or two: ``3 h``, ``2 d 4 h``."""
    return "–" if since is None else span_text(now - since)


def span_text(span: timedelta | None) -> str:
    """A time in one unit or two."""
    if span is None:
        return "–"
    seconds = max(0, int(span.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
        return f"{hours} h {minutes} min" if hours < 6 and minutes else f"{hours} h"  # noqa: PLR2004  # finer is noise
    days, hours = seconds // _DAY, seconds % _DAY // _HOUR
    return f"{days} d {hours} h" if days < 3 and hours else f"{days} d"  # noqa: PLR2004  # as above


def count_text(count: int, what: str) -> str:
    """``1 row``, ``2 rows``, ``2 batches``."""
    if count == 1:
        return f"1 {what}"
    return f"{count:,} {what}{'es' if what.endswith(('ch', 's', 'x')) else 's'}"


def state_text(state: str | None) -> str:
    """Where a batch stands, in a word or two."""
    return "never" if state is None else _STATES.get(str(state), str(state).replace("_", " "))


def value_text(value: KpiValue | None, unit: str) -> str:
    """A product's value as people write it."""
    return "–" if value is None or value.value is None else format_value(value.value, unit)


def target_text(value: KpiValue | None, unit: str) -> str:
    """What a value should be; "" where nothing is set."""
    if value is None or value.target is None:
        return ""
    return bound_text(value.target, unit)


def bound_text(target: Target, unit: str) -> str:
    """A target as people write it: "≤ 5.0 %"."""
    return f"{_SIGNS.get(target.comparison, target.comparison)} {format_value(target.bound, unit)}"


_SIGNS = {"<=": "≤", ">=": "≥"}


def cell_text(value: object) -> str:
    """A cell."""
    return "∅" if value is None else str(value)
