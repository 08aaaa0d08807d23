"""How fresh a table may be expected to be, by when the files that are there came."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median_high

from readiness_pipelines.batches import Batches
from readiness_pipelines.drafting.file_dates import NameDates


def draft_promise(dates: NameDates, paths: Sequence[Path], batches: Batches, now: datetime) -> tuple[str, bool, str]:
    """How long after a batch's end the files came, with as much time again; and whether that holds now."""
    ends = []
    for time in dates.times:
        window = batches.window(batches.key_at(time.replace(tzinfo=UTC)) or "")
        if window is not None:
            ends.append(window.end)
    late = [
        max(datetime.fromtimestamp(path.stat().st_mtime, tz=UTC) - end, timedelta(0))
        for path, end in zip(paths, ends, strict=True)
    ]
    every = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=31)}[dates.every]
    usual = median_high(late)
    told = usual < 2 * every
    lag = usual if told else timedelta(0)
    warn, fail = (_hours(every + factor * max(lag, every / 12)) for factor in (1, 6))
    seen = (
        f"files came {_hours(lag)} after the end of their {dates.every}"
        if told
        else "the files' times do not tell when they came"
    )
    promised = now - max(ends) < timedelta(hours=int(fail[:-1]))
    off = "" if promised else f"; off, for the newest is of {max(dates.times):%Y-%m-%d}"
    return f'Freshness(warn_after="{warn}", fail_after="{fail}")', promised, f"{seen}{off}"


def _hours(duration: timedelta) -> str:
    return f"{max(1, -(-int(duration.total_seconds()) // 3600))}h"
