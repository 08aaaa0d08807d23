"""Schemas written for Polars and pandas."""

from datetime import date
from typing import Any

import pandas as pd
import pandera.pandas as pp
import pandera.polars as pl_schema
import pandera.pyarrow as pa_schema
import polars as pl
import pyarrow as arrow
import pyarrow.compute as pc
import pytest
from pandera.errors import SchemaErrors

from readiness_pipelines import Gate
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates import Runner
from readiness_pipelines.testing import judge


class PolarsOrder(pl_schema.DataFrameModel):
    """An order, written for Polars."""

    id: pl.Int64 = pl_schema.Field(unique=True)
    amount: pl.Float64 = pl_schema.Field(ge=0, nullable=True)
    status: pl.String = pl_schema.Field(isin=["paid", "open"])
    day: pl.Date

    @pl_schema.check("amount")
    def below_a_hundred(cls, data: pl_schema.PolarsData) -> pl.LazyFrame:
        """A native check takes Polars' own frame."""
        return data.lazyframe.select(pl.col(data.key) < 100)

    @pl_schema.dataframe_check
    def open_is_small(cls, data: pl_schema.PolarsData) -> pl.LazyFrame:
        """A native check of the frame."""
        return data.lazyframe.select((pl.col("status") == "paid") | (pl.col("amount") < 10))


class PandasOrder(pp.DataFrameModel):
    """The same, written for pandas."""

    id: int = pp.Field(unique=True)
    amount: float = pp.Field(ge=0, nullable=True)
    status: str = pp.Field(isin=["paid", "open"])
    day: pp.Date

    @pp.check("amount")
    def below_a_hundred(cls, series: pd.Series) -> Any:
        """A native check takes a series."""
        return series < 100

    @pp.dataframe_check
    def open_is_small(cls, frame: pd.DataFrame) -> Any:
        """A native check of the frame."""
        return (frame["status"] == "paid") | (frame["amount"] < 10)


ROWS: list[dict[str, Any]] = [
    {"id": 1, "amount": 5.0, "status": "open", "day": "2026-01-31"},
    {"id": 2, "amount": -5.0, "status": "paid", "day": "2026-01-31"},
    {"id": 3, "amount": 500.0, "status": "paid", "day": "2026-01-31"},
    {"id": 4, "amount": None, "status": "paid", "day": "2026-01-31"},
    {"id": 5, "amount": 50.0, "status": "open", "day": "2026-01-31"},
    {"id": 6, "amount": 1.0, "status": "lost", "day": "2026-01-31"},
    {"id": 7, "amount": 1.0, "status": "paid", "day": "31.01.2026"},
    {"id": 7, "amount": 1.0, "status": "paid", "day": "2026-01-31"},
]


@pytest.mark.parametrize("model", [PolarsOrder, PandasOrder])
def test_a_schema_of_another_flavour_gives_the_same_verdict(model: Any) -> None:
    gate = Gate(model)
    judged = judge(gate, *ROWS)
    judged.assert_breaks(
        {
            1: "amount_greater_than_or_equal_to",
            2: "amount_below_a_hundred",
            4: "open_is_small",
            5: "status_isin",
            6: ("id_unique", "day_dtype"),
            7: "id_unique",
        }
    )
    judged.assert_publishes({"id": 1, "day": date(2026, 1, 31)}, {"id": 4, "day": date(2026, 1, 31)})
    runs = {rule.name: rule.runs_on for rule in gate.rules}
    assert runs["amount_greater_than_or_equal_to"] is Runner.QUERY
    assert runs["amount_below_a_hundred"] is Runner.PANDERA


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        (int, arrow.int64()),
        ("int8", arrow.int8()),
        ("Int32", arrow.int32()),
        ("float32", arrow.float32()),
        (bool, arrow.bool_()),
        ("boolean", arrow.bool_()),
        (str, arrow.string()),
        ("category", arrow.string()),
        ("datetime64[ns]", arrow.timestamp("us")),
        (pd.DatetimeTZDtype("ns", "UTC"), arrow.timestamp("us", tz="UTC")),
        (pp.Date, arrow.date32()),
        (pd.ArrowDtype(arrow.decimal128(10, 2)), arrow.decimal128(10, 2)),
    ],
)
def test_a_pandas_type_has_an_arrow_type(dtype: Any, kind: arrow.DataType) -> None:
    assert Gate(pp.DataFrameSchema({"a": pp.Column(dtype)})).schema.field("a").type == kind


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        (pl.Int16, arrow.int16()),
        (pl.String, arrow.string()),
        (pl.Categorical, arrow.string()),
        (pl.Datetime("ms", "UTC"), arrow.timestamp("us", tz="UTC")),
        (pl.Decimal(12, 3), arrow.decimal128(12, 3)),
        (pl.List(pl.Int64), arrow.list_(arrow.int64())),
        (pl.Binary, arrow.binary()),
        (pl.Time, arrow.time64("us")),
    ],
)
def test_a_polars_type_has_an_arrow_type(dtype: Any, kind: arrow.DataType) -> None:
    assert Gate(pl_schema.DataFrameSchema({"a": pl_schema.Column(dtype)})).schema.field("a").type == kind


@pytest.mark.parametrize(("flavour", "kind"), [(pl_schema, pl.Enum(["b", "a"])), (pp, pd.CategoricalDtype(["b", "a"]))])
def test_the_categories_of_a_type_are_a_rule_that_null_passes_and_that_takes_no_name_of_the_columns_own_checks(
    flavour: Any, kind: Any
) -> None:
    def of(*checks: Any) -> Gate:
        return Gate(flavour.DataFrameSchema({"a": flavour.Column(kind, checks, nullable=True)}), engine="spark")

    gate = of()
    judge(gate, {"a": "a"}, {"a": "c"}, {"a": None}).assert_breaks({1: "a_isin"})
    assert [gate.check_record({"a": value}).passed for value in ("a", "c", None)] == [True, False, True]
    narrower = of(flavour.Check.isin(["a"]))
    judge(narrower, {"a": "b"}, {"a": "c"}).assert_breaks({0: "a_isin", 1: ("a_isin", "a_isin_2")})
    text = flavour.Column(str, flavour.Check.isin(["a", "b"]), nullable=True)
    same = Gate(flavour.DataFrameSchema({"a": text})).version
    assert gate.version == of(flavour.Check.isin(["a", "b"])).version == same != narrower.version


@pytest.mark.parametrize(
    ("flavour", "kind", "checks", "why"),
    [
        (pp, pd.CategoricalDtype([1, 2]), [], "lists 1, which is not a text"),
        (pl_schema, pl.Enum([]), [], "lists no categories"),
        (pl_schema, pl.List(pl.Enum(["a"])), [], "inside of a list or record"),
        (pl_schema, pl.Struct({"x": pl.Enum(["a"])}), [], "inside of a list or record"),
        (pl_schema, pl.Enum(["low", "high"]), pl_schema.Check.ge("high"), "by the order of its type's categories"),
    ],
)
def test_categories_that_text_does_not_hold_are_refused(flavour: Any, kind: Any, checks: Any, why: str) -> None:
    with pytest.raises(GateBuildError, match=why):
        Gate(flavour.DataFrameSchema({"a": flavour.Column(kind, checks)}))


def test_a_type_for_the_whole_frame_is_every_columns() -> None:
    assert Gate(pp.DataFrameSchema({"a": pp.Column()}, dtype=int)).schema.field("a").type == arrow.int64()


def test_pandas_matches_patterns_of_columns_from_their_start() -> None:
    schema = {r"s\d": pp.Column(float, pp.Check.ge(0), regex=True)}
    judge(Gate(pp.DataFrameSchema(schema)), {"s1": "1", "xs1": "-1"}).assert_breaks({})
    polars = {r"^s\d$": pl_schema.Column(float, pl_schema.Check.ge(0), regex=True)}
    judge(Gate(pl_schema.DataFrameSchema(polars)), {"s1": "-1", "s12": "1"}, {"s1": "1", "s12": "-1"}).assert_breaks(
        {0: "s_d_greater_than_or_equal_to"}
    )


def test_what_pandas_says_of_nan_counts_for_a_pandas_schema() -> None:
    rows = ({"a": float("nan")}, {"a": -1.0})
    pandas = Gate(pp.DataFrameSchema({"a": pp.Column(float, pp.Check.ge(0), nullable=True)}))
    judge(pandas, *rows).assert_breaks({1: "a_greater_than_or_equal_to"})
    polars = Gate(pl_schema.DataFrameSchema({"a": pl_schema.Column(pl.Float64, pl_schema.Check.le(0), nullable=True)}))
    judge(polars, *rows).assert_breaks({0: "a_less_than_or_equal_to"})


VALUES = [1.0, -1.0, float("nan"), None]
FUNCTIONS = {
    "positive": lambda value: value > 0,
    "not positive": lambda value: not value > 0,
    "itself": lambda value: value == value,  # noqa: PLR0124  # NaN differs from itself
    "null": lambda value: value is None,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("ignore_na", [True, False])
def test_an_element_wise_check_meets_nan_and_null_as_in_its_own_library(name: str, ignore_na: bool) -> None:
    def failed_by(flavour: Any, dtype: Any, given: Any) -> tuple[set[int], set[int]]:
        check = flavour.Check(FUNCTIONS[name], element_wise=True, ignore_na=ignore_na, name="mine")
        schema = flavour.DataFrameSchema({"a": flavour.Column(dtype, check, nullable=True)})
        gate = Gate(schema)
        judged = judge(gate, *({"a": value} for value in VALUES), types={"a": arrow.float64()})
        alone = {row for row, value in enumerate(VALUES) if not gate.check_record({"a": value}).passed}
        assert alone == set(judged.quarantined)
        try:
            schema.validate(given, lazy=True)
        except SchemaErrors as errors:
            rows = errors.failure_cases["index"]
            return set(judged.quarantined), set(rows.to_list())
        return set(judged.quarantined), set()

    for seen, pandera in (
        failed_by(pp, float, pd.DataFrame({"a": VALUES})),
        failed_by(pl_schema, pl.Float64, pl.DataFrame({"a": VALUES}, schema={"a": pl.Float64}, strict=False)),
    ):
        assert seen == pandera


def test_a_native_check_of_a_column_is_given_the_whole_frame_but_by_pandas() -> None:
    after = pl_schema.Check(lambda data: data.lazyframe.select(pl.col(data.key) >= pl.col("a")), name="after")
    polars = pl_schema.DataFrameSchema({"a": pl_schema.Column(int), "b": pl_schema.Column(int, after)})
    later = pa_schema.Check(lambda data: pc.greater_equal(data.table["b"], data.table["a"]), name="after")
    kind = arrow.int64()
    on_arrow = pa_schema.DataFrameSchema({"a": pa_schema.Column(kind), "b": pa_schema.Column(kind, later)})
    for schema in (polars, on_arrow):
        judge(Gate(schema), {"a": 1, "b": 2}, {"a": 3, "b": 2}).assert_breaks({1: "b_after"})


@pytest.mark.parametrize("element_wise", [False, True])
def test_a_function_of_the_frame_does_not_see_an_optional_column_that_did_not_arrive(element_wise: bool) -> None:
    check = pp.Check(lambda given: given["b" if "b" in given else "a"] > 0, element_wise=element_wise, name="positive")
    columns = {"a": pp.Column(int), "b": pp.Column(int, required=False)}
    gate = Gate(pp.DataFrameSchema(columns, checks=check))
    judge(gate, {"a": 1}, {"a": 0}).assert_breaks({1: "positive"})
    judge(gate, {"a": 0, "b": 1}, {"a": 1, "b": 0}).assert_breaks({1: "positive"})
    assert not element_wise or [gate.check_record({"a": value}).passed for value in (1, 0)] == [True, False]


@pytest.mark.parametrize("among", ["checks", "rules"])
def test_a_check_of_columns_over_the_frame_is_refused_where_pandera_does_not_have_it(among: str) -> None:
    def over_the_frame(flavour: Any, kind: Any, check: Any) -> Gate:
        columns = {"a": flavour.Column(kind), "b": flavour.Column(kind)}
        schema = flavour.DataFrameSchema(columns, checks=[check] if among == "checks" else [])
        return Gate(schema, rules=[check] if among == "rules" else [])

    for flavour, kind, check in (
        (pa_schema, arrow.int64(), pa_schema.Check.ge(0)),
        (pp, int, pp.Check.unique_values_eq([1])),
    ):
        with pytest.raises(GateBuildError, match="for columns alone"):
            over_the_frame(flavour, kind, check)
    judge(over_the_frame(pp, int, pp.Check.ge(0)), {"a": 1, "b": -1}, {"a": 1, "b": 1}).assert_breaks(
        {0: "greater_than_or_equal_to"}
    )


@pytest.mark.parametrize(("name", "given"), [("ne", "x"), ("notin", ["x"]), ("isin", ["x", None]), ("eq", "x")])
def test_what_pandas_says_of_null_counts_for_a_check_of_a_pandas_schema_that_does_not_ignore_it(
    name: str, given: Any
) -> None:
    check = getattr(pp.Check, name)(given, ignore_na=False, name="mine")
    schema = pp.DataFrameSchema({"a": pp.Column(str, check, nullable=True)})
    values = ["x", "y", None]
    try:
        schema.validate(pd.DataFrame({"a": values}, dtype=object), lazy=True)
        failed = set()
    except SchemaErrors as errors:
        failed = set(errors.failure_cases["index"].to_list())
    gate = Gate(schema)
    judge(gate, *({"a": value} for value in values)).assert_breaks(dict.fromkeys(failed, "a_mine"))
    assert {row for row, value in enumerate(values) if not gate.check_record({"a": value}).passed} == failed


def test_a_grouped_check_of_pandas_speaks_of_the_batch() -> None:
    check = pp.Check(lambda groups: groups["a"].mean() < groups["b"].mean(), groupby="kind", name="a_below_b")
    gate = Gate(pp.DataFrameSchema({"value": pp.Column(float, check), "kind": pp.Column(str)}))
    rows = ({"value": 1.0, "kind": "a"}, {"value": 2.0, "kind": "b"})
    judge(gate, *rows).assert_publishes(*rows)
    judge(gate, {"value": 3.0, "kind": "a"}, rows[1]).assert_held("value_a_below_b")


def test_an_index_has_no_place_in_a_batch() -> None:
    with pytest.raises(GateBuildError, match="has an index"):
        Gate(pp.DataFrameSchema({"a": pp.Column(int)}, index=pp.Index(int)))


def test_parsers_give_way_to_cleansing() -> None:
    column = pp.Column(str, parsers=pp.Parser(lambda series: series.str.strip()))
    with pytest.raises(GateBuildError, match="has parsers on a"):
        Gate(pp.DataFrameSchema({"a": column}))
