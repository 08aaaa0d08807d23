"""Cases from Pandera's documentation, written for Arrow: the gate fails the rows that Pandera fails."""

from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines.gates import Gate
from readiness_pipelines_tests.conformance.adapter import Failures, Key, gate_failures, pandera_failures

C = pa.Check
NAN = float("nan")


def both(
    schema: pa.DataFrameSchema, columns: dict[str, Any], *, of_batch: frozenset[Key] = frozenset(), **types: Any
) -> Failures:
    """What both say, which must be the same."""
    table = arrow.table({name: arrow.array(values, types.get(name)) for name, values in columns.items()})
    seen = gate_failures(Gate(schema), table)
    assert seen == pandera_failures(schema, table, of_batch=of_batch)
    return seen


def test_the_first_example() -> None:
    schema = pa.DataFrameSchema(
        {
            "column1": pa.Column(arrow.int64(), C.le(10)),
            "column2": pa.Column(arrow.float64(), C.lt(-2)),
            "column3": pa.Column(arrow.string(), [C.str_startswith("value_"), C(_two_parts, native=False, name="two")]),
        }
    )
    good = {
        "column1": [1, 4, 0, 10, 9],
        "column2": [-1.3, -1.4, -2.9, -10.1, -20.4],
        "column3": ["value_1", "value_2", "value_3", "value_2", "value"],
    }
    assert both(schema, good) == {("column2", 0): {0, 1}, ("column3", 0): {4}, ("column3", 1): {4}}


def _two_parts(value: nw.Expr) -> nw.Expr:
    return value.str.contains("^[^_]*_[^_]*$")


@pytest.mark.parametrize(
    ("check", "broken"),
    [
        (C.isin([1, 2]), {2}),
        (C.notin([3]), {2}),
        (C.in_range(1, 2), {2}),
        (C.in_range(1, 3, include_max=False), {2}),
        (C.eq(1), {1, 2}),
        (C.gt(1), {0}),
    ],
)
def test_vectorized_checks_ignore_nulls(check: Any, broken: set[int]) -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(arrow.int64(), check, nullable=True)})
    assert both(schema, {"a": [1, 2, 3, None]}, a=arrow.int64()) == {("a", 0): broken}


def test_a_check_may_take_nulls_for_failures() -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(arrow.int64(), C.ge(0, ignore_na=False), nullable=True)})
    assert both(schema, {"a": [1, None]}, a=arrow.int64()) == {("a", 0): {1}}


def test_nan_is_missing_in_a_column_that_must_not_be() -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(arrow.float64())})
    assert both(schema, {"a": [1.0, NAN, None]}) == {("a", "not_nullable"): {1, 2}}


@pytest.mark.parametrize(
    "check", [C.ge(0), C.le(0), C.eq(0), C.ne(0), C.gt(0), C.lt(0), C.in_range(0, 1), C.isin([0.0])]
)
@pytest.mark.parametrize("ignore_na", [True, False])
@pytest.mark.parametrize("kind", [arrow.float64(), arrow.float32()])
def test_nan_passes_and_fails_where_pandera_says(check: Any, ignore_na: bool, kind: Any) -> None:
    check.ignore_na = ignore_na
    schema = pa.DataFrameSchema({"a": pa.Column(kind, check, nullable=True)})
    both(schema, {"a": [NAN, 0.0, 1.0, -1.0, float("inf"), None]}, a=kind)


def test_columns_may_be_unique_together() -> None:
    schema = pa.DataFrameSchema({name: pa.Column(arrow.int64()) for name in "abc"}, unique=["a", "c"])
    rows = {"a": [1, 2, 3, 2], "b": [4, 5, 6, 7], "c": [7, 8, 9, 8]}
    assert both(schema, rows) == {(None, "unique"): {1, 3}}


def test_wide_checks_compare_columns() -> None:
    wide = C(lambda _: nw.col("measure_1") > nw.col("measure_2"), native=False, name="wide")
    schema = pa.DataFrameSchema(
        {"measure_1": pa.Column(arrow.int64()), "measure_2": pa.Column(arrow.int64())}, checks=[wide]
    )
    assert both(schema, {"measure_1": [10, 12, 1], "measure_2": [2, 4, 6]}) == {(None, 0): {2}}


def test_wide_checks_see_nan_as_pandera_does() -> None:
    wide = C(lambda _: nw.col("a") <= nw.col("b"), native=False, name="wide")
    schema = pa.DataFrameSchema(
        {"a": pa.Column(arrow.float64(), nullable=True), "b": pa.Column(arrow.float64(), nullable=True)}, checks=[wide]
    )
    both(schema, {"a": [1.0, NAN, 1.0, NAN, None, 3.0], "b": [2.0, 1.0, NAN, NAN, 1.0, 2.0]})


@pytest.mark.parametrize("values", [[1, 2, 3], [100, 200]])
def test_aggregates_speak_of_the_batch(values: list[int]) -> None:
    mean = C(lambda value: value.mean() > 50, native=False, name="mean")
    schema = pa.DataFrameSchema({"a": pa.Column(arrow.int64(), mean)})
    both(schema, {"a": values}, of_batch=frozenset({("a", 0)}))


def test_a_native_check_returns_one_answer_per_row() -> None:
    def even(data: pa.PyArrowData) -> Any:
        import pyarrow.compute as pc  # noqa: PLC0415  # as a user would

        return pc.equal(pc.bit_wise_and(data.table.column(data.key), 1), 0)

    schema = pa.DataFrameSchema({"a": pa.Column(arrow.int64(), C(even))})
    assert both(schema, {"a": [1, 2, 3, 4]}) == {("a", 0): {0, 2}}


def test_what_is_told_in_the_parity_page_differs_as_it_says() -> None:
    """-0.0 equals 0.0 here, as in Polars and pandas; Arrow's own grouping tells them apart."""
    schema = pa.DataFrameSchema({"a": pa.Column(arrow.float64(), unique=True)})
    table = arrow.table({"a": [-0.0, 0.0]})
    assert gate_failures(Gate(schema), table) == {("a", "unique"): {0, 1}}
    assert pandera_failures(schema, table) == {}
