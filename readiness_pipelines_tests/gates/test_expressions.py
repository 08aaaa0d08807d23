"""What the query says of an expression is what Pandera says of it on Arrow, or Pandera says it itself."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import duckdb
import narwhals.stable.v1 as nw
import pandera.pandas as pp
import pandera.polars as pl
import pandera.pyarrow as pa
import polars
import pyarrow as arrow
import pytest

from readiness_pipelines import Gate, null_share
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates import DuckDbEngine, Runner
from readiness_pipelines.testing import batch, judge
from readiness_pipelines_tests.gates.expressions import CONDITIONS, TABLE, VALUES, always, pandera_says

C, col, nan, inf = pa.Check, nw.col, math.nan, math.inf


def test_every_expression_has_pandera_s_verdict() -> None:
    """All at once, rows and batch alike, on rows that lie in the engine in another order than ``_row``."""
    schema = {name: pa.Column(kind, nullable=True) for name, (kind, _) in VALUES.items()}
    checks = [C(always(made), native=False, name=f"c{place}") for place, made in enumerate(CONDITIONS)]
    gate = Gate(pa.DataFrameSchema(schema, checks=checks))
    rows = TABLE.to_pylist()
    expected = {f"c{place}": pandera_says(made) for place, made in enumerate(CONDITIONS)}
    verdict = _verdict(gate, rows)
    held = {count.rule.name: bool(count.detail) for count in verdict["rules"]}
    found = {name: held[name] if isinstance(says, bool) else _rows(verdict, name) for name, says in expected.items()}
    wrong = {
        name: (CONDITIONS[int(name[1:])], expected[name], found[name])
        for name in expected
        if found[name] != expected[name]
    }
    assert not wrong
    runs = {rule.runs_on for rule in gate.rules}
    assert {Runner.QUERY, Runner.PANDERA} <= runs


def _verdict(gate: Gate, rows: list[dict[str, Any]]) -> dict[str, Any]:
    types = {name: kind for name, (kind, _) in VALUES.items()}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Kolkata'")
        shuffled = batch(*rows, types=types).take([3, 0, 7, 5, 1, 6, 2, 4])
        verdict = gate.judge(shuffled, DuckDbEngine(connection))
        return {"rules": verdict.rules, "waiting": verdict.quarantined.to_arrow_table().to_pylist()}


def _rows(verdict: dict[str, Any], rule: str) -> set[int]:
    return {row["_row"] for row in verdict["waiting"] if rule in {error["rule"] for error in row["_errors"]}}


def gate_of(kind: arrow.DataType, *checks: C, **options: Any) -> Gate:
    return Gate(pa.DataFrameSchema({"a": pa.Column(kind, list(checks), **{"nullable": True, **options})}))


def values(*given: Any) -> list[dict[str, Any]]:
    return [{"a": value} for value in given]


def own(made: Callable[[nw.Expr], nw.Expr]) -> C:
    return C(made, native=False, name="own")


def _broken(_column: nw.Expr) -> nw.Expr:
    raise ZeroDivisionError


FLOATS = [nan, inf, -inf, 0.0, -0.0, 0.1, 1.0, -4.0, 2.0**53, None]


@pytest.mark.parametrize("module", [pa, pl, pp])
@pytest.mark.parametrize("ignores", [True, False])
def test_a_record_meets_nan_and_infinity_as_a_batch_of_one_does(module: Any, ignores: bool) -> None:
    """Built-in checks by the flavour's own library; an expression means the same in every flavour."""
    built_in = [module.Check.ge(0), module.Check.ne(0), module.Check.isin([0.0, 0.1]), module.Check.in_range(0, 1)]
    expressions = [
        lambda c: c > 0,
        lambda c: ~(c > 0),
        lambda c: c / c > 0.5,
        lambda c: (c - c) >= 0,
        lambda c: c.sqrt() > 0,
    ]
    checks = [*built_in, *(module.Check(made, native=False, ignore_na=ignores) for made in expressions)]
    kind = arrow.float64() if module is pa else float
    gate = Gate(module.DataFrameSchema({"a": module.Column(kind, checks, nullable=True)}))
    judged = judge(gate, *values(*FLOATS), types={"a": arrow.float64()})
    for row, value in enumerate(FLOATS):
        broken = tuple(broken.rule for broken in gate.check_record({"a": value}).broken)
        assert broken == judged.broken.get(row, ()), value


def test_a_record_compares_large_and_exact_numbers_as_a_batch_does() -> None:
    decimal = gate_of(arrow.decimal128(10, 2), C.ge(0.1), C.isin([0.1]), C.eq(Decimal("0.1")))
    whole = gate_of(arrow.int64(), C.notin([2**53]), C.le(2**53), C.isin([2**53 + 1, 7]))
    for gate, given in ((decimal, ["0.1", "0.10", "0.09"]), (whole, [2**53, 2**53 + 1, 7, "9007199254740993"])):
        for value in given:
            broken = tuple(broken.rule for broken in gate.check_record({"a": value}).broken)
            assert broken == judge(gate, {"a": value}).broken.get(0, ()), value


def test_a_record_decides_only_what_its_row_decides() -> None:
    gate = gate_of(arrow.int64(), own(lambda c: c.diff() > 0), own(lambda c: c % 2 == 0), own(lambda c: c.len() > 1))
    verdict = gate.check_record({"a": 3})
    assert verdict.undecided == ("a_own", "a_own_3")
    assert [broken.rule for broken in verdict.broken] == ["a_own_2"]


@pytest.mark.parametrize(
    ("module", "kind", "isin", "ge"),
    [
        (pa, arrow.float32(), {4}, {0, 1, 2, 3, 4}),  # Arrow compares as floats of 64 bits, but for isin
        (pl, polars.Float32, {1, 2, 4}, {0, 1, 3, 4}),  # Polars and pandas the other way round
        (pp, "float32", {1, 2, 4}, {0, 1, 3, 4}),
    ],
)
def test_32_bit_floats_are_compared_as_the_library_of_the_schema_compares_them(
    module: Any, kind: Any, isin: set[int], ge: set[int]
) -> None:
    given = values(0.0, 0.1, 0.7, 0.5, 0.15)
    checks = [module.Check.isin([0.0, 0.1, 0.7, 0.5]), module.Check.ge(0.7)]
    gate = Gate(module.DataFrameSchema({"a": module.Column(kind, checks)}))
    judged = judge(gate, *given, types={"a": arrow.float32()})
    assert {row for row, rules in judged.broken.items() if "a_isin" in rules} == isin
    assert {row for row, rules in judged.broken.items() if "a_greater_than_or_equal_to" in rules} == ge


@pytest.mark.parametrize(
    ("check", "says"),
    [
        (own(lambda c: c.head(1) > 0), "'head', which answers with other rows"),
        (own(lambda c: c.sort() > 0), "'sort', which answers with other rows"),
        (own(lambda c: c.unique() > 0), "'unique', which answers with other rows"),
        (own(lambda c: c.filter(c > 0) > 0), "'filter', which answers with other rows"),
        (own(lambda c: c.mode() > 0), "'mode': which value it takes is left to chance"),
        (own(lambda c: c + 1), "answers with Int64, not with true or false"),
        (own(lambda c: c > col("b")), "names a column that the schema does not"),
        (own(_broken), "raised ZeroDivisionError"),
        (C.lt(1e17), "a float beyond 2\\^53"),
        (own(lambda c: c > datetime(2024, 1, 1, tzinfo=UTC)), "cannot be evaluated"),
    ],
)
def test_an_expression_without_one_meaning_is_refused_when_the_gate_is_built(check: C, says: str) -> None:
    with pytest.raises(GateBuildError, match=says):
        gate_of(arrow.int64(), check)


def test_a_time_without_a_zone_is_not_compared_with_one_that_has_it() -> None:
    with pytest.raises(GateBuildError, match="cannot be evaluated by Pandera on Arrow"):
        gate_of(arrow.timestamp("us", "UTC"), C.ge(datetime(2024, 1, 1)))  # noqa: DTZ001


def test_an_empty_batch_is_judged_as_pandera_judges_it() -> None:
    types = {"a": arrow.int64()}
    gate = gate_of(arrow.int64(), own(lambda c: c.null_count() < 1), own(lambda c: c.n_unique() == 1))
    judge(gate, types=types).assert_held("a_own_2")
    enough = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.int64())}), rules=[null_share("a", at_most=0.5)])
    assert not judge(enough, types=types).verdict.broken


def test_a_condition_on_a_batch_of_one_row_holds_it_and_null_is_no_answer() -> None:
    gate = gate_of(arrow.int64(), own(lambda c: c.cum_sum().max() > 5))
    judge(gate, *values(3), types={"a": arrow.int64()}).assert_held("a_own")
    middle = gate_of(arrow.float32(), own(lambda c: c.median() >= 3))
    judge(middle, *values(nan, None), types={"a": arrow.float32()}).assert_breaks({})


def test_a_native_check_must_answer_true_or_false() -> None:
    types = {"a": arrow.int64()}
    for dtype in (int, float, "Int64", object, "boolean"):
        gate = Gate(
            pp.DataFrameSchema({"a": pp.Column(int, pp.Check(lambda s, d=dtype: (s > 0).astype(d), name="own"))})
        )
        judge(gate, *values(1, -1, 2), types=types).assert_breaks({1: "a_own"})
    for answer, says in (
        (lambda _: [True, False, True], "answers with a list"),
        (lambda d: d.table["a"], "type int64"),
    ):
        with pytest.raises(GateBuildError, match=says):
            judge(gate_of(arrow.int64(), C(answer, name="own")), *values(1, -1, 2), types=types)


def test_the_zone_of_a_connection_decides_nothing() -> None:
    """Neither what a text means, nor what a rule says, nor the type that is published."""
    kind = arrow.timestamp("us", "UTC")
    gate = gate_of(kind, C.ge(datetime(2024, 3, 1, tzinfo=UTC)), own(lambda c: c.dt.hour() < 12))
    found = []
    for zone in ("UTC", "America/New_York", "Pacific/Chatham"):
        with duckdb.connect() as connection:
            connection.execute(f"SET TimeZone = '{zone}'")
            rows = batch(*values("2024-02-29 20:00:00", "2024-03-01 01:30:00", "2024-03-02T23:00:00+02:00"))
            verdict = gate.judge(connection.from_arrow(rows), DuckDbEngine(connection))
            published = verdict.published.to_arrow_table()
            found.append((published.column("a").to_pylist(), published.schema, verdict.failed_rows))
    assert found[0] == found[1] == found[2]
    assert found[0][0] == [datetime(2024, 3, 1, 1, 30, tzinfo=UTC)]


def test_python_s_times_keep_their_zones_where_pandera_is_imported_first() -> None:
    """With PySpark installed, Pandera tells Arrow to drop them."""
    one = datetime(2024, 2, 29, 21, tzinfo=timezone(timedelta(hours=-5)))
    assert arrow.array([one], arrow.timestamp("us", "UTC")).to_pylist() == [datetime(2024, 3, 1, 2, tzinfo=UTC)]


def test_samples_show_the_beginning_of_large_cells() -> None:
    types = {"a": arrow.string(), "b": arrow.binary(), "c": arrow.list_(arrow.int64())}
    schema = pa.DataFrameSchema({name: pa.Column(nullable=True) for name in types})
    check = C(lambda _: col("a").is_null() & col("b").is_null() & col("c").is_null(), native=False, name="nothing")
    row = {"a": "ä" * 200_000, "b": b"x" * 200_000, "c": list(range(100_000))}
    (count,) = judge(Gate(schema, rules=[check]), row, types=types).verdict.broken
    (sample,) = count.samples
    assert sample["a"] == "ä" * 1000 + "…"
    assert sample["b"] == b"x" * 1000
    assert sample["c"].startswith("[0, 1, 2")
    assert len(sample["c"]) == 1001


@pytest.mark.parametrize(
    ("names", "says"),
    [(["a", "A"], "differ in case alone"), ([""], "a column named ''"), (["*"], r"a column named '\*'")],
)
def test_names_that_queries_misread_are_refused(names: list[str], says: str) -> None:
    with pytest.raises(GateBuildError, match=says):
        Gate(pa.DataFrameSchema({name: pa.Column(str) for name in names}))
