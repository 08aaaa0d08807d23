"""One behaviour, whatever the engine: every test runs over DuckDB and over Spark."""

import hmac
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import (
    Bucket,
    Categories,
    Deduplicate,
    ExistsIn,
    FillMissing,
    FlagMissing,
    KAnonymity,
    KeepFirst,
    KeepLast,
    LDiversity,
    NotInOtherBatches,
    NullTokens,
    Pseudonym,
    RemovePrefix,
    Route,
    SetNull,
    Token,
    Tolerance,
    Trim,
    Withhold,
    WithinUsualRange,
    YearOnly,
    ZeroPad,
    cleanse,
    null_share,
    protect,
    row_count,
)
from readiness_pipelines.engines.expressions import columns_of, is_elementwise
from readiness_pipelines.engines.tokens import value_of_token
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates import Decisions, Discarded, Engine, Gate, OtherRows, Publish, UsualRange, Waived
from readiness_pipelines.testing import batch, judge
from readiness_pipelines_tests.engines import ENGINES, opened
from readiness_pipelines_tests.gates.expressions import CONDITIONS, TABLE, VALUES, always, pandera_says

pytestmark = [pytest.mark.slow]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with opened(request.param) as engine:
        yield engine


def column(kind: arrow.DataType = arrow.string(), *checks: pa.Check, **options: Any) -> pa.DataFrameSchema:  # noqa: B008
    return pa.DataFrameSchema({"a": pa.Column(kind, list(checks), **{"nullable": True, **options})})


def values(*given: Any) -> list[dict[str, Any]]:
    return [{"a": value} for value in given]


TEXTS = {
    "int8": (arrow.int8(), ["1", "+1", "01", " 7 ", "-128"], ["1.0", "128", "x", "1e1", "\uff11", "\u00a01", "\t1"]),
    "int64": (arrow.int64(), ["9223372036854775807"], ["9223372036854775808", "0x1", "1_000"]),
    "double": (arrow.float64(), ["1.", ".5", "1e5", "inf", "-Infinity", "1e308"], ["1d", "1f", "1,5", ".", "1e400"]),
    "single": (arrow.float32(), ["3.4028235e38", "-inf", "nan"], ["3.5e38", "-1e39"]),
    "date": (arrow.date32(), ["2024-02-29", "9999-12-31"], ["2023-02-29", "2024-1-1", "2024-01-01T00:00"]),
    "bool": (arrow.bool_(), ["true", "TRUE", "0", "1"], ["yes", "t", "2"]),
}


def test_text_converts_or_breaks_its_row(engine: Engine) -> None:
    """One column for each type, so that one verdict tells all."""
    columns = {name: [*good, *bad] for name, (_, good, bad) in TEXTS.items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip_longest(*columns.values())]
    schema = pa.DataFrameSchema({name: pa.Column(kind, nullable=True) for name, (kind, _, _) in TEXTS.items()})
    broken = judge(Gate(schema), *rows, engine=engine).broken
    for name, (_, good, bad) in TEXTS.items():
        expected = set(range(len(good), len(good) + len(bad)))
        assert {row for row, rules in broken.items() if f"{name}_dtype" in rules} == expected, name


def test_converted_values_are_the_same(engine: Engine) -> None:
    rows = [{"i": " 7", "f": "1e-3", "d": "2024-02-29", "b": "TRUE", "t": "it's \\ü"}]
    kinds = {"i": arrow.int16(), "f": arrow.float64(), "d": arrow.date32()}
    kinds |= {"b": arrow.bool_(), "t": arrow.string()}
    gate = Gate(pa.DataFrameSchema({name: pa.Column(kind) for name, kind in kinds.items()}))
    judge(gate, *rows, engine=engine).assert_publishes(
        {"i": 7, "f": 0.001, "d": date(2024, 2, 29), "b": True, "t": "it's \\ü"}
    )


def test_typed_values_are_narrowed_where_they_come_back_the_same(engine: Engine) -> None:
    gate = Gate(column(arrow.int8()))
    judge(gate, *values(127, 128, -128, None), types={"a": arrow.int64()}, engine=engine).assert_breaks({1: "a_dtype"})
    gate = Gate(column(arrow.float32(), coerce=True))
    judge(gate, *values(0.5, 1e300, 16777217), types={"a": arrow.float64()}, engine=engine).assert_breaks(
        {1: "a_dtype"}
    )
    gate = Gate(column(arrow.float64(), coerce=True))
    judged = judge(gate, *values(2**53, 2**53 + 1, 2**63 - 1), types={"a": arrow.int64()}, engine=engine)
    judged.assert_breaks({1: "a_dtype", 2: "a_dtype"})


def test_what_a_batch_would_give_away_is_the_same(engine: Engine) -> None:
    schema = pa.DataFrameSchema({name: pa.Column(arrow.string(), nullable=True) for name in ("who", "zip", "ill")})
    rules = [KAnonymity(2, ["zip"]), KAnonymity(2, ["zip"], persons="who"), LDiversity(2, ["zip"], sensitive="ill")]
    rows = [{"who": f"p{n % 4}@mail.example", "zip": "1234"[n // 3], "ill": "ab"[n % 2]} for n in range(10)]
    judged = judge(Gate(schema, rules=rules, unclassified=Route.HOLD), *rows, engine=engine)
    found = {one.rule.name: one.broken_rows for one in judged.verdict.rules if one.detail}
    assert found == {
        "zip_k_anonymity": 1,
        "zip_k_anonymity_2": 1,
        "zip_ill_l_diversity": 1,
        "columns_classified": 10,
    }


MIDNIGHT = datetime(2024, 3, 1)  # noqa: DTZ001  # no zone, on a host of any

BUILTINS: list[tuple[arrow.DataType, pa.Check, list[Any], set[int]]] = [
    (arrow.int64(), pa.Check.ge(2), [1, 2, None], {0}),
    (arrow.int64(), pa.Check.in_range(1, 3, include_max=False), [0, 1, 2, 3], {0, 3}),
    (arrow.int64(), pa.Check.isin([1, 2]), [1, 3, None], {1}),
    (arrow.string(), pa.Check.notin(["x"]), ["x", "y"], {0}),
    (arrow.float64(), pa.Check.gt(0), [1.0, float("nan"), float("inf"), -0.0], {1, 3}),
    (arrow.float64(), pa.Check.lt(0), [-1.0, float("nan"), float("-inf")], {1}),
    (arrow.float64(), pa.Check.ne(1), [1.0, float("nan")], {0}),
    (arrow.string(), pa.Check.str_matches(r"^\d{3}(\.\d{1,2})?$"), ["250", "250.1", "250\n", "٣٣٣", "25"], {2, 3, 4}),
    (arrow.string(), pa.Check.str_contains(r"\s.$"), ["a b", "a\x0bb", "a \r", "a\u2028b"], {1, 3}),
    (arrow.string(), pa.Check.str_startswith("a."), ["a.b", "ab"], {1}),
    (arrow.string(), pa.Check.str_length(1, 2), ["é", "😀😀", "😀😀😀", ""], {2, 3}),
    (arrow.date32(), pa.Check.ge(date(2024, 1, 1)), [date(2023, 12, 31), date(2024, 1, 1)], {0}),
    (arrow.timestamp("us"), pa.Check.ge(MIDNIGHT), [MIDNIGHT - timedelta(hours=1), MIDNIGHT], {0}),
    (
        arrow.timestamp("us", tz="UTC"),
        pa.Check.isin([MIDNIGHT.replace(tzinfo=UTC)]),
        [MIDNIGHT.replace(tzinfo=UTC), MIDNIGHT.replace(tzinfo=UTC, hour=1)],
        {1},
    ),
    (arrow.string(), pa.Check.str_contains("a{,2}"), ["aa", "a{,2}"], {0}),
    (arrow.string(), pa.Check.str_contains("(?P<n_1>a{2})b"), ["aab", "ab"], {1}),
    (arrow.string(), pa.Check.str_contains("x{"), ["x{", "x"], {1}),
]


def test_built_in_checks_break_the_same_rows(engine: Engine) -> None:
    """One column for each check, so that one verdict tells all."""
    names = [f"c{place}" for place in range(len(BUILTINS))]
    rows = [dict(zip(names, row, strict=True)) for row in zip_longest(*(given for _, _, given, _ in BUILTINS))]
    schema = pa.DataFrameSchema(
        {
            name: pa.Column(kind, [check], nullable=True)
            for name, (kind, check, _, _) in zip(names, BUILTINS, strict=True)
        }
    )
    types = {name: kind for name, (kind, _, _, _) in zip(names, BUILTINS, strict=True)}
    broken = judge(Gate(schema), *rows, types=types, engine=engine).broken
    for name, (_, check, _, expected) in zip(names, BUILTINS, strict=True):
        assert {row for row, rules in broken.items() if f"{name}_{check.name}" in rules} == expected, check


def test_unique_columns_and_keys_break_all_their_rows(engine: Engine) -> None:
    one = Gate(column(arrow.int64(), unique=True))
    judge(one, *values("1", "2", "01", "x", None, None), engine=engine).assert_breaks(
        {0: "a_unique", 2: "a_unique", 3: "a_dtype", 4: "a_unique", 5: "a_unique"}
    )
    first = Gate(column(arrow.int64(), unique=True, report_duplicates="exclude_first"))
    judge(first, *values(1, 2, 1, 1), engine=engine).assert_breaks({2: "a_unique", 3: "a_unique"})
    schema = pa.DataFrameSchema({n: pa.Column(arrow.string(), nullable=True) for n in "ab"}, unique=["a", "b"])
    rows: list[dict[str, Any]] = [{"a": "x", "b": None}, {"a": "x", "b": "1"}, {"a": "x", "b": None}]
    judge(Gate(schema), *rows, engine=engine).assert_breaks({0: "unique_a_b", 2: "unique_a_b"})


def test_rows_that_could_not_be_read_break_that_alone(engine: Engine) -> None:
    gate = Gate(column(arrow.int64(), pa.Check.ge(0), nullable=False, unique=True))
    rows: list[dict[str, Any]] = [{"a": "1"}, {"_unreadable": "1,2", "_unreadable_reason": "two fields"}, {"a": None}]
    judged = judge(gate, *rows, engine=engine)
    judged.assert_breaks({1: "readable", 2: "a_not_nullable"})
    assert judged.verdict.broken[0].broken_rows == 1


def test_frame_checks_and_batch_rules_agree(engine: Engine) -> None:
    schema = pa.DataFrameSchema(
        {"low": pa.Column(arrow.int64(), nullable=True), "high": pa.Column(arrow.int64())},
        checks=[pa.Check(lambda _: nw.col("low") <= nw.col("high"), native=False, name="ordered")],
    )
    gate = Gate(schema, rules=[row_count(at_least=2), null_share("low", at_most=0.5)])
    rows: list[dict[str, Any]] = [{"low": 1, "high": 2}, {"low": 3, "high": 2}, {"low": None, "high": 2}]
    judge(gate, *rows, engine=engine).assert_breaks({1: "ordered"})
    judge(gate, rows[2], engine=engine).assert_held("low_null_share")


def test_an_empty_batch_and_one_of_the_wrong_shape_are_the_same(engine: Engine) -> None:
    gate = Gate(column(arrow.int64(), pa.Check.ge(0)), rules=[row_count(at_least=1)])
    judge(gate, types={"a": arrow.int64()}, engine=engine).assert_held("row_count")
    judge(gate, {"b": "1"}, engine=engine).assert_held("columns_present")


def test_nan_in_a_frame_check_is_judged_as_pandera_does(engine: Engine) -> None:
    check = pa.Check(lambda _: nw.col("a") < nw.col("b"), native=False, name="rising")
    schema = pa.DataFrameSchema({n: pa.Column(arrow.float64(), nullable=True) for n in "ab"}, checks=[check])
    nan = float("nan")
    rows = [{"a": 1.0, "b": 2.0}, {"a": 1.0, "b": nan}, {"a": nan, "b": 2.0}, {"a": 2.0, "b": 1.0}]
    judge(Gate(schema), *rows, engine=engine).assert_breaks({1: "rising", 2: "rising", 3: "rising"})


def test_cleansing_makes_and_counts_the_same(engine: Engine) -> None:
    steps = cleanse(
        Trim(),
        NullTokens(["?", "\\"]),
        RemovePrefix("é'"),
        Categories({"8": "08", "it's": None}),
        ZeroPad(3),
        FlagMissing("gone"),
    )
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(str, nullable=True, metadata=steps)}))
    judged = judge(gate, *values(" 8\t", "? ", "\\", "it's", "1234", None, "é'7"), engine=engine)
    assert [row["a"] for row in judged.published] == ["008", None, None, None, "1234", None, "007"]
    assert [row["gone"] for row in judged.published] == [False, True, True, True, False, True, False]
    assert judged.cleansed == {
        ("a", "trim"): 2, ("a", "null tokens"): 2, ("a", "remove prefix"): 1, ("a", "categories"): 2,
        ("a", "zero pad to 3"): 2,
        ("a", "flag missing in gone"): 4,
    }  # fmt: skip


def test_defaults_fill_and_what_does_not_convert_stays_broken(engine: Engine) -> None:
    filled = cleanse(FillMissing(-1))
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.int64(), nullable=True, metadata=filled)}))
    judged = judge(gate, *values("1", None, "x"), engine=engine)
    judged.assert_publishes({"a": 1}, {"a": -1})
    judged.assert_breaks({2: "a_dtype"})


class Latest(pa.DataFrameModel):
    order: arrow.int64()
    version: arrow.int64()

    class Config:
        metadata = cleanse(Deduplicate(["order"], order_by=["version"], keep="last"))


def test_deduplication_discards_the_same_rows(engine: Engine) -> None:
    rows = [(1, 1), (1, 3), (2, 1), (1, 2), (2, 1)]
    judged = judge(Gate(Latest), *({"order": o, "version": v} for o, v in rows), engine=engine)
    assert judged.discarded == {0, 2, 3}


def test_references_look_at_other_rows(engine: Engine) -> None:
    rules = [ExistsIn(["a"], table="known", keys=["k"]), NotInOtherBatches(["a"])]
    known = arrow.table({"k": ["x", "y", None]})
    others = arrow.table({"a": ["y"]})
    judged = judge(
        Gate(column(), rules=rules),
        *values("x", "y", "z", None),
        tables={"known": known},
        other_batches=others,
        engine=engine,
    )
    judged.assert_breaks({1: "a_not_in_other_batches", 2: "a_exists_in_known"})


def test_usual_ranges_warn_of_the_same_rows(engine: Engine) -> None:
    gate = Gate(column(arrow.float64()), rules=[WithinUsualRange(["a"], widened_by=1)])
    ranges = {"a": UsualRange(low=0, high=1, batches=50)}
    rows = batch(*values(0.5, 5.0, None, -5.0), types={"a": arrow.float64()})
    verdict = gate.judge(rows, engine, others=OtherRows(ranges=ranges))
    assert sorted(row["_row"] for row in engine.collect(verdict.quarantined).to_pylist()) == [1, 3]


def test_decisions_waive_and_discard_the_same_rows(engine: Engine) -> None:
    gate = Gate(column(arrow.int64(), pa.Check.ge(0)))
    decisions = Decisions(
        waived=[Waived(rule="a_greater_than_or_equal_to", where="_row < 2")],
        discarded=[Discarded(where="_row = 3", reason="test"), Discarded(where="_row >= 3", reason="other")],
    )
    verdict = gate.judge(batch(*values("-1", "-2", "-3", "4", "5")), engine, decisions=decisions)
    assert [row["a"] for row in engine.collect(verdict.published).to_pylist()] == [-1, -2]
    waiting = engine.collect(verdict.quarantined).to_pylist()
    assert [(row["_row"], row["_discarded"], row["_errors"][0]["reason"]) for row in waiting][1:] == [
        (3, True, "test"),
        (4, True, "other"),
    ]
    (count,) = [count for count in verdict.rules if count.waived_rows is not None]
    assert (count.broken_rows, count.waived_rows) == (1, 2)


def test_tolerances_and_routes_decide_alike(engine: Engine) -> None:
    schema = column(arrow.int64(), pa.Check.ge(0))
    half = Gate(schema, tolerance=Tolerance(quarantined_ratio=0.5))
    judge(half, *values("1", "-1"), engine=engine).assert_breaks({1: "a_greater_than_or_equal_to"})
    judge(half, *values("1", "-1", "-2"), engine=engine).assert_held("over the tolerance")
    warned = Gate(schema, routes={"a_greater_than_or_equal_to": Route.WARN})
    assert judge(warned, *values("1", "-1"), engine=engine).verdict.published_rows == 2


def test_samples_are_the_first_rows_and_show_what_arrived(engine: Engine) -> None:
    verdict = judge(Gate(column(arrow.int64())), *values(*(f"x{n}" for n in range(30)), "1"), engine=engine).verdict
    (count,) = verdict.broken
    assert count.broken_rows == 30
    assert [(sample["_row"], sample["a"]) for sample in count.samples] == [(n, f"x{n}") for n in range(10)]


def test_names_from_outside_are_quoted(engine: Engine) -> None:
    name = 'it\'s (a) "b"; DROP TABLE x --'
    schema = pa.DataFrameSchema({name: pa.Column(arrow.int64(), pa.Check.ge(0), unique=True)})
    judged = judge(Gate(schema), {name: "1"}, {name: "-1"}, {name: "2"}, {name: "2"}, engine=engine)
    assert set(judged.broken) == {1, 2, 3}
    judged.assert_publishes({name: 1})


def test_a_name_that_spark_would_take_apart_is_refused_there() -> None:
    with opened("spark") as engine, pytest.raises(GateBuildError, match=r"'a\.b'"):
        judge(Gate(pa.DataFrameSchema({"a.b": pa.Column(str)})), {"a.b": "1"}, engine=engine)


def test_many_columns_need_many_words_and_get_them(engine: Engine) -> None:
    schema = pa.DataFrameSchema({f"s{n}": pa.Column(arrow.int64(), pa.Check.ge(0)) for n in range(50)})
    row = {f"s{n}": "1" for n in range(50)}
    judge(Gate(schema), row, {**row, "s0": "-1", "s49": "x"}, engine=engine).assert_breaks(
        {1: ("s0_greater_than_or_equal_to", "s49_dtype")}
    )


def test_the_rule_that_overflows_is_named_and_not_the_window_beside_it(engine: Engine) -> None:
    alone = pa.Check(lambda e: e.is_unique(), native=False, name="alone")
    square = pa.Check(lambda e: e * e >= 0, native=False, name="square")
    with pytest.raises(GateBuildError, match="the rule 'a_square' cannot be evaluated on this batch") as refused:
        judge(Gate(column(arrow.int64(), alone, square)), *values(2**62, 1), engine=engine)
    assert "widen the column's type" in refused.value.way_out


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        (column(arrow.string(), pa.Check(lambda value: value > 0, element_wise=True, name="mine")), "mine"),
        (column(arrow.string(), pa.Check(lambda data: data, name="native")), "native"),
        (column(arrow.string(), pa.Check.str_matches(r"^\bword$")), r"\\b, which Java reads otherwise"),
        (column(arrow.string(), pa.Check.str_matches(r"^(?i:x)$")), "flags inside"),
        (column(arrow.float64(), pa.Check(lambda e: e.round(1) > 0, native=False, name="r")), "round: engines round"),
        (column(arrow.uint64()), "no type uint64"),
        (column(arrow.timestamp("s")), r"no type timestamp\[s\]"),
        (column(arrow.date32(), pa.Check.ge(date(1, 1, 1))), "before the year 1000"),
    ],
)
def test_what_would_mean_something_else_is_refused_when_the_gate_is_built(schema: Any, says: str) -> None:
    Gate(schema)
    with pytest.raises(GateBuildError, match=says) as refused:
        Gate(schema, engine="spark")
    assert 'engine="duckdb"' in refused.value.way_out


def test_expressions_that_spark_takes_have_pandera_s_verdict_there() -> None:
    """Those of the other tests of expressions, but NaN where rows are compared, which Spark refuses when it comes."""
    types = {name: kind for name, (kind, _) in VALUES.items() if name != "n"}  # Spark reads times without a zone as UTC
    columns = {name: pa.Column(kind, nullable=True) for name, kind in types.items()}
    taken = []
    for made in CONDITIONS:
        check = pa.Check(always(made), native=False)
        if is_elementwise(made) or not {"f", "g", "h", "zeros"}.intersection(columns_of(made)):
            with suppress(GateBuildError):
                Gate(pa.DataFrameSchema(columns, checks=[check]), engine="spark")
                taken.append(made)
    assert len(taken) > 60
    checks = [pa.Check(always(made), native=False, name=f"c{place}") for place, made in enumerate(taken)]
    gate = Gate(pa.DataFrameSchema(columns, checks=checks), engine="spark")
    with opened("spark") as engine:
        verdict = gate.judge(batch(*TABLE.select(list(types)).to_pylist(), types=types), engine)
        waiting = engine.collect(verdict.quarantined).to_pylist()
    held = {count.rule.name for count in verdict.rules if count.detail}
    assert all(count.decided for count in verdict.rules), verdict.outcome
    wrong = []
    for place, made in enumerate(taken):
        says, name = pandera_says(made), f"c{place}"
        found = {row["_row"] for row in waiting if name in {error["rule"] for error in row["_errors"]}}
        if says != (name in held if isinstance(says, bool) else found):
            wrong.append((made, says, found))
    assert wrong == []


def test_the_engine_is_no_part_of_the_gate_s_version() -> None:
    schema = column(arrow.int64(), pa.Check.ge(0))
    assert Gate(schema).version == Gate(schema, engine="spark").version


def test_protected_values_are_the_same_on_every_engine_and_verified(engine: Engine) -> None:
    key = {"k": b"k" * 32}
    kinds: dict[str, tuple[Any, Any, list[Any]]] = {
        "text": (arrow.string(), Pseudonym(key="k"), ["Zoë", "", None]),
        "number": (arrow.int64(), Pseudonym(key="k"), [-7, 2**62, None]),
        "token": (arrow.string(), Token(key="k"), ["a", "b", None]),
        "first": (arrow.string(), KeepFirst(3), ["日本語です", "ab", None]),
        "last": (arrow.string(), KeepLast(2), ["12345", "1", None]),
        "born": (arrow.date32(), YearOnly(), [date(1955, 7, 3), date(2024, 2, 29), None]),
        "age": (arrow.int8(), Bucket(10, at_most=90), [-1, 127, None]),
        "share": (arrow.float64(), Bucket(0.5), [-0.1, 1.26, None]),
        "odd": (arrow.float64(), Bucket(5, at_most=90), [float("-inf"), float("nan"), None]),
        "note": (arrow.string(), Withhold(), ["said so", "", None]),
        "gone": (arrow.int32(), SetNull(), [1, 2, None]),
    }
    columns = {
        name: pa.Column(kind, nullable=True, metadata=protect("pii", protection))
        for name, (kind, protection, _) in kinds.items()
    }
    rows = [{name: given[place] for name, (_, _, given) in kinds.items()} for place in range(3)]
    judged = judge(
        Gate(pa.DataFrameSchema(columns)),
        *rows,
        types={n: k for n, (k, _, _) in kinds.items()},
        keys=key,
        engine=engine,
    )
    assert judged.outcome == Publish()
    one, two, absent = judged.published
    assert one["text"] == hmac.digest(key["k"], "Zoë".encode(), "sha256").hex()[:32]
    assert two["number"] == int(hmac.digest(key["k"], str(2**62).encode(), "sha256").hex()[:16], 16) >> 1
    assert value_of_token(one["token"], key["k"]) == "a"
    names = ("first", "last", "born", "age", "share", "note", "gone")
    assert [one[name] for name in names] == ["日本語*", "*45", date(1955, 1, 1), -10, -0.5, "[withheld]", None]
    assert [two[name] for name in names] == ["*", "*", date(2024, 1, 1), 90, 1.0, "[withheld]", None]
    assert (one["odd"], str(two["odd"])) == (float("-inf"), "nan")
    assert set(absent.values()) == {None}
