"""Each kind of batch answers for its keys, windows and order, in any zone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness_pipelines import (
    DailyBatches,
    DeclarationError,
    HourlyBatches,
    MonthlyBatches,
    QuarterHourlyBatches,
    StaticBatches,
    UnknownNameError,
    Versions,
    WeeklyBatches,
)
from readiness_pipelines.batches import Batches, Calendar, Growing, Keys, Scope, in_order

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo"]
CALENDARS: list[Any] = [HourlyBatches, DailyBatches, WeeklyBatches, MonthlyBatches]
MOMENTS = st.integers(1_577_836_800, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(st.sampled_from(CALENDARS), st.sampled_from(ZONES), MOMENTS)
def test_a_moment_lies_in_the_window_of_its_key(kind: Any, zone: str, moment: datetime) -> None:
    batches = kind(start="2010-01-01", timezone=zone)
    key = batches.key_at(moment)
    window = batches.window(key)
    assert window is not None
    assert window.batch == key
    assert window.covers(moment)


@given(st.sampled_from(CALENDARS), st.sampled_from(ZONES), MOMENTS)
def test_windows_follow_each_other_without_a_gap(kind: Any, zone: str, moment: datetime) -> None:
    batches = kind(start="2010-01-01", timezone=zone)
    window = batches.window(batches.key_at(moment))
    following = batches.window(batches.key_at(window.end))
    assert following.start == window.end
    assert batches.order(window.batch) < batches.order(following.batch)


@given(st.sampled_from(CALENDARS), st.sampled_from(ZONES), MOMENTS)
def test_the_last_ended_batch_has_ended_and_the_next_one_has_not(kind: Any, zone: str, moment: datetime) -> None:
    batches = kind(start="2010-01-01", timezone=zone)
    ended = batches.last_ended(moment)
    assert ended.end <= moment
    assert batches.has(ended.batch)
    assert batches.window(batches.key_at(ended.end)).end > moment


@pytest.mark.parametrize(
    ("batches", "key", "hours"),
    [
        (DailyBatches(start="2026-01-01", timezone="Europe/Berlin"), "2026-03-29", 23),
        (DailyBatches(start="2026-01-01", timezone="Europe/Berlin"), "2026-10-25", 25),
        (WeeklyBatches(start="2026-01-01", timezone="America/New_York"), "2026-03-02", 167),
        (HourlyBatches(start="2026-01-01", timezone="Europe/Berlin"), "2026-10-25-02:00", 2),
        (HourlyBatches(start="2026-01-01", timezone="Australia/Lord_Howe"), "2026-04-05-01:00", 1.5),
        (HourlyBatches(start="2026-01-01", timezone="Australia/Lord_Howe"), "2026-10-04-02:00", 0.5),
        (QuarterHourlyBatches(start="2026-01-01"), "2026-10-25-01:15", 0.25),
        (MonthlyBatches(start="2026-01-01"), "2026-02", 28 * 24),
        (MonthlyBatches(start="2026-01-01"), "2026-12", 31 * 24),
    ],
)
def test_a_window_is_as_long_as_the_clocks_say(batches: Batches, key: str, hours: float) -> None:
    window = batches.window(key)
    assert window is not None
    assert window.end - window.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("batches", "wrong"),
    [
        (
            DailyBatches(start="2026-01-02", end="2026-02-01"),
            ["2026-01-01", "2026-02-01", "2026-1-5", "x", "2026-02-30"],
        ),
        (WeeklyBatches(start="2026-11-18"), ["2026-11-17", "2026-11-09", "2026-W47"]),
        (MonthlyBatches(start="2026-03-01"), ["2026-02", "2026-13", "2026-3", "2026-03-01"]),
        (HourlyBatches(start="2026-03-01"), ["2026-03-01-25:00", "2026-03-01-01:30", "2026-03-01"]),
        (QuarterHourlyBatches(start="2026-03-01"), ["2026-03-01-01:20", "2026-03-01-01:60", "2026-02-28-23:45"]),
        (StaticBatches(keys=("a", "b")), ["c", ""]),
        (Versions(), ["", "a/b", "..", "a b"]),
    ],
)
def test_a_key_that_is_not_of_the_kind_is_not_a_batch(batches: Batches, wrong: list[str]) -> None:
    assert [key for key in wrong if batches.has(key)] == []


def test_the_batch_that_the_first_day_lies_in_is_the_first() -> None:
    assert WeeklyBatches(start="2026-11-18").has("2026-11-16")
    assert MonthlyBatches(start="2026-11-18").has("2026-11")


@pytest.mark.parametrize(
    ("batches", "last"),
    [
        (MonthlyBatches(start="2020-01-01", end="2020-12-31", timezone="Asia/Kolkata"), "2020-12"),
        (WeeklyBatches(start="2020-01-01", end="2021-01-01"), "2020-12-28"),
        (MonthlyBatches(start="2020-01-01", end="2021-01-01"), "2020-12"),
        (DailyBatches(start="2020-01-01", end="2020-12-31"), "2020-12-30"),
        (MonthlyBatches(start="2020-12-05", end="2020-12-06"), "2020-12"),
    ],
)
def test_the_batch_that_the_end_lies_in_is_the_last_that_ends(batches: Any, last: str) -> None:
    window = batches.window(last)
    before = batches.last_ended(window.end - timedelta(seconds=1))
    assert batches.has(last)
    assert before is None or before.end == window.start
    assert [batches.last_ended(at) for at in (window.end, datetime(2026, 1, 1, tzinfo=UTC))] == [window, window]


def test_versions_are_in_force_from_the_time_in_their_key() -> None:
    versions = Versions(timezone="Europe/Berlin")
    keys = ["2026-11-24", "2026-11-23T061500Z", "20261122", "v2", "v1", "2026-11-24T10:00"]
    assert in_order(versions, keys) == ["v1", "v2", "20261122", "2026-11-23T061500Z", "2026-11-24", "2026-11-24T10:00"]
    assert versions.in_force_from("2026-11-24") == datetime(2026, 11, 23, 23, tzinfo=UTC)
    assert versions.in_force_from("2026-11-23T061500Z") == datetime(2026, 11, 23, 6, 15, tzinfo=UTC)
    assert versions.in_force_from("v1") == datetime.min.replace(tzinfo=UTC)


@pytest.mark.parametrize("batches", [Versions(), DailyBatches(start="1960-01-01"), StaticBatches(keys=("1965-01-01",))])
def test_a_key_without_a_time_is_older_than_all_that_have_one(batches: Batches) -> None:
    assert in_order(batches, ["1965-01-01", "original"]) == ["original", "1965-01-01"]


@pytest.mark.parametrize("kind", CALENDARS)
@pytest.mark.parametrize("start", ["0001-01-01", "0999-12-29"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Vienna", "America/New_York"])
def test_a_calendar_begins_in_a_year_of_four_digits(kind: Any, start: str, zone: str) -> None:
    with pytest.raises(DeclarationError, match="the first year is 1000"):
        kind(start=start, timezone=zone)
    first = kind(start="1000-01-31", timezone=zone)
    assert first.has(first.key_at(first.first_start()))


@pytest.mark.parametrize("kind", [DailyBatches, WeeklyBatches, MonthlyBatches])
def test_a_calendar_begins_with_a_batch_that_ends(kind: Any) -> None:
    with pytest.raises(DeclarationError, match="would end after the year 9999"):
        kind(start="9999-12-31")


def test_a_list_keeps_its_order_and_strangers_come_first() -> None:
    assert in_order(StaticBatches(keys=("b", "a")), ["a", "x", "b"]) == ["x", "b", "a"]


def test_only_versions_replace_the_whole_table() -> None:
    assert [kind(start="2026-01-01").scope for kind in CALENDARS] + [StaticBatches(keys=("a",)).scope] == [
        Scope.BATCH
    ] * 5
    assert Versions().scope is Scope.TABLE


def test_each_kind_tells_its_grid() -> None:
    assert StaticBatches(keys=("a",)).grid() == Keys(keys=("a",))
    assert Versions().grid() == Growing()
    grid = MonthlyBatches(start="2026-01-01", timezone="Asia/Kolkata").grid()
    assert isinstance(grid, Calendar)
    assert (grid.every, grid.key_format, grid.timezone) == ("month", "%Y-%m", "Asia/Kolkata")


def test_days_have_weekdays_and_nothing_else_has_seasons() -> None:
    assert DailyBatches(start="2026-01-01").season("2026-11-24") == 1
    assert DailyBatches(start="2026-01-01").season("x") is None
    assert WeeklyBatches(start="2026-01-01").season("2026-11-23") is None


@pytest.mark.parametrize("keys", [(), ("a", "a"), ("a/b",), ("..",), ("a b",)])
def test_batch_keys_are_unique_and_safe(keys: tuple[str, ...]) -> None:
    with pytest.raises(DeclarationError, match="StaticBatches"):
        StaticBatches(keys=keys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": "2026-01-01", "timezone": "Europe/Berlino"}, "unknown time zone 'Europe/Berlino'"),
        ({"start": "01.02.2026"}, "start: .*not '01.02.2026'"),
        ({"start": "2026-02-01", "end": "2026-01-01"}, "the end .* is not after the start"),
        ({}, "start is missing"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused_where_it_is_written(arguments: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message) as refused:
        DailyBatches(**arguments)
    assert "pydantic" not in str(refused.value)


def test_an_unknown_argument_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'timezon'(?s:.*)did you mean 'timezone'"):
        DailyBatches(start="2026-01-01", timezon="UTC")  # type: ignore[call-arg]  # the mistake under test
