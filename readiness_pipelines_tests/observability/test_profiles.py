"""A profile says of a column what a person would count, and the same rows always have the same one."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness_pipelines.observability import ColumnKind, ColumnProfile, Exact, central_range, profile_of
from readiness_pipelines.observability.profiles import MOST_CATEGORIES, QUANTILES, TOP_VALUES


def column(values: list[Any], kind: pa.DataType, **options: Any) -> ColumnProfile:
    return profile_of("b", pa.table({"x": pa.array(values, kind)}), **options).columns["x"]


def test_numbers_have_bounds_a_mean_and_quantiles() -> None:
    found = column([3, 1, None, 2, 2], pa.int64())
    assert (found.kind, found.rows, found.nulls, found.distinct) == (ColumnKind.NUMBER, 5, 1, 3)
    assert (found.minimum, found.maximum, found.mean) == (1, 3, 2)
    assert found.deviation == pytest.approx(np.std([3, 1, 2, 2], ddof=1))
    assert found.quantiles == (1, 2, 2, 3)
    assert found.top == {}
    assert found.null_ratio == 0.2


def test_nan_is_no_value_and_infinity_no_quantile() -> None:
    found = column([1.0, math.nan, math.inf, None], pa.float64())
    assert (found.nulls, found.quantiles, found.mean) == (2, (1.0,), 1.0)


@pytest.mark.parametrize(
    ("values", "kind"), [([1, 2], pa.int8()), ([1.5], pa.float32()), ([Decimal("1.5")], pa.decimal128(5, 2))]
)
def test_every_type_of_number_is_a_number(values: list[Any], kind: pa.DataType) -> None:
    assert column(values, kind).kind is ColumnKind.NUMBER


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (date(2026, 1, 2), pa.date32()),
        (datetime(2026, 1, 2), pa.timestamp("ms")),  # noqa: DTZ001  # a column without a zone
        (datetime(2026, 1, 2, tzinfo=UTC), pa.timestamp("us", tz="UTC")),
    ],
)
def test_times_are_seconds_since_1970_and_are_not_distributed(value: Any, kind: pa.DataType) -> None:
    found = column([value, None], kind)
    assert (found.kind, found.minimum, found.quantiles) == (ColumnKind.TIME, 1767312000, ())


def test_few_values_are_categories_with_their_rows_and_many_are_text() -> None:
    few = column(["b", "a", "b", None], pa.string())
    assert (few.kind, few.top, few.quantiles) == (ColumnKind.CATEGORY, {"b": 2, "a": 1}, (1, 1, 1))
    assert column([True, False, True], pa.bool_()).top == {"true": 2, "false": 1}
    many = column([f"{number}x" for number in range(MOST_CATEGORIES + 1)], pa.string())
    assert (many.kind, many.top, many.minimum) == (ColumnKind.TEXT, {}, None)
    assert len(column([str(number) for number in range(TOP_VALUES + 5)], pa.string()).top) == TOP_VALUES


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.string(), pa.bool_(), pa.date32(), pa.null()])
def test_a_column_without_values_or_rows_has_a_profile(kind: pa.DataType) -> None:
    for values in ([None, None], []):
        found = column(values, kind)
        assert (found.rows, found.nulls, found.distinct, found.mean, found.quantiles) == (
            len(values),
            len(values),
            0,
            None,
            (),
        )


def test_a_sample_is_scaled_to_the_batch_and_what_is_known_exactly_is_kept() -> None:
    sample = ["a", "a", "b", None]
    found = column(sample, pa.string(), rows=4_000)
    assert (found.rows, found.nulls, found.top) == (4_000, 1_000, {"a": 2_000, "b": 1_000})
    exact = column([5, 6, 7], pa.int64(), rows=30, exact={"x": Exact(nulls=2, minimum=1, maximum=9)})
    assert (exact.nulls, exact.minimum, exact.maximum) == (2, 1, 9)


def test_distinct_values_of_a_sample_are_estimated_between_those_seen_and_the_rows() -> None:
    key = column(list(range(1_000)), pa.int64(), rows=100_000)
    assert 5_000 < key.distinct <= 100_000
    few = column([number % 7 for number in range(1_000)], pa.int64(), rows=100_000)
    assert few.distinct == 7


def test_lists_and_structs_are_left_out() -> None:
    table = pa.table({"x": pa.array([[1]], pa.list_(pa.int64())), "y": [1]})
    assert list(profile_of("b", table).columns) == ["y"]


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=200), st.randoms())
def test_the_same_rows_in_any_order_have_the_same_profile(values: list[float | None], chance: Any) -> None:
    shuffled = list(values)
    chance.shuffle(shuffled)
    one, other = column(values, pa.float64()), column(shuffled, pa.float64())
    assert (one.quantiles, one.nulls, one.distinct) == (other.quantiles, other.nulls, other.distinct)
    assert len(one.quantiles) <= QUANTILES


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), min_size=1, max_size=5))
def test_merged_quantiles_are_those_of_all_rows_but_for_the_width_of_one(batches: list[list[float]]) -> None:
    profiles = [column(batch, pa.float64()) for batch in batches]
    low, high = central_range([one.quantiles for one in profiles], [one.rows for one in profiles])
    rows = np.sort(np.concatenate([np.asarray(batch) for batch in batches]))
    # Two of fifty intervals, and one row of the smallest batch, is what a list of quantiles may be off by.
    slack = 2 / (QUANTILES - 1) + 1 / len(rows)
    for bound, share in ((low, 0.02), (high, 0.98)):
        below, upto = np.mean(rows < bound), np.mean(rows <= bound)
        assert below - slack - 0.02 <= share <= upto + slack + 0.02
