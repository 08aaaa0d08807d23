"""When what a batch tells of happened: it names each batch of a calendar that has an event, and no other one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness_pipelines.batches import (
    Batches,
    DailyBatches,
    EventTimes,
    HourlyBatches,
    MonthlyBatches,
    QuarterHourlyBatches,
    WeeklyBatches,
    bounds,
)

START = "2026-01-01"
ZONES = ["UTC", "Europe/Vienna", "America/New_York", "Asia/Kathmandu", "Africa/Cairo", "Australia/Lord_Howe"]
CALENDARS: list[Batches] = [
    QuarterHourlyBatches(start=START),
    *(HourlyBatches(start=START, timezone=zone) for zone in ZONES),
    *(DailyBatches(start=START, timezone=zone) for zone in ZONES),
    *(WeeklyBatches(start=START, timezone=zone) for zone in ZONES),
    *(MonthlyBatches(start=START, timezone=zone) for zone in ZONES),
]
# Over both changes of the clocks, and Cairo's, which is at midnight.
MOMENTS = st.datetimes(datetime(2026, 1, 3), datetime(2026, 12, 28))  # noqa: DTZ001  # a clock on a wall


def _quarter(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1)) // timedelta(minutes=15)  # noqa: DTZ001  # as above


def _times(moments: list[datetime], *, zoned: bool) -> EventTimes:
    return EventTimes.of([(_quarter(one), _quarter(one)) for one in moments], zoned=zoned)


@given(st.sampled_from(CALENDARS), st.lists(MOMENTS, max_size=6), st.booleans())
def test_the_batches_named_are_those_in_whose_bounds_an_event_lies(
    calendar: Batches, moments: list[datetime], zoned: bool
) -> None:
    times = _times(moments, zoned=zoned)
    named = list(times.keys(calendar))
    assert len(named) == len(set(named))
    for key in named:
        window = calendar.window(key)
        assert window is not None
        assert times.in_window(calendar, window)
        start, end = bounds(calendar, window, zoned=zoned)
        assert any(start <= one < end for one in moments)
    within = [key for key in named for one in moments if _is_within(one, calendar, key, zoned=zoned)]
    assert len(within) == len(moments)  # each is of one batch, whatever the clocks do


def _is_within(moment: datetime, calendar: Batches, key: str, *, zoned: bool) -> bool:
    window = calendar.window(key)
    assert window is not None
    start, end = bounds(calendar, window, zoned=zoned)
    return start <= moment < end


@given(st.sampled_from(CALENDARS), MOMENTS)
def test_an_instant_is_of_the_batch_that_it_lies_in(calendar: Batches, moment: datetime) -> None:
    assert list(_times([moment], zoned=True).keys(calendar)) == [calendar.key_at(moment.replace(tzinfo=UTC))]


@pytest.mark.parametrize("day", ["2026-04-24", "2026-10-30"])
def test_a_date_is_of_its_day_also_where_a_clock_leaves_midnight_out(day: str) -> None:
    days = DailyBatches(start=START, timezone="Africa/Cairo")
    assert list(_times([datetime.fromisoformat(day)], zoned=False).keys(days)) == [day]


@pytest.mark.parametrize(
    ("kind", "zone", "at", "key"),
    [  # in the quarter of an hour in which a batch begins, and after its beginning
        (DailyBatches, "Africa/Monrovia", "1971-06-30T00:44:40", "1971-06-30"),
        (DailyBatches, "Asia/Kathmandu", "1919-06-30T18:20", "1919-07-01"),
        (HourlyBatches, "America/St_Johns", "1934-06-02T02:32", "1934-06-02-00:00"),
    ],
)
def test_an_instant_of_when_zones_were_no_quarters_apart_is_of_its_batch(
    kind: type[DailyBatches | HourlyBatches], zone: str, at: str, key: str
) -> None:
    calendar = kind(start="1900-01-01", timezone=zone)
    assert key in list(_times([datetime.fromisoformat(at)], zoned=True).keys(calendar))


@pytest.mark.parametrize(
    ("calendar", "key"),
    [
        (DailyBatches(start="2011-12-01", timezone="Pacific/Apia"), "2011-12-30"),
        (HourlyBatches(start="2011-12-01", timezone="Pacific/Apia"), "2011-12-29-23:00"),
    ],
)
def test_a_time_on_a_day_that_the_clocks_left_out_is_of_one_batch(calendar: Batches, key: str) -> None:
    moment = datetime(2011, 12, 30, 20, 8)  # noqa: DTZ001  # a clock on a wall
    assert list(_times([moment], zoned=False).keys(calendar)) == [key]
    there = [one for one in ("2011-12-29", "2011-12-30", "2011-12-31", "2011-12-29-23:00") if calendar.has(one)]
    assert [one for one in there if _is_within(moment, calendar, one, zoned=False)] == [key]


@pytest.mark.parametrize(
    ("at", "key"),
    [("2026-04-04T15:10", "2026-04-05-01:00"), ("2026-10-03T15:40", "2026-10-04-02:00")],
)
def test_an_instant_in_half_an_hour_that_a_clock_shows_twice_or_begins_with_is_of_its_hour(at: str, key: str) -> None:
    hours = HourlyBatches(start=START, timezone="Australia/Lord_Howe")
    moment = datetime.fromisoformat(at)
    assert [one for one, _ in zip(_times([moment], zoned=True).keys(hours), range(3), strict=False)] == [key]
    assert _is_within(moment, hours, key, zoned=True)


def test_events_of_before_the_calendar_are_of_no_batch() -> None:
    days = DailyBatches(start=START)
    first, second = datetime(1066, 10, 14), datetime(2026, 1, 1)  # noqa: DTZ001  # a clock on a wall
    times = EventTimes.of([(_quarter(first), _quarter(second))], zoned=True)
    assert list(times.keys(days)) == ["2026-01-01"]


def test_very_many_stretches_become_fewer_and_lack_none() -> None:
    quarters = list(range(0, 30_000, 7))
    times = EventTimes.of([(one, one) for one in quarters], zoned=True)
    assert len(times.quarters) <= 1_000
    assert all(any(first <= one <= last for first, last in times.quarters) for one in quarters)
