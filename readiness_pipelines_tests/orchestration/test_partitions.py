"""Dagster's partitions are the batches, and a partition depends on those that its batch reads."""

from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from readiness_pipelines.batches import (
    Batches,
    DailyBatches,
    HourlyBatches,
    MonthlyBatches,
    StaticBatches,
    Versions,
    WeeklyBatches,
)
from readiness_pipelines.contracts import Domain, Read, Table
from readiness_pipelines.orchestration.assets import table_asset
from readiness_pipelines.orchestration.partitions import partition_mapping, partitions_of
from readiness_pipelines_tests.samples import Paid, gated, order_domain

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
START = date(2026, 1, 7)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "America/Havana", "Asia/Kolkata")


def table_with(batches: Batches) -> Table:
    return gated(order_domain(batches=batches))


def calendar_keys(batches: Any) -> list[str]:
    """The keys of the batches that have begun, each window beginning where the one before ends."""
    keys, at = [], batches.first_start()
    while (window := batches.window(batches.key_at(at))) is not None and at <= NOW and batches.has(window.batch):
        keys.append(window.batch)
        at = window.end
    return keys


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("end", [None, date(2026, 11, 5)], ids=["open", "ended"])
@pytest.mark.parametrize("kind", [DailyBatches, WeeklyBatches, MonthlyBatches])
def test_the_partitions_of_a_calendar_are_its_batches(kind: Any, end: date | None, zone: str) -> None:
    batches = kind(start=START, end=end, timezone=zone)
    partitions = partitions_of(table_with(batches))
    assert isinstance(partitions, dg.TimeWindowPartitionsDefinition)
    keys = calendar_keys(batches)
    assert list(partitions.get_partition_keys(current_time=NOW)) == keys
    for key in keys:
        theirs, ours = partitions.time_window_for_partition_key(key), batches.window(key)
        assert (theirs.start.timestamp(), theirs.end.timestamp()) == (ours.start.timestamp(), ours.end.timestamp())


@pytest.mark.parametrize("zone", ZONES)
def test_the_partitions_of_hours_are_the_batches_but_for_the_hour_that_a_clock_shows_twice(zone: str) -> None:
    batches = HourlyBatches(start=date(2026, 10, 20), timezone=zone)
    spring = HourlyBatches(start=date(2026, 3, 1), end=date(2026, 4, 30), timezone=zone)
    for hours in (batches, spring):
        theirs = partitions_of(table_with(hours)).get_partition_keys(current_time=NOW)
        # Dagster writes the second of the two with its offset; it is the same batch, and has no run of its own.
        twice = [key for key in theirs if not hours.has(key)]
        assert [key for key in theirs if key not in twice] == calendar_keys(hours)
        assert [key[:-5] in theirs for key in twice] == [True] * len(twice)
        assert len(twice) <= 1


def test_lists_and_versions_are_partitions_too() -> None:
    assert partitions_of(table_with(StaticBatches(keys=("b", "a")))).get_partition_keys() == ["b", "a"]
    versions = partitions_of(table_with(Versions()))
    assert isinstance(versions, dg.DynamicPartitionsDefinition)
    assert versions.name == "shop__orders"


def upstream_keys(reads: list[Read], own: Batches, key: str) -> set[str]:
    """The partitions of an input that Dagster derives for a partition."""
    mapping = partition_mapping(reads, own)
    mine, theirs = partitions_of(table_with(own)), partitions_of(reads[0].table)
    mapping.validate_partition_mapping(theirs, mine)
    found = mapping.get_upstream_mapped_partitions_result_for_partitions(
        mine.subset_with_partition_keys([key]), mine, theirs, current_time=NOW
    )
    return set(found.partitions_subset.get_partition_keys())


DAYS = DailyBatches(start=date(2026, 1, 1), timezone="Europe/Berlin")
MONTHS = MonthlyBatches(start=date(2026, 1, 1), timezone="Europe/Berlin")
LIST = StaticBatches(keys=("a", "b", "c", "d"))


def test_a_partition_depends_on_those_that_its_batch_reads() -> None:
    days, months, listed = table_with(DAYS), table_with(MONTHS), table_with(LIST)
    assert upstream_keys([days.same()], DAYS, "2026-03-05") == {"2026-03-05"}
    assert upstream_keys([days.before()], DAYS, "2026-03-05") == {"2026-03-04"}
    assert upstream_keys([days.before()], DAYS, "2026-01-01") == set()
    assert upstream_keys([days.last(3)], DAYS, "2026-03-05") == {"2026-03-03", "2026-03-04", "2026-03-05"}
    assert upstream_keys([days.same(), days.before()], DAYS, "2026-03-05") == {"2026-03-04", "2026-03-05"}
    assert len(upstream_keys([days.of_period()], MONTHS, "2026-03")) == 31
    assert upstream_keys([months.containing()], DAYS, "2026-03-05") == {"2026-03"}
    assert upstream_keys([listed.before()], LIST, "b") == {"a"}
    assert upstream_keys([listed.last(2), listed.before()], LIST, "c") == {"b", "c"}
    assert upstream_keys([listed.all_batches()], DAYS, "2026-03-05") == {"a", "b", "c", "d"}
    assert upstream_keys([days.same(), days.all_batches()], DAYS, "2026-01-02") >= {"2026-01-01", "2026-11-20"}


def test_other_zones_and_versions_are_shown_as_all_of_the_input() -> None:
    tokyo = table_with(DailyBatches(start=date(2026, 1, 1), timezone="Asia/Tokyo"))
    assert isinstance(partition_mapping([tokyo.of_period()], MONTHS), dg.AllPartitionMapping)
    assert isinstance(partition_mapping([table_with(Versions()).in_force()], DAYS), dg.AllPartitionMapping)
    assert isinstance(partition_mapping([table_with(Versions()).same()], Versions()), dg.IdentityPartitionMapping)


def test_a_table_that_is_read_twice_is_one_dependency() -> None:
    shop: Domain = order_domain(batches=DAYS)
    orders = shop.table("orders")

    @shop.derived(schema=Paid, reads={"orders": orders.same(), "before": orders.before()})
    def change(orders: Any, before: Any) -> Any:
        return orders

    (dependency,) = table_asset(change).specs_by_key[dg.AssetKey(["shop", "change"])].deps
    assert dependency.asset_key == dg.AssetKey(["shop", "orders"])
    mapping = dependency.partition_mapping
    assert isinstance(mapping, dg.TimeWindowPartitionMapping)
    assert (mapping.start_offset, mapping.end_offset) == (-1, 0)
