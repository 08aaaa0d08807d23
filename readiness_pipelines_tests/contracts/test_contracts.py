"""Contracts are frozen, strict about names, and read what people write."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from readiness_pipelines import (
    DailyBatches,
    DataPath,
    FileDrop,
    Freshness,
    Kpi,
    Source,
    StaticBatches,
    Steward,
    Tolerance,
)
from readiness_pipelines.durations import format_duration, parse_duration
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines_tests.samples import Order, order_path


def test_an_unknown_field_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(
        UnknownNameError, match=r"field of Tolerance 'quarantine_ratio'(?s:.*)did you mean 'quarantined_ratio'"
    ):
        Tolerance(quarantine_ratio=0.1)  # type: ignore[call-arg]  # the mistake under test


def test_contracts_are_frozen() -> None:
    steward = Steward("Office", "office@example.org")
    with pytest.raises(ValidationError, match="frozen"):
        steward.name = "Other"  # type: ignore[misc]  # the mistake under test


@given(st.integers(min_value=0, max_value=10**8))
def test_a_duration_reads_back_as_it_was_written(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "26", "h26", "26 hours", "1d-2h", "26x"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


def test_a_promise_warns_before_it_fails() -> None:
    with pytest.raises(ValidationError, match="comes before warn_after"):
        Freshness(warn_after="36h", fail_after="26h")


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [("<= 0.11", 0.11, True), ("<= 0.11", 0.12, False), ("> 95", 95, False), (">=95", 95, True), ("< 1", None, None)],
)
def test_a_target_is_met_or_not(target: str, value: float | None, met: bool | None) -> None:
    kpi = Kpi("k", question="?", unit="ratio", target=target, owner="o")
    assert kpi.target is not None
    assert kpi.target.met_by(value) is met


def test_a_target_that_is_no_comparison_is_refused() -> None:
    with pytest.raises(ValidationError, match="is no comparison"):
        Kpi("k", question="?", unit="ratio", target="about 5", owner="o")


@pytest.mark.parametrize("pattern", ["orders/*.csv", "/abs/{batch}.csv", "../{batch}.csv"])
def test_a_pattern_without_a_batch_or_outside_the_landing_folder_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        FileDrop(pattern)


@pytest.mark.parametrize("keys", [(), ("a", "a"), ("a/b",), ("..",), ("a b",)])
def test_batch_keys_are_unique_and_safe(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        StaticBatches(keys=keys)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="unknown time zone"):
        DailyBatches(start="2026-01-01", timezone="Europe/Berlino")


def _source() -> Source:
    return Source(origin="x", steward=Steward("a", "b"), reader=FileDrop("{batch}.csv"))


def test_a_transform_that_names_no_table_is_refused_with_the_nearest() -> None:
    path = order_path()
    with pytest.raises(UnknownNameError, match=r"'order'(?s:.*)did you mean 'orders'"):

        @path.derived(schema=Order, name="more")
        def more(order: object) -> object:
            return order


def test_a_table_name_is_taken_once() -> None:
    with pytest.raises(DeclarationError, match="has a 'orders' already"):
        order_path().gated(name="orders", source=_source(), schema=Order)


def test_a_table_name_is_an_identifier() -> None:
    with pytest.raises(DeclarationError, match="is no identifier"):
        order_path().gated(name="Order Table", source=_source(), schema=Order)


def test_a_path_has_one_measure() -> None:
    with pytest.raises(DeclarationError, match="has a measure already"):

        @order_path().measure
        def again(orders: object) -> object:
            return orders


def test_a_path_keeps_off_the_frameworks_namespaces() -> None:
    kpi = Kpi("k", question="?", unit="ratio", owner="o")
    with pytest.raises(DeclarationError, match="the framework's own"):
        DataPath(kpi=kpi, batches=StaticBatches(keys=("a",)), namespace="quarantine")


def test_a_decorated_function_stays_callable() -> None:
    path = order_path()

    @path.derived(schema=Order, name="twice")
    def twice(orders: int) -> int:
        return orders * 2

    assert twice(4) == 8
    assert path.table("twice").name == "twice"
