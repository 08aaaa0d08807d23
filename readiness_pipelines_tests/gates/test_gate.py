"""A gate's verdict: which rows may be published, which wait, and why."""

import re
from typing import Any

import duckdb
import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Gate, Route, Tolerance
from readiness_pipelines.errors import GateBuildError, UnknownNameError
from readiness_pipelines.gates import DuckDbEngine, Empty, Hold, Publish, Split, Verdict
from readiness_pipelines.testing import judge as run
from readiness_pipelines_tests.gates.samples import raw_rows

Connection = duckdb.DuckDBPyConnection


def column(kind: Any = str, *checks: pa.Check, **fields: Any) -> pa.DataFrameSchema:
    return pa.DataFrameSchema({"a": pa.Column(kind, checks=list(checks), **fields)})


def judge(connection: Connection, gate: Gate, *values: Any, **types: arrow.DataType) -> Verdict:
    rows = [value if isinstance(value, dict) else {"a": value} for value in values]
    return gate.judge(raw_rows(connection, *rows, **types), DuckDbEngine(connection))


def failing(verdict: Verdict) -> dict[int, list[str]]:
    """The rules that each waiting row broke, by row."""
    rows = verdict.quarantined.to_arrow_table().to_pylist()
    return {row["_row"]: [error["rule"] for error in row["_errors"]] for row in rows}


def published(verdict: Verdict, name: str = "a") -> list[Any]:
    return [row[name] for row in sorted(verdict.published.to_arrow_table().to_pylist(), key=lambda row: row["_row"])]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (arrow.int64(), "007", 7),
        (arrow.int64(), " 12 ", 12),
        (arrow.int64(), "-5", -5),
        (arrow.float64(), "1.5", 1.5),
        (arrow.float64(), "1e3", 1000.0),
        (arrow.bool_(), "True", True),
        (arrow.date32(), "2026-01-31", __import__("datetime").date(2026, 1, 31)),
    ],
)
def test_text_converts_to_the_schemas_type(connection: Connection, kind: arrow.DataType, text: str, value: Any) -> None:
    verdict = judge(connection, Gate(column(kind)), text)
    assert published(verdict) == [value]
    assert verdict.schema.field("a").type == kind


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (arrow.int64(), "1.5"),
        (arrow.int64(), "1e3"),
        (arrow.int64(), "x"),
        (arrow.int8(), "300"),
        (arrow.float64(), "1,5"),
        (arrow.bool_(), "yes"),
        (arrow.date32(), "31.01.2026"),
        (arrow.date32(), "2026-01-31 10:00:00"),
        (arrow.date32(), "2026-02-30"),
    ],
)
def test_text_that_does_not_convert_without_loss_breaks_its_row_only(
    connection: Connection, kind: arrow.DataType, text: str
) -> None:
    verdict = judge(connection, Gate(column(kind, nullable=True)), text, None)
    assert failing(verdict) == {0: ["a_dtype"]}
    assert published(verdict) == [None]


def test_a_value_that_does_not_convert_breaks_no_other_rule_of_its_column(connection: Connection) -> None:
    gate = Gate(column(arrow.int64(), pa.Check.ge(0), unique=True))
    verdict = judge(connection, gate, "x", "y", "1")
    assert failing(verdict) == {0: ["a_dtype"], 1: ["a_dtype"]}


def test_missing_tokens_are_null_and_raw_keeps_them(connection: Connection) -> None:
    verdict = judge(connection, Gate(column(), missing=("?", "N/A")), "?", "N/A", "x")
    assert failing(verdict) == {0: ["a_not_nullable"], 1: ["a_not_nullable"]}
    assert [row["a"] for row in verdict.quarantined.to_arrow_table().to_pylist()] == ["?", "N/A"]


def test_every_row_that_repeats_a_unique_value_waits(connection: Connection) -> None:
    verdict = judge(connection, Gate(column(arrow.int64(), unique=True)), "1", "2", "1", "01")
    assert set(failing(verdict)) == {0, 2, 3}


def test_columns_may_be_unique_together(connection: Connection) -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(str), "b": pa.Column(str, nullable=True)}, unique=["a", "b"])
    rows = ({"a": "1", "b": "x"}, {"a": "1", "b": "y"}, {"a": "1", "b": "x"}, {"a": "2"}, {"a": "2"})
    assert failing(judge(connection, Gate(schema), *rows)) == {i: ["unique_a_b"] for i in (0, 2, 3, 4)}


def test_one_row_may_break_many_rules(connection: Connection) -> None:
    gate = Gate(column(arrow.int64(), pa.Check.ge(10), pa.Check.ne(3), pa.Check.isin([11, 12])))
    verdict = judge(connection, gate, "3", "11")
    assert failing(verdict) == {0: ["a_greater_than_or_equal_to", "a_not_equal_to", "a_isin"]}


def test_more_rules_than_one_word_of_bits_are_told_apart(connection: Connection) -> None:
    gate = Gate(column(arrow.int64(), *(pa.Check.ne(number) for number in range(150))))
    verdict = judge(connection, gate, "0", "61", "62", "149", "500")
    assert {row: rules for row, (rules,) in failing(verdict).items()} == {
        0: "a_not_equal_to",
        1: "a_not_equal_to_62",
        2: "a_not_equal_to_63",
        3: "a_not_equal_to_150",
    }


def test_a_pattern_speaks_of_every_column_it_matches(connection: Connection) -> None:
    class Wide(pa.DataFrameModel):
        sensors: arrow.float64() = pa.Field(alias=r"^s\d+$", regex=True, ge=0)

    verdict = judge(connection, Gate(Wide), {"s1": "1", "s2": "-2"}, {"s1": "1", "s2": "2"})
    (count,) = verdict.broken
    assert (count.rule.name, count.broken_rows, dict(count.columns)) == (
        "sensors_greater_than_or_equal_to",
        1,
        {"s2": 1},
    )
    assert verdict.quarantined.to_arrow_table().to_pylist()[0]["_errors"][0]["column"] == "s2"


def test_a_check_of_the_frame_sees_several_columns(connection: Connection) -> None:
    class Span(pa.DataFrameModel):
        low: arrow.int64()
        high: arrow.int64()

        @pa.dataframe_check(native=False)
        def in_order(cls, _frame: Any) -> nw.Expr:
            return nw.col("low") <= nw.col("high")

    verdict = judge(connection, Gate(Span), {"low": "1", "high": "2"}, {"low": "3", "high": "2"})
    assert failing(verdict) == {1: ["in_order"]}


def test_a_native_check_runs_in_pandera_and_says_so(connection: Connection) -> None:
    class Native(pa.DataFrameModel):
        a: arrow.int64()

        @pa.check("a")
        def even(cls, data: pa.PyArrowData) -> Any:
            import pyarrow.compute as pc  # noqa: PLC0415  # a user would

            return pc.equal(pc.bit_wise_and(data.table.column(data.key), 1), 0)

    gate = Gate(Native)
    (rule,) = (rule for rule in gate.rules if rule.name == "a_even")
    assert rule.runs_on == "pandera"
    assert "native" in rule.because
    assert failing(judge(connection, gate, "1", "2", "3")) == {0: ["a_even"], 2: ["a_even"]}


def test_a_check_of_the_whole_batch_holds_it(connection: Connection) -> None:
    gate = Gate(column(arrow.int64(), pa.Check(lambda values: values.mean() > 10, native=False, name="mean")))
    verdict = judge(connection, gate, "1", "2")
    assert verdict.outcome == Hold("a_mean: mean")
    assert published(verdict) == []
    assert verdict.quarantined_rows == 2
    assert isinstance(judge(connection, gate, "100", "2").outcome, Publish)


def test_a_native_check_of_the_whole_batch_may_only_warn(connection: Connection) -> None:
    few = pa.Check(lambda data: data.table.num_rows >= 3, raise_warning=True, name="few")
    verdict = judge(connection, Gate(column(arrow.int64(), few)), "1", "2")
    assert verdict.outcome == Publish()
    assert {count.rule.name: count.detail for count in verdict.rules if count.broken_rows} == {"a_few": "few"}


def test_a_check_that_raises_is_named(connection: Connection) -> None:
    def broken(_data: Any) -> Any:
        raise RuntimeError("boom")

    with pytest.raises(GateBuildError, match="'a_broken' raised RuntimeError: boom"):
        judge(connection, Gate(column(str, pa.Check(broken))), "x")


def test_lines_that_could_not_be_parsed_wait_with_the_readers_reason(connection: Connection) -> None:
    rows = ({"a": "1"}, {"_unreadable": "1,2,3", "_unreadable_reason": "line 3: 3 fields"})
    verdict = judge(connection, Gate(column(arrow.int64())), *rows)
    (waiting,) = verdict.quarantined.to_arrow_table().to_pylist()
    assert waiting["_errors"] == [{"rule": "readable", "column": None, "reason": "line 3: 3 fields"}]
    assert isinstance(verdict.outcome, Split)


def test_a_missing_column_holds_the_batch_and_names_it(connection: Connection) -> None:
    verdict = judge(connection, Gate(column()), {"b": "1"}, {"b": "2"})
    assert verdict.outcome == Hold("columns_present: missing: a")
    assert len(failing(verdict)) == 2


def test_an_optional_column_may_be_missing_and_is_published_as_null(connection: Connection) -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(str), "b": pa.Column(arrow.int64(), required=False, nullable=True)})
    verdict = judge(connection, Gate(schema), "x")
    assert published(verdict, "b") == [None]
    assert verdict.schema.field("b").type == arrow.int64()


@pytest.mark.parametrize(
    ("fields", "together"),
    [
        ({}, None),
        ({"nullable": True, "unique": True}, None),
        ({"nullable": True, "checks": pa.Check(lambda e: e > 0, native=False, ignore_na=False)}, None),
        ({"nullable": True}, ["b"]),
    ],
)
def test_an_optional_column_that_does_not_arrive_is_not_judged(fields: dict[str, Any], together: list[str]) -> None:
    optional = pa.Column(arrow.int64(), required=False, **fields)
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.int64()), "b": optional}, unique=together))
    assert run(gate, {"a": 1}, {"a": 2}).outcome == Publish()
    assert run(gate, {"a": 1, "b": 3}, {"a": 2, "b": None}, {"a": 4, "b": None}).broken.keys() == {1, 2}
    assert gate.check_record({"a": 1}).passed


def test_an_unexpected_column_holds_a_strict_batch_only(connection: Connection) -> None:
    strict = pa.DataFrameSchema({"a": pa.Column(str)}, strict=True)
    assert judge(connection, Gate(strict), {"a": "1", "b": "2"}).outcome == Hold(
        "columns_expected: not in the schema: b"
    )
    assert isinstance(judge(connection, Gate(column()), {"a": "1", "b": "2"}).outcome, Publish)


def test_columns_out_of_order_hold_an_ordered_batch(connection: Connection) -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(str), "b": pa.Column(str)}, ordered=True)
    assert isinstance(judge(connection, Gate(schema), {"b": "1", "a": "2"}).outcome, Hold)
    assert isinstance(judge(connection, Gate(schema), {"a": "1", "b": "2"}).outcome, Publish)


def test_a_typed_column_of_another_kind_holds_the_batch(connection: Connection) -> None:
    verdict = judge(connection, Gate(column(arrow.date32())), 1, 2, a=arrow.int64())
    assert verdict.outcome == Hold("a_dtype: a is int64, not date32[day]")


def test_a_typed_column_that_storage_widened_is_narrowed_back(connection: Connection) -> None:
    verdict = judge(connection, Gate(column(arrow.int8())), 1, 300, a=arrow.int32())
    assert failing(verdict) == {1: ["a_dtype"]}
    assert published(verdict) == [1]


@pytest.mark.parametrize(
    ("tolerance", "held"),
    [
        (Tolerance(), False),
        (Tolerance(quarantined_ratio=0.5), False),
        (Tolerance(quarantined_ratio=0.49), True),
        (Tolerance(quarantined_rows=2), False),
        (Tolerance(quarantined_rows=1), True),
    ],
)
def test_a_batch_over_its_tolerance_is_held_and_at_it_is_not(
    connection: Connection, tolerance: Tolerance, held: bool
) -> None:
    verdict = judge(connection, Gate(column(arrow.int64()), tolerance=tolerance), "1", "2", "x", "y")
    assert isinstance(verdict.outcome, Hold if held else Split)
    assert verdict.published_rows + verdict.quarantined_rows == 4
    assert len(published(verdict)) == verdict.published_rows
    assert len(failing(verdict)) == verdict.quarantined_rows


def test_every_bound_of_two_digits_is_within_itself() -> None:
    for percent in range(101):
        bound = Tolerance(quarantined_ratio=percent / 100)
        assert not bound.exceeded_by(percent, 100), percent
        assert bound.exceeded_by(percent + 1, 100), percent
        assert not bound.exceeded_by(percent * 7, 700), percent


def test_a_batch_of_which_no_row_passes_is_held_whatever_the_tolerance(connection: Connection) -> None:
    assert isinstance(judge(connection, Gate(column(arrow.int64())), "x", "y").outcome, Hold)


def test_a_batch_without_rows_is_empty(connection: Connection) -> None:
    assert isinstance(judge(connection, Gate(column()), a=arrow.string()).outcome, Empty)


def test_routes_decide_what_a_broken_rule_does(connection: Connection) -> None:
    schema = column(arrow.int64(), pa.Check.ge(0))
    name = "a_greater_than_or_equal_to"
    warned = judge(connection, Gate(schema, routes={name: Route.WARN}), "-1", "1")
    assert published(warned) == [-1, 1]
    assert [count.broken_rows for count in warned.broken] == [1]
    held = judge(connection, Gate(schema, routes={name: Route.HOLD}), "-1", "1")
    assert held.outcome == Hold(f"{name} is broken in 1 row: greater_than_or_equal_to(0)")


def test_a_rule_is_called_by_its_column_whatever_letters_that_has_and_wherever_it_stands() -> None:
    columns = ("Süt (l)", "sayaç", "sayaş", "Größe", "量", "数量", "माता", "मीता")
    for order in (columns, columns[::-1]):
        gate = Gate(pa.DataFrameSchema({name: pa.Column(int, nullable=True) for name in order}))
        names = {rule.columns[0]: rule.name for rule in gate.rules if rule.name.endswith("dtype")}
        assert [names[name] for name in columns[:5]] == [
            "Sut_l_dtype",
            "sayac_dtype",
            "sayas_dtype",
            "Grosse_dtype",
            "u91cf_dtype",
        ]
        assert len(set(names.values())) == len(columns)
        assert all(re.fullmatch("[A-Za-z0-9_]+", name) for name in names.values())


def test_rules_of_one_name_are_numbered_by_their_columns_and_never_take_the_name_of_another() -> None:
    columns = ("a b", "a_b", "a.b", "a_b_dtype_2")
    for order in (columns, columns[::-1]):
        gate = Gate(pa.DataFrameSchema({name: pa.Column(int, nullable=True) for name in order}))
        assert {rule.columns[0]: rule.name for rule in gate.rules if rule.columns} == {
            "a b": "a_b_dtype",
            "a.b": "a_b_dtype_2",
            "a_b": "a_b_dtype_3",
            "a_b_dtype_2": "a_b_dtype_2_dtype",
        }
    twice = pa.Column(
        int, [pa.Check.ge(0), pa.Check.ge(1), pa.Check(lambda s: s > 2, name="greater_than_or_equal_to_2")]
    )
    names = [rule.name for rule in Gate(pa.DataFrameSchema({"a": twice})).rules]
    assert len(set(names)) == len(names)


def test_a_route_for_an_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'a_not_nullable'"):
        Gate(column(), routes={"a_not_nullabel": Route.WARN})


def test_samples_show_the_first_rows_as_they_arrived(connection: Connection) -> None:
    verdict = judge(connection, Gate(column(arrow.int64())), *(f"x{number}" for number in range(30)), "1")
    (count,) = verdict.broken
    assert count.broken_rows == 30
    assert [sample["a"] for sample in count.samples] == [f"x{number}" for number in range(10)]


@pytest.mark.parametrize("name", ['we"ird', "a b", "select", "ü", "a.b", "x'y"])
def test_any_column_name_works(connection: Connection, name: str) -> None:
    schema = pa.DataFrameSchema({name: pa.Column(arrow.int64(), pa.Check.ge(0), unique=True)})
    verdict = judge(connection, Gate(schema), {name: "1"}, {name: "-1"}, {name: "2"}, {name: "2"})
    assert set(failing(verdict)) == {1, 2, 3}
    assert published(verdict, name) == [1]


@pytest.mark.parametrize("pattern", [r"(?=x)", r"(a)\1", r"(?<!a)b", r"a{1,2000}"])
def test_a_pattern_outside_re2_is_refused_when_the_gate_is_built(pattern: str) -> None:
    with pytest.raises(GateBuildError, match="a_str_matches"):
        Gate(column(str, pa.Check.str_matches(pattern)))


def test_a_check_of_the_wrong_type_is_refused_when_the_gate_is_built() -> None:
    with pytest.raises(GateBuildError, match="a_in_range"):
        Gate(column(str, pa.Check.in_range(0, 1)))


@pytest.mark.parametrize("schema", [object(), pa.DataFrameSchema({}), pa.DataFrameSchema({"_row": pa.Column(str)})])
def test_what_is_no_usable_schema_is_refused(schema: Any) -> None:
    with pytest.raises(GateBuildError):
        Gate(schema)


def test_the_version_does_not_depend_on_the_order_of_columns_and_checks() -> None:
    one = pa.DataFrameSchema({"a": pa.Column(str, [pa.Check.ne("x"), pa.Check.isin(["y", "z"])]), "b": pa.Column(int)})
    other = pa.DataFrameSchema(
        {"b": pa.Column(int), "a": pa.Column(str, [pa.Check.isin(["z", "y"]), pa.Check.ne("x")])}
    )
    assert Gate(one).version == Gate(other).version


@pytest.mark.parametrize(
    "changed",
    [
        Gate(column(str, pa.Check.ne("y"))),
        Gate(column(str, pa.Check.ne("x"), nullable=True)),
        Gate(column(str, pa.Check.ne("x")), tolerance=Tolerance(quarantined_ratio=0.1)),
        Gate(column(str, pa.Check.ne("x")), missing=("?",)),
        Gate(column(str, pa.Check.ne("x")), routes={"a_not_equal_to": Route.WARN}),
    ],
)
def test_the_version_changes_with_what_the_gate_asks(changed: Gate) -> None:
    assert changed.version != Gate(column(str, pa.Check.ne("x"))).version


def test_the_version_follows_the_code_of_a_users_check() -> None:
    def gate(bound: int) -> Gate:
        return Gate(column(arrow.int64(), pa.Check(lambda values: values > bound, native=False, name="c")))

    assert gate(1).version == gate(1).version
    assert gate(1).version != gate(2).version
