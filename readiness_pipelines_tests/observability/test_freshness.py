"""A freshness promise: what makes a table late, what makes it fresh, and what does not."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness_pipelines.batches import DailyBatches, HourlyBatches, Publication, StaticBatches
from readiness_pipelines.batches.schedules import last_ticks
from readiness_pipelines.contracts import Freshness
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.observability import FreshnessState, TableFreshness, assess, freshness_kept

DAYS = DailyBatches(start=date(2026, 1, 1))
PROMISE = Freshness(warn_after="26h", fail_after="50h")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def published(**batches: str) -> list[Publication]:
    return [Publication(batch=key.strip("_").replace("_", "-"), first_at=at(when)) for key, when in batches.items()]


def look(publications: list[Publication], now: str, promise: Freshness = PROMISE, **options: Any) -> TableFreshness:
    given = {"batches": DAYS, "watched_since": at("2026-01-01"), **options}
    return assess(promise, given.pop("batches"), publications, now=at(now), **given)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-01-04 01:59", "fresh"),
        ("2026-01-04 02:00", "fresh"),
        ("2026-01-04 02:01", "late"),
        ("2026-01-05 02:00", "late"),
        ("2026-01-05 02:01", "failed"),
    ],
)
def test_an_age_counts_from_the_end_of_the_newest_published_day(now: str, state: str) -> None:
    found = look(published(_2026_01_01="2026-01-02 01:00", _2026_01_02="2026-01-03 01:00"), now)
    assert (found.state, found.newest) == (state, "2026-01-02")


def test_lateness_began_when_the_bound_was_crossed() -> None:
    found = look(published(_2026_01_01="2026-01-02 01:00"), "2026-01-03 12:00")
    assert (found.since, found.age) == (at("2026-01-03 02:00"), timedelta(hours=36))


ENDED = DailyBatches(start=date(2026, 1, 1), end=date(2026, 1, 4))
TO_THE_END = published(_2026_01_03="2026-01-04 01:00")
ALMOST = published(_2026_01_02="2026-01-03 01:00")


@pytest.mark.parametrize("due", [None, "0 6 * * *"])
@pytest.mark.parametrize(
    ("publications", "watched", "state"),
    [
        pytest.param([], "2026-03-01", "never", id="over before anybody watched"),
        pytest.param(ALMOST, "2026-01-04", "fresh", id="over before anybody watched, in part there"),
        pytest.param(TO_THE_END, "2026-01-01", "fresh", id="whole"),
        pytest.param(ALMOST, "2026-01-01", "failed", id="the last day is missing"),
        pytest.param([], "2026-01-01", "failed", id="all are missing"),
    ],
)
def test_a_promise_ends_with_the_last_day(
    publications: list[Publication], watched: str, state: str, due: str | None
) -> None:
    promise = Freshness(warn_after="26h", fail_after="50h", due=due)
    found = look(publications, "2026-03-02", promise, batches=ENDED, watched_since=at(watched))
    assert found.state == state
    assert (found.late_at is None) == (state != "failed")


def test_an_old_day_published_now_makes_nothing_fresh() -> None:
    before = published(_2026_01_03="2026-01-04 01:00")
    backfill = published(_2026_01_01="2026-01-05 11:59")
    assert look(before, "2026-01-05 12:00").state == "late"
    assert look(before + backfill, "2026-01-05 12:00").state == "late"


def test_a_day_published_before_it_is_over_says_nothing_about_it() -> None:
    early = published(_2026_01_01="2026-01-02 01:00", _2026_01_09="2026-01-03 01:00")
    assert look(early, "2026-01-03 12:00").state == "late"


@pytest.mark.parametrize(
    ("now", "state"), [("2026-01-01 12:00", "never"), ("2026-01-02 02:01", "late"), ("2026-01-03 02:01", "failed")]
)
def test_what_is_never_filled_is_late_from_its_first_due_time(now: str, state: str) -> None:
    assert look([], now).state == state


def test_without_a_calendar_an_age_counts_from_the_first_publication_of_the_newest_batch() -> None:
    drops = StaticBatches(keys=("a", "b", "c"))
    there = published(a="2026-01-01 00:00", b="2026-01-02 00:00")
    replayed_old = published(a="2026-01-09 00:00", b="2026-01-02 00:00")
    for publications in (there, replayed_old):
        found = look(publications, "2026-01-03 03:00", batches=drops)
        assert (found.state, found.newest, found.age) == ("late", "b", timedelta(hours=27))


def test_what_was_never_filled_and_has_no_calendar_counts_from_the_first_look() -> None:
    drops = StaticBatches(keys=("a",))
    since: dict[str, Any] = {"batches": drops, "watched_since": at("2026-03-01")}
    assert look([], "2026-03-02 01:00", **since).state == "never"
    assert look([], "2026-03-02 03:00", **since).state == "late"


def test_the_newest_event_decides_where_it_is_promised() -> None:
    promise = Freshness(warn_after="2h", fail_after="4h", event_time="seen_at")
    hours = HourlyBatches(start=date(2026, 1, 1))
    batch = Publication(batch="2026-01-01-10:00", first_at=at("2026-01-01 11:01"), newest_event=at("2026-01-01 10:05"))
    assert look([batch], "2026-01-01 12:04", promise, batches=hours).state == "fresh"
    assert look([batch], "2026-01-01 12:06", promise, batches=hours).state == "late"


@pytest.mark.parametrize("ahead", ["2026-01-01 15:00", "9999-12-31 23:59:59"])
def test_an_event_in_the_future_is_as_old_as_its_batch(ahead: str) -> None:
    promise = Freshness(warn_after="2h", fail_after="4h", event_time="seen_at")
    hours = HourlyBatches(start=date(2026, 1, 1))
    batch = Publication(batch="2026-01-01-10:00", first_at=at("2026-01-01 11:01"), newest_event=at(ahead))
    looks = [look([batch], f"2026-01-01 {hour}", promise, batches=hours) for hour in ("13:00", "13:02", "15:02")]
    assert [found.state for found in looks] == ["fresh", "late", "failed"]
    assert looks[0].age == timedelta(hours=1, minutes=59)
    still_open = Publication(batch="2026-01-01-11:00", first_at=at("2026-01-01 11:20"), newest_event=at(ahead))
    assert look([], "2026-01-01 11:30", promise, batches=hours, still_open=still_open).age == timedelta()
    kept = freshness_kept(promise, hours, [batch], start=at("2026-01-01"), end=at("2026-01-02"))
    assert kept is not None
    assert kept.spans == ((at("2026-01-01 15:01"), at("2026-01-02")),)


def test_what_has_no_window_is_as_new_as_its_last_publication() -> None:
    promise = Freshness(warn_after="2h", fail_after="4h", event_time="seen_at")
    first, last = at("2026-01-01 11:00"), at("2026-01-05 11:00")
    batch = Publication(batch="a", first_at=first, newest_event=last - timedelta(minutes=5), last_at=last)
    found = look([batch], "2026-01-05 12:00", promise, batches=StaticBatches(keys=("a",)))
    assert (found.state, found.age) == ("fresh", timedelta(hours=1, minutes=5))


WEEKDAYS = Freshness(due="0 6 * * 1-5", timezone="Europe/Berlin", warn_after="30m", fail_after="3h")


@pytest.mark.parametrize(
    ("now", "state"),
    [
        # 2026-01-05 is a Monday: 06:00 in Berlin is 05:00 UTC. Sunday's batch is asked for.
        ("2026-01-05 05:29", "fresh"),
        ("2026-01-05 05:30", "fresh"),
        ("2026-01-05 05:31", "late"),
        ("2026-01-05 08:01", "failed"),
    ],
)
def test_a_schedule_asks_for_the_newest_batch_that_has_ended(now: str, state: str) -> None:
    friday = published(_2026_01_01="2026-01-02 01:00")
    assert look(friday, now, WEEKDAYS).state == state
    sunday = published(_2026_01_04="2026-01-05 05:29")
    assert look(friday + sunday, now, WEEKDAYS).state == "fresh"


def test_a_schedule_asks_for_nothing_on_other_days() -> None:
    thursday = published(_2026_01_01="2026-01-02 01:00")
    assert look(thursday, "2026-01-04 23:00", WEEKDAYS).state == "fresh"


def test_a_schedule_without_a_calendar_asks_for_something_new_each_time() -> None:
    daily = Freshness(due="0 6 * * *", warn_after="1h", fail_after="2h")
    drops = StaticBatches(keys=("a", "b"))
    there = published(a="2026-01-02 05:00")
    assert look(there, "2026-01-02 07:30", daily, batches=drops).state == "fresh"
    assert look(there, "2026-01-03 07:30", daily, batches=drops).state == "late"
    assert look(there + published(b="2026-01-03 07:20"), "2026-01-03 07:30", daily, batches=drops).state == "fresh"


def test_a_table_that_was_late_recovers_once() -> None:
    there = published(_2026_01_01="2026-01-02 01:00")
    for before, state in (("late", "recovered"), ("failed", "recovered"), ("recovered", "fresh"), ("never", "fresh")):
        assert look(there, "2026-01-02 12:00", before=FreshnessState(before)).state == state


@given(hours=st.integers(0, 24 * 90), gaps=st.sets(st.integers(0, 89)))
def test_publishing_more_never_makes_a_table_staler(hours: int, gaps: set[int]) -> None:
    """Whatever was published, one more batch leaves the age as it is or lowers it."""
    first = date(2026, 1, 1)
    keys = [(first + timedelta(days=day)).isoformat() for day in sorted(gaps)]
    now = at("2026-01-01") + timedelta(hours=hours)
    some = [Publication(batch=key, first_at=now) for key in keys]
    rank = list(FreshnessState).index
    worst = FreshnessState.FRESH
    for count in range(len(some), -1, -1):
        state = assess(PROMISE, DAYS, some[:count], now=now, watched_since=now).state
        if state is not FreshnessState.NEVER:
            assert rank(state) >= rank(worst)
            worst = state


def test_days_follow_their_zone_over_a_change_of_clocks() -> None:
    berlin = DailyBatches(start=date(2026, 3, 1), timezone="Europe/Berlin")
    window = berlin.window("2026-03-29")
    assert window is not None
    assert window.end - window.start == timedelta(hours=23)
    ended = berlin.last_ended(at("2026-03-29 22:00"))
    assert ended is not None
    assert ended.batch == "2026-03-29"
    assert berlin.last_ended(at("2026-02-28 23:30")) is None


def test_a_tick_that_the_clocks_skip_comes_right_after() -> None:
    newest, before = last_ticks("30 2 * * *", "Europe/Berlin", at("2026-03-29 12:00"))
    assert (newest, before) == (at("2026-03-29 01:00"), at("2026-03-28 01:30"))


def test_in_the_hour_that_comes_twice_the_newest_tick_is_of_now() -> None:
    again = at("2026-10-25 01:20")
    assert last_ticks("*/15 * * * *", "Europe/Berlin", again) == (at("2026-10-25 01:15"), at("2026-10-25 01:00"))
    assert last_ticks("30 2 * * *", "Europe/Berlin", again) == (at("2026-10-25 00:30"), at("2026-10-24 00:30"))
    assert last_ticks("*/15 * * * *", "Europe/Berlin", at("2026-10-25 01:15"))[0] == at("2026-10-25 01:15")


@pytest.mark.parametrize(
    "wrong",
    [
        {"warn_after": "2h", "fail_after": "1h"},
        {"warn_after": "1h", "fail_after": "2h", "due": "every day"},
        {"warn_after": "1h", "fail_after": "2h", "due": "0 6 * * *", "event_time": "at"},
        {"warn_after": "1h", "fail_after": "2h", "timezone": "Europe/Berlim"},
    ],
)
def test_a_promise_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError):
        Freshness(**wrong)
