"""What the query says of an expression is what Pandera says of it on Arrow, or Pandera says it itself."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
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

C, col, nan, inf = pa.Check, nw.col, math.nan, math.inf


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A time in 2024."""
    return datetime(2024, month, day, hour, minute, 0, 999999, tzinfo=UTC)


VALUES: dict[str, tuple[arrow.DataType, list[Any]]] = {
    "i": (arrow.int64(), [1, -2, 0, None, 7, 7, 2**40, 5]),
    "j": (arrow.int32(), [0, 3, 0, 2, None, -7, 5, 5]),
    "f": (arrow.float64(), [1.5, -2.5, 0.0, None, inf, 3.5, nan, 1e300]),
    "g": (arrow.float64(), [0.1, 0.5, 0.0, 2.0, inf, None, 1.0, -inf]),
    "plain": (arrow.float64(), [0.1, 0.5, 0.0, 2.0, 5.5, None, 1.0, -3.0]),
    "h": (arrow.float32(), [0.1, 0.5, 0.0, None, nan, -inf, 0.25, 16777216.0]),
    "d": (arrow.decimal128(10, 2), [*map(Decimal, ("1.10", "-2.00", "0.05", "9.99", "1.10", "0.00", "0.10")), None]),
    "t": (arrow.string(), ["a", "B", "", None, "ä b", " x ", "😀z", "a"]),
    "k": (arrow.string(), ["x", "x", "y", "y", None, None, "x", "z"]),
    "b": (arrow.bool_(), [True, False, None, True, False, True, None, False]),
    "day": (arrow.date32(), [date(2024, 2, 29), date(1969, 12, 31), None, *(date(2024, 1, n) for n in range(1, 6))]),
    "n": (arrow.timestamp("us"), [None, *(at(1, n, 12).replace(tzinfo=None) for n in range(1, 8))]),
    "z": (arrow.timestamp("us", "UTC"), [at(2, 29, 23, 59), None, *(at(1, n, 23) for n in range(1, 7))]),
    "w": (arrow.timestamp("us", "America/New_York"), [at(3, 1, 2), None, *(at(1, n, 3) for n in range(1, 7))]),
}  # fmt: skip
TABLE = arrow.table({name: arrow.array(values, kind) for name, (kind, values) in VALUES.items()})

NUMBERS: list[nw.Expr] = [
    *(made for name in ("i", "f", "g", "d") for made in (col(name), -col(name), col(name).abs(), col(name) * 2 - 1)),
    *(col(name) / col("j") for name in ("i", "f", "g")),
    *(1 / col(name) for name in ("i", "f", "g")),
    *(col(a) - col(b) for a, b in (("f", "g"), ("g", "g"), ("i", "f"), ("d", "f"), ("d", "i"))),
    *(col(a) * col(b) for a, b in (("f", "g"), ("i", "g"), ("d", "d"))),
    *(col("f").floor(), col("g").ceil(), col("f").clip(0, 5), col("i").clip(lower_bound=1), col("f").fill_nan(7.0)),
    *(col("g").fill_null(0.5), nw.coalesce(col("f"), col("g")), nw.when(col("b")).then(col("f")).otherwise(col("g"))),
    *(col("f").sqrt(), col("g").log(), col("f").exp(), col("f").sin(), col("f").round(1), col("i") % 3, col("i") // -3),
    *(col("i") ** 2, col("d") / 3, col("f").cast(nw.Float32), nw.max_horizontal("f", "g"), nw.sum_horizontal("i", "g")),
    *(col("t").str.len_chars(), col("day").dt.month(), col("n").dt.hour(), col("z").dt.hour(), col("w").dt.hour()),
    *(col("w").dt.day(), col("w").dt.weekday(), col("z").dt.weekday(), col("n").dt.second(), col("n").dt.microsecond()),
    *(getattr(col(name), what)() for name in ("i", "plain", "f", "g") for what in ("sum", "mean", "min", "max", "std")),
    *(getattr(col(name), what)() for name in ("i", "plain", "f") for what in ("var", "median", "count", "null_count")),
    *(col("plain").quantile(0.3, "linear"), nw.len(), col("t").n_unique(), (col("f") - col("g")).sum()),
    *(col("i").sum().over("k"), col("plain").mean().over("k"), col("f").max().over("k"), nw.len().over("k")),
    *(col("plain") - col("plain").mean(), col("f") - col("f").min(), (col("i") - col("i").mean()).max()),
    *(col("i").diff(), col("i").shift(1), col("i").cum_sum(), col("plain").rolling_mean(2), col("i").rank("dense")),
    *(col("i").first(), col("plain").drop_nulls().last(), col("i").filter(col("b")).sum(), col("i").arg_max()),
]
CONDITIONS: list[nw.Expr] = [
    *(made > 0.5 for made in NUMBERS),
    *(~(made <= 0.5) for made in NUMBERS[::3]),
    *(made.is_null() for made in NUMBERS[1::3]),
    *((col("f") > 0) | col("f").is_nan(), ~(col("f") > 0), col("f") != 1.5, col("f").is_in([1.5, inf])),
    *(col("f").is_finite(), col("d").is_in([Decimal("0.10")]), col("d") >= 0.1, col("d") == Decimal("1.1")),
    *(col("h") > 0.1, col("h").is_in([0.1, 0.5]), col("h").is_between(0.1, 0.5), col("h") > col("g")),
    *(col("i") >= 2**53, col("i").is_in([]), col("h") == 0.25),
    *(col("t") > "a", col("t").str.contains("[a-z]"), col("t").str.starts_with("a"), col("t").str.slice(1) == ""),
    *(col("t").str.to_uppercase() == "A", col("t").str.to_lowercase() == "b"),
    *(col("t").str.strip_chars() == "x", col("t").is_unique(), col("i").is_duplicated(), col("i").is_first_distinct()),
    *(col("b") & (col("i") > 0), col("b") | (col("f") > 0), ~col("b"), col("b").any(), (col("f") > 0).all()),
    *(col("b").all(), nw.all_horizontal(col("b"), col("f") > 0, ignore_nulls=False)),
    *(col("day") >= date(2024, 1, 2), col("n") < datetime(2024, 1, 2), col("w") >= at(1, 2, 0)),  # noqa: DTZ001
    *(col("w") > col("z"), col("n").dt.truncate("1d") == col("n"), col("w").dt.date() > date(2024, 1, 2)),
]  # fmt: skip


def test_every_expression_has_pandera_s_verdict() -> None:
    """All at once, rows and batch alike, on rows that lie in the engine in another order than ``_row``."""
    schema = {name: pa.Column(kind, nullable=True) for name, (kind, _) in VALUES.items()}
    checks = [C(_always(made), native=False, name=f"c{place}") for place, made in enumerate(CONDITIONS)]
    gate = Gate(pa.DataFrameSchema(schema, checks=checks))
    rows = TABLE.to_pylist()
    expected: dict[str, set[int] | bool] = {}
    for place, made in enumerate(CONDITIONS):
        answers = nw.from_native(TABLE, eager_only=True).select(made.alias("x"))["x"].to_list()
        failing = {row for row, answer in enumerate(answers) if answer is False}
        expected[f"c{place}"] = bool(failing) if len(answers) == 1 else failing
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


def _always(made: nw.Expr) -> Callable[[Any], nw.Expr]:
    return lambda _frame: made


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
        (own(lambda c: c.nothing() > 0), "raised AttributeError"),
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
