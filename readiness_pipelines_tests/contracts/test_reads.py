"""Which batches of an input a computed batch reads."""

from typing import Any

import pytest

from readiness_pipelines import (
    DailyBatches,
    DeclarationError,
    Domain,
    FileDrop,
    HourlyBatches,
    MonthlyBatches,
    Source,
    StaticBatches,
    Steward,
    Versions,
)
from readiness_pipelines.batches import Batches, in_order
from readiness_pipelines.contracts import DerivedTable, GatedTable, Read
from readiness_pipelines.contracts.reads import Present
from readiness_pipelines_tests.samples import Order

DAYS = DailyBatches(start="2026-01-01", timezone="Europe/Berlin")
MONTHS = MonthlyBatches(start="2026-01-01", timezone="Europe/Berlin")


def table(domain: Domain, name: str, batches: Batches) -> GatedTable:
    source = Source(origin="x", steward=Steward("a", "b"), reader=FileDrop(f"{name}/{{batch}}.csv"))
    return domain.gated(name, source=source, schema=Order, batches=batches)


def read_of(batches: Batches, *, by: Batches | None = None, how: Any = None) -> tuple[Read, DerivedTable]:
    shop = Domain("shop", owner="o")
    given = table(shop, "given", batches)
    reads = None if how is None else {"given": how(given)}

    @shop.derived(schema=Order, batches=by, reads=reads)
    def made(given: Any) -> Any:
        return given

    return made.reads["given"], made


def keys(read: Read, made: DerivedTable, key: str, *there: str) -> tuple[str, ...]:
    return read.keys(key, made.batches, Present(in_order(read.table.batches, there)))


def test_batches_of_one_kind_are_read_by_the_same_key() -> None:
    read, made = read_of(DAYS)
    assert made.batches == DAYS
    assert keys(read, made, "2026-01-05", "2026-01-04", "2026-01-05") == ("2026-01-05",)
    assert keys(read, made, "2026-01-05", "2026-01-04") == ()
    assert read.made_by("2026-01-05", DAYS) == "2026-01-05"


def test_the_version_in_force_is_the_last_one_before_the_batch_ended() -> None:
    read, made = read_of(Versions(timezone="Europe/Berlin"), by=DAYS)
    versions = ("2026-01-03", "2026-01-05T120000", "2026-01-06")
    assert keys(read, made, "2026-01-04", *versions) == ("2026-01-03",)
    assert keys(read, made, "2026-01-05", *versions) == ("2026-01-05T120000",)
    assert keys(read, made, "2026-02-05", *versions) == ("2026-01-06",)


def test_before_the_first_version_the_first_one_is_in_force() -> None:
    read, made = read_of(Versions(), by=DAYS)
    assert keys(read, made, "2026-01-01", "2026-01-03", "2026-01-04") == ("2026-01-03",)
    assert keys(read, made, "2026-01-01") == ()


def test_a_batch_that_covers_no_time_reads_the_newest_version() -> None:
    read, made = read_of(Versions(), by=StaticBatches(keys=("a",)))
    assert keys(read, made, "a", "2026-01-03", "2026-01-04") == ("2026-01-04",)


def test_what_is_made_of_versions_has_versions() -> None:
    read, made = read_of(Versions())
    assert isinstance(made.batches, Versions)
    assert keys(read, made, "v1", "v1", "v2") == ("v1",)


def test_the_batch_before_is_the_calendars_and_may_be_missing() -> None:
    read, made = read_of(DAYS, how=lambda given: given.before(), by=DAYS)
    assert keys(read, made, "2026-03-01", "2026-02-27", "2026-02-28") == ("2026-02-28",)
    assert keys(read, made, "2026-03-01", "2026-02-27") == ()
    assert read.mapping.optional
    assert read.made_by("2026-03-01", DAYS) is None


def test_the_batch_before_in_a_list_is_the_one_written_before() -> None:
    listed = StaticBatches(keys=("b", "a", "c"))
    read, made = read_of(listed, how=lambda given: given.before(), by=listed)
    assert keys(read, made, "c", "a", "b") == ("a",)
    assert keys(read, made, "b", "a", "b") == ()


def test_the_last_batches_are_those_of_the_calendar_as_far_as_they_are_there() -> None:
    read, made = read_of(DAYS, how=lambda given: given.last(3))
    there = ("2026-01-01", "2026-01-03", "2026-01-05")
    assert keys(read, made, "2026-01-05", *there) == ("2026-01-03", "2026-01-05")
    assert keys(read, made, "2026-01-04", *there) == ()


def test_a_month_reads_its_days_in_its_own_zone() -> None:
    read, made = read_of(DAYS, by=MONTHS)
    assert keys(read, made, "2026-02", "2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01") == (
        "2026-02-01",
        "2026-02-28",
    )
    assert read.made_by("2026-02-28", MONTHS) == "2026-02"


def test_hours_of_another_zone_belong_to_the_day_that_they_begin_in() -> None:
    read, made = read_of(HourlyBatches(start="2026-01-01"), by=DAYS)
    assert keys(read, made, "2026-01-05", "2026-01-04-22:00", "2026-01-04-23:00", "2026-01-05-22:00") == (
        "2026-01-04-23:00",
        "2026-01-05-22:00",
    )


def test_a_day_reads_the_month_that_it_lies_in_where_that_is_said() -> None:
    read, made = read_of(MONTHS, by=DAYS, how=lambda given: given.containing())
    assert keys(read, made, "2026-02-14", "2026-01", "2026-02") == ("2026-02",)
    with pytest.raises(DeclarationError, match=r"has daily batches and reads shop.given, which has monthly ones"):
        read_of(MONTHS, by=DAYS)


def test_all_batches_are_read_where_that_is_said() -> None:
    read, made = read_of(DAYS, by=StaticBatches(keys=("all",)), how=lambda given: given.all_batches())
    assert keys(read, made, "all", "2026-01-02", "2026-01-01") == ("2026-01-01", "2026-01-02")
    assert read.made_by("2026-01-02", made.batches) == "all"


def test_inputs_of_different_kinds_want_to_be_told_which_batches_there_are() -> None:
    shop = Domain("shop", owner="o")
    table(shop, "days", DAYS)
    table(shop, "months", MONTHS)
    with pytest.raises(DeclarationError, match="have daily and monthly batches"):

        @shop.derived(schema=Order)
        def both(days: Any, months: Any) -> Any:
            return days


def test_versions_beside_days_are_a_lookup() -> None:
    shop = Domain("shop", owner="o")
    table(shop, "rates", Versions())
    table(shop, "days", DAYS)

    @shop.derived(schema=Order)
    def priced(rates: Any, days: Any) -> Any:
        return days

    assert priced.batches == DAYS


def test_rows_are_read_by_their_events_where_each_is_of_one_batch() -> None:
    def by_event(given: Any) -> Read:
        read: Read = given.of_period(event_time="paid_at")
        return read

    read, made = read_of(StaticBatches(keys=("a", "b")), by=DAYS, how=by_event)
    assert keys(read, made, "2026-01-05", "a", "b") == ("a", "b")  # each may have some, as far as the calendar says
    with pytest.raises(DeclarationError, match="static batches cover no time"):
        read_of(DAYS, by=StaticBatches(keys=("all",)), how=by_event)
    with pytest.raises(DeclarationError, match="each version of that has all of its rows"):
        read_of(Versions(), by=DAYS, how=by_event)
