"""One record at a time: the verdict of a batch of one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readiness_pipelines import (
    Case,
    ExistsIn,
    FillMissing,
    FlagMissing,
    Gate,
    NotInOtherBatches,
    NullTokens,
    Trim,
    ZeroPad,
    cleanse,
    row_count,
)
from readiness_pipelines.engines.expressions import columns_of, is_elementwise, nodes_of
from readiness_pipelines.errors import DeclarationError, GateBuildError
from readiness_pipelines.gates.record.references import KnownKeys
from readiness_pipelines.testing import judge


class Order(pa.DataFrameModel):
    """A bit of everything that speaks of one row."""

    id: arrow.int64() = pa.Field(unique=True, gt=0)
    small: arrow.int8() = pa.Field(in_range={"min_value": -5, "max_value": 100}, nullable=True)
    price: arrow.float64() = pa.Field(ge=0, lt=1e6, nullable=True)
    ratio: arrow.float32() = pa.Field(le=0.5, nullable=True)
    status: arrow.string() = pa.Field(isin=["paid", "open", ""], nullable=True)
    code: arrow.string() = pa.Field(str_matches=r"^[A-Z]\d{0,3}$", str_length={"max_value": 3}, nullable=True)
    flag: arrow.bool_() = pa.Field(eq=True, nullable=True)
    day: arrow.date32() = pa.Field(ge=date(2024, 1, 1), nullable=True)
    at: arrow.timestamp("us", tz="UTC") = pa.Field(ge=datetime(2024, 1, 1, tzinfo=UTC), nullable=True)
    note: arrow.string() = pa.Field(
        nullable=True, str_contains="x", metadata=cleanse(Trim(), NullTokens("?"), Case("lower"))
    )

    @pa.dataframe_check(native=False)
    def cheap_or_paid(cls, _frame: Any) -> nw.Expr:
        """Several columns at once."""
        return (nw.col("price") <= 100) | (nw.col("status") == "paid")

    @pa.check("id", element_wise=True)
    def not_thirteen(cls, value: int) -> bool:
        """A function of one value."""
        return value != 13


GATE = Gate(Order, missing=("N/A",), rules=[row_count(at_least=0), NotInOtherBatches("id")])
UNDECIDED = {"id_unique", "row_count", "id_not_in_other_batches"}

TEXTS = st.sampled_from(
    ["", "x", " X ", "?", "N/A", "1", "-3", "300", "1.5", "nan", "paid", "A1", "A1234", "é", "true", "0"]
)
ANYTHING: dict[str, st.SearchStrategy[Any]] = {
    "id": st.integers(-2, 20) | TEXTS | st.none(),
    "small": st.integers(-300, 300) | TEXTS | st.none(),
    "price": st.floats(-10, 200) | st.just(float("nan")) | st.just(float("inf")) | TEXTS | st.none(),
    "ratio": st.floats(-1, 1, width=32) | TEXTS | st.none(),
    "status": st.sampled_from(["paid", "open", "lost"]) | TEXTS | st.none(),
    "code": st.sampled_from(["A", "A1", "A12", "A123", "a", "AB", "A1\n"]) | TEXTS | st.none(),
    "flag": st.booleans() | st.sampled_from(["true", "FALSE", "yes", " 1", "0"]) | st.none(),
    "day": st.dates(date(2023, 12, 1), date(2024, 2, 1))
    | st.sampled_from(["2024-01-31", "2024-02-30", "x"])
    | st.none(),
    "at": st.datetimes(datetime(2023, 1, 1), datetime(2025, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
    | st.sampled_from(["2024-05-01 10:00:00Z", "x"])
    | st.none(),
    "note": st.sampled_from([" X ", "?", " ? ", "y", "N/A"]) | TEXTS | st.none(),
}


@pytest.mark.slow
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries(ANYTHING))
def test_a_record_gets_the_verdict_of_a_batch_of_one(record: dict[str, Any]) -> None:
    types = {name: arrow.string() for name, value in record.items() if value is None}
    judged = judge(GATE, record, types=types | _widths(record))
    verdict = GATE.check_record(record)
    assert set(verdict.undecided) == UNDECIDED
    assert tuple(broken.rule for broken in verdict.broken) == judged.broken.get(0, ())
    assert verdict.passed is (0 not in judged.broken)
    if verdict.passed:
        (published,) = judged.published
        assert _comparable(verdict.record) == _comparable(published)


def _widths(record: dict[str, Any]) -> dict[str, arrow.DataType]:
    """A Python number has no width of its own: a record's takes the schema's where it fits."""
    widths = {}
    if isinstance(record["small"], int) and -128 <= record["small"] <= 127:
        widths["small"] = arrow.int8()
    if isinstance(record["ratio"], float):
        widths["ratio"] = arrow.float32()
    return widths


def _comparable(row: Any) -> dict[str, Any]:
    return {name: "nan" if value != value else value for name, value in row.items()}  # noqa: PLR0124  # NaN


def test_a_record_that_passes_comes_back_typed_and_cleansed() -> None:
    text = {"id": " 7", "small": "5", "price": "1.5", "ratio": "0.25", "status": "paid", "code": "A1", "flag": "TRUE"}
    verdict = GATE.check_record({**text, "day": "2024-02-01", "at": "2024-02-01T00:00:00Z", "note": " X "})
    assert verdict.passed
    assert verdict.record == {
        "id": 7,
        "small": 5,
        "price": 1.5,
        "ratio": 0.25,
        "status": "paid",
        "code": "A1",
        "flag": True,
        "day": date(2024, 2, 1),
        "at": datetime(2024, 2, 1, tzinfo=UTC),
        "note": "x",
    }


def test_what_is_broken_is_named_with_its_column_reason_and_route() -> None:
    verdict = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.int64(), pa.Check.ge(0))})).check_record({"a": -1})
    (broken,) = verdict.broken
    assert (broken.rule, broken.column, broken.reason) == (
        "a_greater_than_or_equal_to",
        "a",
        "greater_than_or_equal_to(0)",
    )
    assert broken.route == "quarantine"


def test_a_rule_that_only_warns_does_not_fail_a_record() -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(arrow.int64(), pa.Check.ge(0, raise_warning=True))})
    verdict = Gate(schema).check_record({"a": -1})
    assert verdict.broken
    assert verdict.passed


def test_a_record_of_the_wrong_shape_is_judged_by_its_shape_alone() -> None:
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.int64(), pa.Check.ge(0)), "b": pa.Column(str)}, strict=True))
    missing = gate.check_record({"a": -1})
    assert [(b.rule, b.reason) for b in missing.broken] == [("columns_present", "missing: b")]
    assert "a_greater_than_or_equal_to" in missing.undecided
    extra = gate.check_record({"a": 1, "b": "x", "c": 2})
    assert [b.rule for b in extra.broken] == ["columns_expected"]
    typed = gate.check_record({"a": 1.5, "b": "x"})
    assert [(b.rule, b.reason) for b in typed.broken] == [("a_dtype", "a is double, not int64")]


def test_defaults_and_flags_are_applied() -> None:
    column = pa.Column(arrow.int64(), nullable=True, metadata=cleanse(FlagMissing("a_missing"), FillMissing(7)))
    gate = Gate(pa.DataFrameSchema({"a": column}))
    assert gate.check_record({"a": None}).record == {"a": 7, "a_missing": True}
    assert gate.check_record({"a": "3"}).record == {"a": 3, "a_missing": False}
    assert [b.rule for b in gate.check_record({"a": "x"}).broken] == ["a_dtype"]


def test_a_pattern_of_columns_speaks_of_the_records_columns() -> None:
    gate = Gate(pa.DataFrameSchema({r"^s\d$": pa.Column(arrow.float64(), pa.Check.ge(0), regex=True)}))
    verdict = gate.check_record({"s1": 1.0, "s2": -1.0})
    assert [b.column for b in verdict.broken] == ["s2"]


def test_a_function_of_a_whole_table_is_not_decided_and_an_expression_is_run_by_pandera() -> None:
    class Native(pa.DataFrameModel):
        """A native check, and an expression that is not compiled."""

        a: arrow.int64()

        @pa.check("a")
        def even(cls, data: pa.PyArrowData) -> Any:
            """Over the Arrow table."""
            import pyarrow.compute as pc  # noqa: PLC0415  # a user would

            return pc.equal(pc.bit_wise_and(data.table.column(data.key), 1), 0)

        @pa.dataframe_check(native=False)
        def rounded(cls, _frame: Any) -> nw.Expr:
            """Over an operation that has no counterpart here."""
            return nw.col("a").clip(0, 10) == nw.col("a")

    gate = Gate(Native)
    assert gate.check_record({"a": 3}).undecided == ("a_even",)
    assert [b.rule for b in gate.check_record({"a": 12}).broken] == ["rounded"]


@pytest.mark.parametrize(
    "check",
    [
        lambda e: e >= nw.col("a"),
        lambda e: e % nw.col("a") == 0,  # left to Pandera
        lambda e: e.is_null() | (nw.col("f") < 2),  # of the other column alone
    ],
)
def test_a_check_of_a_column_may_read_another(check: Any) -> None:
    columns = {"a": pa.Column(arrow.int64()), "f": pa.Column(arrow.float64(), nullable=True)}
    columns["b"] = pa.Column(arrow.int64(), pa.Check(check, native=False, name="other"))
    gate = Gate(pa.DataFrameSchema(columns))
    records = [{"a": a, "f": f, "b": "4"} for a in (1, "3", 7) for f in (1.0, float("nan"), "5", None)]
    broken = judge(
        gate, *[{name: None if value is None else str(value) for name, value in one.items()} for one in records]
    ).broken
    assert [tuple(b.rule for b in gate.check_record(one).broken) for one in records] == [
        broken.get(row, ()) for row in range(len(records))
    ]


def test_a_check_that_compares_a_row_with_others_is_not_decided() -> None:
    above = pa.Check(lambda _: nw.col("a") >= nw.col("a").mean(), native=False, name="above")
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.float64())}, checks=[above]))
    assert gate.check_record({"a": 1.0}).undecided == ("above",)


def test_a_decimal_keeps_its_digits() -> None:
    import pandera.polars as pp  # noqa: PLC0415  # pandera.pyarrow has no decimals
    import polars as pl  # noqa: PLC0415

    gate = Gate(pp.DataFrameSchema({"a": pp.Column(pl.Decimal(10, 2), pa.Check.ge(0))}))
    assert gate.check_record({"a": "1.50"}).record == {"a": Decimal("1.50")}
    assert gate.check_record({"a": Decimal("1.5")}).record == {"a": Decimal("1.50")}
    assert [b.rule for b in gate.check_record({"a": Decimal("1.555")}).broken] == ["a_dtype"]
    assert [b.rule for b in gate.check_record({"a": "1.555"}).broken] == ["a_dtype"]


def test_decimals_are_computed_with_all_of_their_digits() -> None:
    for check in (lambda e: e.abs() == e, lambda e: e + Decimal("0.01") > e):
        exact = pa.Check(check, native=False, name="exact")
        gate = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.decimal128(36, 2), exact)}))
        assert gate.check_record({"a": "1234567890123456789012345678901234.34"}).passed


@pytest.mark.parametrize(
    "check",
    [
        lambda i, f: i == f,
        lambda i, f: f >= i,
        lambda i, f: i.is_between(f, f, closed="left"),
        lambda i, f: (i > 0) & f.is_in([2**53 + 1, 3]),
    ],
)
def test_whole_numbers_beside_floats_are_compared_in_a_record_as_in_a_batch(check: Any) -> None:
    same = pa.Check(lambda _: check(nw.col("i"), nw.col("f")), native=False, name="same")
    columns = {"i": pa.Column(arrow.int64()), "f": pa.Column(arrow.float64())}
    gate = Gate(pa.DataFrameSchema(columns, checks=[same]))
    records = [{"i": i, "f": f} for i in (2**53, 2**53 + 1, 3) for f in (2.0**53, 2.5, 3.0)]
    broken = judge(gate, *records).broken
    assert [not gate.check_record(one).passed for one in records] == [row in broken for row in range(len(records))]


@pytest.mark.parametrize("of_column", [True, False])
def test_a_function_of_values_takes_times_in_their_column_s_zone(of_column: bool) -> None:
    def early(given: Any) -> bool:
        return bool((given if of_column else given["t"]).hour < 20)

    check = pa.Check(early, element_wise=True)
    column = pa.Column(arrow.timestamp("us", tz="Europe/Vienna"), [check] if of_column else [])
    gate = Gate(pa.DataFrameSchema({"t": column}, checks=[] if of_column else [check]))
    late = {"t": "2026-01-01T19:30:00Z"}  # half past eight in Vienna
    assert judge(gate, late).broken.keys() == {0}
    assert not gate.check_record(late).passed
    assert not gate.check_record({"t": datetime(2026, 1, 1, 19, 30, tzinfo=UTC)}).passed
    assert gate.check_record({"t": "2026-01-01T18:30:00Z"}).passed


def test_a_record_s_times_are_instants_also_in_the_hour_that_clocks_repeat() -> None:
    zone = ZoneInfo("Europe/Vienna")
    summer, winter = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC).astimezone(zone) for hour in (0, 1))
    kind = arrow.timestamp("us", tz="Europe/Vienna")
    for check, winter_passes in (
        (pa.Check.eq(summer), False),
        (pa.Check.isin([summer]), False),
        (pa.Check.lt(winter), False),
        (pa.Check.in_range(summer, winter), True),
    ):
        gate = Gate(pa.DataFrameSchema({"t": pa.Column(kind, check)}))
        for at, passes in ((summer, True), (winter, winter_passes)):
            assert (judge(gate, {"t": at}).broken == {}) is passes
            for written in (at, at.astimezone(UTC), at.isoformat()):
                assert gate.check_record({"t": written}).passed is passes, (check, written)
    later = pa.Check(lambda _: nw.col("b") > nw.col("a"), native=False)
    gate = Gate(pa.DataFrameSchema({name: pa.Column(kind) for name in "ab"}, checks=later))
    assert gate.check_record({"a": summer, "b": winter.replace(minute=10)}).passed
    known = KnownKeys.of(["t"], [(winter.astimezone(UTC),)])
    gate = Gate(pa.DataFrameSchema({"t": pa.Column(kind)}), rules=[ExistsIn("t", table="x.y")])
    assert gate.check_record({"t": winter}, known={"x.y": known}).passed
    assert not gate.check_record({"t": summer}, known={"x.y": known}).passed


def test_records_may_be_checked_from_many_threads() -> None:
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(str, pa.Check.eq("008"), metadata=cleanse(ZeroPad(3)))}))
    with ThreadPoolExecutor(8) as threads:
        verdicts = list(threads.map(lambda n: gate.check_record({"a": str(n % 10)}).passed, range(400)))
    assert verdicts == [n % 10 == 8 for n in range(400)]


@pytest.mark.parametrize("text", ["\u0131nf", "\u0130nfinity", "-\u0131nf"])
def test_a_text_with_letters_that_only_python_takes_for_others_is_no_number(text: str) -> None:
    for kind in (arrow.float64(), arrow.float32()):
        gate = Gate(pa.DataFrameSchema({"x": pa.Column(kind)}))
        assert judge(gate, {"x": text}, {"x": "inf"}).broken == {0: ("x_dtype",)}
        assert [b.rule for b in gate.check_record({"x": text}).broken] == ["x_dtype"]


@pytest.mark.parametrize(
    "value", [[1, "x"], {1: 2}, ["\ud800"], [10**40], Decimal("NaN"), Decimal(10) ** 39, 10**38, -(10**40)]
)
def test_a_value_of_no_type_is_named_also_where_the_schema_does_not_name_it(value: Any) -> None:
    gate = Gate(pa.DataFrameSchema({"x": pa.Column(arrow.float64(), coerce=True)}))
    for name in ("x", "tags"):
        with pytest.raises(DeclarationError, match=f"the value of '{name}'"):
            gate.check_record({"x": 1.0, name: value})


def test_whole_numbers_beyond_64_bits_are_judged_whatever_came_before() -> None:
    gate = Gate(pa.DataFrameSchema({"x": pa.Column(str, coerce=True), "y": pa.Column(arrow.int64(), required=False)}))
    given = [5, 2**64, 7, 10**38 - 1]
    assert [gate.check_record({"x": value}).record for value in given] == [
        {"x": str(value), "y": None} for value in given
    ]


def test_a_value_that_no_column_can_hold_is_named() -> None:
    with pytest.raises(DeclarationError, match="the value of 'a' is a object"):
        Gate(pa.DataFrameSchema({"a": pa.Column(str)})).check_record({"a": object()})


def test_a_function_that_raises_is_named_with_the_value() -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(arrow.int64(), pa.Check(lambda v: 1 // v == 0, element_wise=True))})
    with pytest.raises(GateBuildError, match="raised ZeroDivisionError on 0"):
        Gate(schema).check_record({"a": 0})


def test_narwhals_expressions_are_made_of_the_nodes_that_are_read() -> None:
    """What Narwhals keeps private, and an upgrade may change."""
    lifted = (nw.col("a") >= 1) & ~nw.col("b").str.contains("x")
    assert [node.name for node in nodes_of(lifted)] == ["col", "__ge__", "__and__"]
    assert nodes_of(nw.col("a").is_between(1, 2))[1].exprs == (1, 2)
    assert nodes_of(nw.col("a").is_in([1, 2]))[1].kwargs == {"other": [1, 2]}
    assert columns_of(lifted) == ("a", "b")
    assert is_elementwise(lifted)
    assert not is_elementwise(nw.col("a") > nw.col("a").mean())
