"""For how much of a time a promise was kept is what a look at each of its moments would have said."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from readiness_pipelines.batches import Batches, DailyBatches, HourlyBatches, Publication, Versions
from readiness_pipelines.contracts import Freshness
from readiness_pipelines.observability import FreshnessState, assess, freshness_kept

DAYS = DailyBatches(start=date(2026, 1, 1))
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC)
PROMISES = [
    Freshness(warn_after="26h", fail_after="36h"),
    Freshness(warn_after="1h", fail_after="3h", due="0 6 * * *"),
    Freshness(warn_after="1h", fail_after="30h", due="0 6 * * 1-5", timezone="Europe/Vienna"),
    Freshness(warn_after="5h", fail_after="9h", event_time="at"),
]
KINDS: list[tuple[Batches, list[str]]] = [
    (DAYS, [f"2026-01-0{day}" for day in range(1, 8)]),
    (DailyBatches(start=date(2026, 1, 1), end=date(2026, 1, 5)), [f"2026-01-0{day}" for day in range(1, 5)]),
    (HourlyBatches(start=date(2026, 1, 2)), [f"2026-01-02T{hour:02d}" for hour in range(0, 24, 3)]),
    (Versions(), [f"v{number}" for number in range(6)]),
]
MINUTES = st.integers(0, 7 * 24 * 60)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(PROMISES), st.sampled_from(KINDS), st.lists(MINUTES, min_size=6, max_size=6), MINUTES)
@example(PROMISES[0], KINDS[3], [0, 0, 0, 0, 1, 0], 36 * 60)  # an older version is published after a newer one
def test_each_moment_is_broken_where_a_look_would_have_said_failed(
    promise: Freshness, kind: tuple[Batches, list[str]], minutes: list[int], moment: int
) -> None:
    batches, keys = kind
    known = [key for key in keys if batches.has(key)]
    publications = [
        Publication(batch=key, first_at=at, newest_event=at - timedelta(hours=1))
        for key, at in ((key, START + timedelta(minutes=minute)) for key, minute in zip(known, minutes, strict=False))
    ]
    found = freshness_kept(promise, batches, publications, start=START, end=END)
    now = START + timedelta(minutes=moment, seconds=30)
    if found is None or not found.start <= now < found.end:
        return
    there = [one for one in publications if one.first_at <= now]
    look = assess(promise, batches, there, now=now, watched_since=found.start)
    assert (look.state is FreshnessState.FAILED) == any(start < now < stop for start, stop in found.spans)
    assert 0 <= found.share <= 1


def test_a_week_with_one_late_day_and_what_was_never_promised() -> None:
    def day(number: int, late: int = 1) -> Publication:
        return Publication(batch=f"2026-01-0{number}", first_at=START + timedelta(days=number, hours=late))

    promise = Freshness(warn_after="25h", fail_after="26h")
    found = freshness_kept(promise, DAYS, [day(1), day(2), day(3, late=14), day(4)], start=START, end=END)
    assert found is not None
    assert (found.start, found.end) == (START + timedelta(days=1, hours=1), END)
    assert found.spans == (
        (START + timedelta(days=3, hours=2), START + timedelta(days=3, hours=14)),  # the third day came late
        (START + timedelta(days=5, hours=2), END),  # and after the fourth none came
    )
    assert freshness_kept(promise, DAYS, [], start=START, end=END) is None
    assert freshness_kept(promise, DAYS, [day(1)], start=START - timedelta(days=9), end=START) is None


def test_what_was_over_before_anybody_delivered_it_was_never_promised() -> None:
    old = DailyBatches(start=date(2008, 7, 19), end=date(2008, 10, 18))
    shown = [Publication(batch="2008-10-17", first_at=START)]
    promise = Freshness(warn_after="5m", fail_after="1h", due="5 0 * * *")
    assert freshness_kept(promise, old, shown, start=START, end=END) is None


@pytest.mark.parametrize("due", [None, "0 6 * * *"])
def test_ten_thousand_publications_take_no_time(due: str | None) -> None:
    hours = HourlyBatches(start=date(2025, 1, 1))
    first = datetime(2025, 1, 1, tzinfo=UTC)
    shown = [
        Publication(batch=f"{at:%Y-%m-%dT%H}", first_at=at + timedelta(hours=2))
        for at in (first + timedelta(hours=number) for number in range(10_000))
    ]
    promise = Freshness(warn_after="2h", fail_after="3h", due=due)
    found = freshness_kept(promise, hours, shown, start=first, end=first + timedelta(hours=10_000))
    assert found is not None
    assert found.share > 0.99
