"""Pandera's checks and options, one by one, where no random schema reaches them."""

import re
from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readiness_pipelines import Gate, Route
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates import Runner
from readiness_pipelines.testing import judge

C = pa.Check


def column(kind: Any, *checks: Any, **options: Any) -> Gate:
    return Gate(pa.DataFrameSchema({"a": pa.Column(kind, list(checks), **options)}))


def values(*given_values: Any) -> list[dict[str, Any]]:
    return [{"a": value} for value in given_values]


def test_the_values_of_a_column_may_have_to_be_these() -> None:
    gate = column(arrow.int64(), C.unique_values_eq([1, 2]))
    (rule,) = (rule for rule in gate.rules if rule.name == "a_unique_values_eq")
    assert (rule.kind, rule.route, rule.runs_on) == ("batch", Route.HOLD, Runner.PANDERA)
    judge(gate, *values(1, 2, 2)).assert_breaks({})
    judge(gate, *values(1, 1)).assert_held("a_unique_values_eq")
    judge(gate, *values(1, 2, 3)).assert_held("a_unique_values_eq")


def test_an_element_wise_check_is_asked_of_each_value_that_is_there() -> None:
    asked = []

    def odd(value: int) -> bool:
        asked.append(value)
        return value % 2 == 1

    gate = column(arrow.int64(), C(odd, element_wise=True), nullable=True)
    judge(gate, *values(1, 2, None)).assert_breaks({1: "a_odd"})
    assert sorted(asked) == [1, 2]
    (rule,) = (rule for rule in gate.rules if rule.name == "a_odd")
    assert (rule.runs_on, rule.because) == (Runner.PYTHON, "an element-wise check is a Python function of one value")


def test_an_element_wise_check_may_ask_for_nulls_too() -> None:
    gate = column(arrow.int64(), C(lambda v: v is not None, element_wise=True, ignore_na=False), nullable=True)
    judge(gate, *values(1, None)).assert_breaks({1: "a_lambda"})


def test_an_element_wise_check_of_the_frame_takes_a_row() -> None:
    check = C(lambda row: row["a"] < row["b"], element_wise=True, name="rising")
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(int), "b": pa.Column(int)}, checks=[check]))
    judge(gate, {"a": "1", "b": "2"}, {"a": "3", "b": "2"}).assert_breaks({1: "rising"})


def test_an_element_wise_check_streams_a_batch_of_any_size() -> None:
    gate = column(arrow.int64(), C(lambda v: v % 100_000 != 7, element_wise=True, name="c"))
    broken = judge(gate, *values(*range(600_000))).broken
    assert set(broken) == {100_000 * hundred + 7 for hundred in range(6)}


def test_a_check_with_a_name_and_a_reason_of_its_own_keeps_them() -> None:
    gate = column(arrow.int64(), C.ge(0, name="positive", error="must not be negative"))
    judged = judge(gate, *values(-1, 1))
    (count,) = judged.verdict.broken
    assert (count.rule.name, count.rule.reason) == ("a_positive", "must not be negative")


def test_fewer_samples_may_be_asked_for() -> None:
    gate = column(arrow.int64(), C.ge(0, n_failure_cases=2))
    (count,) = judge(gate, *values(-1, -2, -3, 1)).verdict.broken
    assert (count.broken_rows, len(count.samples)) == (3, 2)


@pytest.mark.parametrize(
    ("duplicates", "broken"),
    [("all", {0, 2, 4}), ("exclude_first", {2, 4}), ("exclude_last", {0, 2})],
)
def test_which_of_several_equal_rows_wait_is_the_schemas_choice(duplicates: Any, broken: set[int]) -> None:
    alone = column(arrow.int64(), unique=True, report_duplicates=duplicates)
    assert set(judge(alone, *values(1, 2, 1, 3, 1)).broken) == broken


def test_which_of_several_equal_rows_wait_holds_for_sets_of_columns_too() -> None:
    import pandera.pandas as pp  # noqa: PLC0415  # the others refuse the option on a frame

    schema = pp.DataFrameSchema(
        {"a": pp.Column(int), "b": pp.Column(str)}, unique=["a", "b"], report_duplicates="exclude_first"
    )
    rows = ({"a": 1, "b": "x"}, {"a": 1, "b": "x"}, {"a": 1, "b": "y"})
    judge(Gate(schema), *rows).assert_breaks({1: "unique_a_b"})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-200, 200) | st.none(), min_size=1, max_size=200))
def test_repeated_whole_numbers_are_found_wherever_they_lie(numbers: list[int | None]) -> None:
    gate = column(arrow.int64(), unique=True, nullable=True)
    expected = {row for row, number in enumerate(numbers) if numbers.count(number) > 1}
    types = {"a": arrow.int64()}
    assert set(judge(gate, *values(*numbers), types=types).broken) == expected


def test_coercion_keeps_values_or_breaks_their_row() -> None:
    gate = column(arrow.int64(), coerce=True)
    judged = judge(gate, *values(1.0, 2.5, 1e300))
    judged.assert_publishes({"a": 1})
    judged.assert_breaks({1: "a_dtype", 2: "a_dtype"})
    judge(column(arrow.string(), coerce=True), *values(1, 2)).assert_publishes({"a": "1"}, {"a": "2"})


def test_without_coercion_a_column_of_another_type_holds_the_batch() -> None:
    judge(column(arrow.int64()), *values(1.0)).assert_held("a_dtype: a is double, not int64")


def test_ordered_columns_may_be_named_by_pattern() -> None:
    schema = pa.DataFrameSchema({r"^s\d$": pa.Column(str, regex=True), "b": pa.Column(str)}, ordered=True)
    judge(Gate(schema), {"s1": "x", "s2": "y", "b": "z"}).assert_breaks({})
    judge(Gate(schema), {"s1": "x", "b": "z", "s2": "y"}).assert_held("columns_ordered: came as s1, b, s2")


def test_nan_is_judged_as_pandera_judges_it_in_checks_of_the_frame_too() -> None:
    rising = C(lambda _: nw.col("a") <= nw.col("b"), native=False, name="rising")
    schema = pa.DataFrameSchema(
        {"a": pa.Column(arrow.float64(), nullable=True), "b": pa.Column(arrow.float64(), nullable=True)},
        checks=[rising],
    )
    nan = float("nan")
    rows = [(1.0, 2.0), (2.0, 1.0), (1.0, nan), (nan, 1.0), (nan, None), (nan, nan), (None, 1.0)]
    judged = judge(Gate(schema), *({"a": a, "b": b} for a, b in rows))
    assert set(judged.broken) == {1, 2, 3, 5}


def test_nan_in_a_check_that_compares_rows_is_pandera_s_to_judge() -> None:
    above = C(lambda _: nw.col("a") >= nw.col("a").min(), native=False, name="above")
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.float64(), nullable=True)}, checks=[above]))
    judge(gate, *values(1.0, 2.0)).assert_breaks({})
    assert 2 in judge(gate, *values(1.0, 2.0, float("nan"))).broken


def test_samples_of_a_check_of_the_frame_show_the_columns_it_reads() -> None:
    rising = C(lambda _: nw.col("a") <= nw.col("b"), native=False, name="rising")
    schema = pa.DataFrameSchema({name: pa.Column(int) for name in ("a", "b", "c")}, checks=[rising])
    (count,) = judge(Gate(schema), {"a": "2", "b": "1", "c": "0"}, {"a": "1", "b": "1", "c": "0"}).verdict.broken
    assert count.rule.columns == ("a", "b")
    assert [sample["a"] for sample in count.samples] == ["2"]
    assert "c" not in count.samples[0]


def test_a_check_that_overflows_is_named() -> None:
    check = C(lambda _: nw.col("a") * nw.col("a") > 0, native=False, name="square")
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.int64())}, checks=[check]))
    with pytest.raises(GateBuildError, match="the rule 'square' cannot be evaluated on this batch"):
        judge(gate, *values(2**62))


@pytest.mark.parametrize(
    ("kind", "check", "value", "advice"),
    [
        (arrow.string(), pa.Check.str_matches(r"a\Z"), "a", r"\$ for the end"),
        (arrow.string(), pa.Check.str_matches("(?=a)b"), "a", "no look-around"),
        (arrow.int64(), pa.Check(lambda e: e * e >= 0, native=False), 2**62, "widen the column's type"),
        (arrow.string(), pa.Check(lambda e: e.cast(nw.Int64) >= 0, native=False), "x", "only texts that"),
        (arrow.string(), pa.Check(lambda e: e > 0, native=False), "1", "values of the column's own type"),
    ],
)
def test_a_refusal_gives_the_advice_of_its_own_cause(kind: arrow.DataType, check: Any, value: Any, advice: str) -> None:
    with pytest.raises(GateBuildError) as refused:
        judge(Gate(pa.DataFrameSchema({"a": pa.Column(kind, check)})), {"a": value}, types={"a": kind})
    assert re.search(advice, refused.value.way_out)


@pytest.mark.parametrize(
    ("check", "match"),
    [
        (C.str_matches("a|b"), "alternatives outside a group"),
        (C.str_matches("^a|b"), "alternatives outside a group"),
        (C.in_range("a", "b"), "range of texts"),
        (C.str_matches("(?:)"), "an empty group"),
        (C.str_contains("a(?i:)$"), "an empty group"),
    ],
)
def test_what_engines_read_differently_is_refused(check: Any, match: str) -> None:
    with pytest.raises(GateBuildError, match=match):
        column(str, check)


def test_flags_outside_a_pattern_are_refused() -> None:
    import re  # noqa: PLC0415

    with pytest.raises(GateBuildError, match="flags outside its text"):
        column(str, C.str_contains(re.compile("a", re.IGNORECASE)))
    column(str, C.str_contains(re.compile("a")))


@pytest.mark.parametrize("pattern", ["^(?:a|b)$", r"a\|b", "[a|b]", r"(a|b)c", r"[\]|]"])
def test_alternatives_that_are_grouped_or_escaped_are_accepted(pattern: str) -> None:
    column(str, C.str_matches(pattern))


def test_a_gate_explains_where_each_rule_runs_and_why() -> None:
    gate = column(arrow.int64(), C.ge(0), C(lambda v: v > 0, element_wise=True, name="slow"))
    lines = {line.split()[0]: line for line in gate.explain().splitlines()}
    assert "Pandera's own expression, lifted into the query" in lines["a_greater_than_or_equal_to"]
    assert "python" in lines["a_slow"]
    assert "a Python function of one value" in lines["a_slow"]
    assert lines["rule"].split() == ["rule", "kind", "where", "broken", "runs", "in", "because"]


@pytest.mark.parametrize(
    "check",
    [C.notin([0.1, 0.0], name="c"), C(lambda value: ~value.is_in([0.1, 0.0]), native=False, name="c")],
    ids=["check", "expression"],
)
@pytest.mark.parametrize("kind", [arrow.float32(), arrow.float64()], ids=str)
def test_minus_zero_is_zero_to_a_list_of_values_in_batch_and_record(kind: arrow.DataType, check: C) -> None:
    gate = column(kind, check)
    broken = judge(gate, *values(-0.0, 0.0, 1.0), types={"a": kind}).broken
    assert set(broken) == {0, 1}
    assert [gate.check_record({"a": value}).passed for value in (-0.0, 0.0, 1.0)] == [False, False, True]
