"""A record of JSON is judged as the same line is that landed in a file."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import narwhals.stable.v1 as nw
import pandera.polars as pp
import pandera.pyarrow as pa
import polars as pl
import pyarrow as arrow
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from readiness_pipelines import (
    Case,
    Categories,
    ExistsIn,
    FileDrop,
    FillMissing,
    FlagMissing,
    Gate,
    NullTokens,
    StaticBatches,
    Trim,
    ZeroPad,
    cleanse,
)
from readiness_pipelines.contracts import Places
from readiness_pipelines.engines.conversion import as_type
from readiness_pipelines.errors import FileUnreadableError, GateBuildError, RecordRefusedError
from readiness_pipelines.gates import DuckDbEngine, KnownKeys, OtherRows
from readiness_pipelines.gates.record.python_values import text_converter
from readiness_pipelines.gates.record.records import KNOWN_SHAPES
from readiness_pipelines.gates.record.text_times import ASK, UNCONVERTED
from readiness_pipelines.limits import Limits
from readiness_pipelines.masking import PLAIN, handling
from readiness_pipelines.sources.json_values import storable
from readiness_pipelines.sql import duckdb_type, locked_connection
from readiness_pipelines.storage import Place
from readiness_pipelines_tests.conformance.fuzzed import FuzzedCase, fuzzed_case

Said = tuple[tuple[str, ...], dict[str, Any] | None]
"""The rules that a row breaks, in order, and the row as it would be published where it breaks none."""


def landed(gate: Gate, lines: Sequence[str], *, known: Any = None) -> list[Said]:
    """What the gate says of the lines of a file, each in turn."""
    batches = StaticBatches(keys=("b",))
    with TemporaryDirectory() as folder, handling(PLAIN), locked_connection() as connection:
        Path(folder, "b.jsonl").write_bytes("\n".join(lines).encode())
        places = Places(landing=Place.of(folder), connection=str, batches=batches, limits=Limits())
        rows = FileDrop("{batch}.jsonl").open("b", places).rows.read_all()
        engine = DuckDbEngine(connection)
        verdict = gate.judge(rows, engine, **({"others": known} if known else {}))
        held = [count.rule.name for count in verdict.rules if count.detail and count.broken_rows]
        waiting = {row["_row"]: row for row in engine.collect(verdict.quarantined).to_pylist()}
        good = {row["_row"]: row for row in engine.collect(verdict.published).to_pylist()}
    said = []
    for number in range(rows.num_rows):
        errors = [error["rule"] for error in waiting.get(number, {}).get("_errors", ())]
        row = good.get(number)
        there = None if row is None else {k: v for k, v in row.items() if k not in ("_batch", "_row", "_file")}
        said.append((tuple(dict.fromkeys([*held, *errors])), there))
    return said


def alone(gate: Gate, line: str) -> Said:
    """What the gate says of one record."""
    verdict = gate.check_json(line.encode())
    return tuple(broken.rule for broken in verdict.broken), dict(verdict.record) if verdict.passed else None


def same(one: Said, other: Said) -> bool:
    return repr(_comparable(one)) == repr(_comparable(other))


def _comparable(said: Said) -> Any:
    rules, row = said
    return rules, None if row is None else {k: (type(v), str(v)) for k, v in sorted(row.items())}


BLANKS = ("", " ", "  ", "\t", "\u00a0", "\u2003")
"""Which of them are blanks around a value, the query alone says."""
DIGITS = ("1", "0", "٣", "१", "\uff11", "_", "²")
TIMES = (
    *("2024-01-02", "2024-02-29", "2023-02-29", "2024-1-2", "2024/01/02", "2024-01/02", "0000-01-01", "0001-01-01"),
    *(
        "9999-12-31",
        "10000-01-01",
        "-0001-01-01",
        "2024-W01-1",
        "20240102",
        "2024-001",
        "02.01.2024",
        "epoch",
        "infinity",
    ),
)
CLOCKS = (
    *("", "T00:00:00", " 23:59:59", " 23:59:60", " 24:00:00", "T1:2:3", "T03:04", " 03:04:05.", " 03:04:05.1"),
    *(
        " 03:04:05.123456",
        " 03:04:05.1234567",
        " 03:04:05.1234560",
        " 03:04:05,1",
        "T03",
        "t03:04:05",
        "  03:04:05",
        "T030405",
    ),
)
OFFSETS = (
    *("", "Z", "z", "+00:00", "-00:00", "+01", "+0130", "+15:59", "+16:00", "-15:59", "+01:60", "+5", "+01:30:15"),
    *(" UTC", "UTC", "GMT", " GMT", " +01:00", "[Europe/Berlin]", " CET", "\u221201:00"),
)
NUMBERS = (
    *("0", "-0", "+1", "1.", ".5", ".0", "1.5", "-1.50", "1.500", "1.555", "007", "1e2", "1E+2", "1e400", "-1e400"),
    *("1e-400", "nan", "-nan", "NaN", "inf", "-inf", "Infinity", "+infinity", "1_000", "1,000", "0x10", "1e", "--1"),
    *(
        "99999999.99",
        "100000000",
        "9" * 39,
        "9" * 38,
        "-" + "9" * 38,
        "0" * 60 + "1",
        "1" + "0" * 400,
        "0.1",
        "16777217",
    ),
    *(
        "127",
        "128",
        "-128",
        "-129",
        "255",
        "256",
        "-1",
        "9223372036854775807",
        "9223372036854775808",
        "1.00000005960464477540",
    ),
    *(
        "3.4028235e38",
        "3.4028236e38",
        "1e-45",
        "7e-46",
        "1.17549435e-38",
        "340282356779733661637539395458142568448",
        "1d",
        "1f",
    ),
    *(
        "1.000000059604644775390625",
        "1.0000000596046447753906251",
        "true",
        "TRUE",
        "False",
        "yes",
        "1 ",
        "12:30",
        "1e1_0",
    ),
)
WORDS = ("", "x", " X ", "?", "N/A", "é", "İ", "ß", "\u212a", "ab\u0000c", "\ud83d", "😀", "e\u0301", "\r\n", "\\", '"')
texts = st.one_of(
    st.builds("".join, st.tuples(*map(st.sampled_from, (BLANKS, TIMES, CLOCKS, OFFSETS, BLANKS)))),
    st.builds(
        "".join,
        st.tuples(*map(st.sampled_from, (BLANKS, CLOCKS[1:], BLANKS))).map(lambda t: [x.lstrip("T") for x in t]),
    ),
    st.builds("".join, st.tuples(*map(st.sampled_from, (BLANKS, NUMBERS, BLANKS)))),
    st.decimals(allow_nan=False, places=3, min_value=-(10**9), max_value=10**9).map(str),
    st.floats(width=32).map(repr),
    st.floats().map(repr),
    st.datetimes().map(str),
    st.lists(st.sampled_from((*DIGITS, ".", "-", ":", "e", "T", " ")), max_size=12).map("".join),
    st.sampled_from(WORDS),
    st.text(max_size=6),
)
TYPES: dict[str, arrow.DataType] = {
    "i8": arrow.int8(),
    "u64": arrow.uint64(),
    "i64": arrow.int64(),
    "f32": arrow.float32(),
    "f64": arrow.float64(),
    "flag": arrow.bool_(),
    "day": arrow.date32(),
    "ts": arrow.timestamp("us"),
    "ts_s": arrow.timestamp("s"),
    "ts_ms": arrow.timestamp("ms"),
    "at": arrow.timestamp("us", tz="UTC"),
    "clock": arrow.time64("us"),
    "text": arrow.string(),
}
KINDS = (*TYPES.values(), *(arrow.decimal128(p, s) for p, s in ((10, 2), (38, 0), (38, 38), (3, 0), (18, 4))))
ALL_TIMES = [f"{day}{clock}{offset}" for day in TIMES for clock in CLOCKS for offset in OFFSETS]
ALL_OTHERS = [
    f"{before}{text}{after}" for text in (*NUMBERS, *CLOCKS, *TIMES, *WORDS) for before in BLANKS for after in BLANKS
]


def by_query(found: Sequence[str], kind: arrow.DataType) -> list[Any]:
    """What the query of a batch makes of texts."""
    value = as_type("x", arrived="VARCHAR", wanted=duckdb_type(kind))
    with locked_connection() as connection:
        connection.register("given", arrow.table({"n": range(len(found)), "x": arrow.array(found, arrow.string())}))
        return [one for (one,) in connection.execute(f"SELECT {value} FROM given ORDER BY n").fetchall()]


@settings(
    max_examples=15, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
@given(st.lists(texts, min_size=100, max_size=100))
@example(ALL_TIMES)
@example(ALL_OTHERS)
def test_every_type_reads_a_text_as_the_query_does_or_leaves_it_to_the_query(found: list[str]) -> None:
    found = [storable(text) for text in found]
    for kind in KINDS:
        convert = text_converter(kind)
        assert convert is not None
        for text, wanted in zip(found, by_query(found, kind), strict=True):
            value = convert(text)
            if value is not ASK:
                value = None if value is UNCONVERTED else value
                assert (type(value), str(value)) == (type(wanted), str(wanted)), (text, kind)


def test_what_most_programs_write_is_read_without_the_query() -> None:
    plain = {
        arrow.timestamp("us"): ("2024-01-02", "2024-01-02 03:04:05", "2024-01-02T03:04:05.123"),
        arrow.timestamp("us", tz="UTC"): ("2024-01-02T03:04:05Z", "2024-01-02 03:04:05.1+01:00", "2024-01-02"),
        arrow.decimal128(10, 2): ("1", "-1.5", "99999999.99"),
        arrow.float32(): ("0.1", "12", "1e3"),
        arrow.time64("us"): ("12:30", "12:30:01.5"),
    }
    for kind, written in plain.items():
        convert = text_converter(kind)
        assert convert is not None
        assert not {ASK, UNCONVERTED}.intersection(map(convert, written)), kind


class Everything(pp.DataFrameModel):
    """Steps, fills, flags, checks: what is done to a value on its way."""

    id: pl.Int64 = pp.Field(gt=0)
    amount: pl.Decimal(10, 2) = pp.Field(ge=0, nullable=True)
    at: pl.Datetime("us", "UTC") = pp.Field(nullable=True)
    ratio: pl.Float32 = pp.Field(le=0.5, nullable=True)
    code: pl.String = pp.Field(
        nullable=True, metadata=cleanse(Trim(), NullTokens("?"), ZeroPad(3), Categories({"00x": None, "00y": "yes"}))
    )
    word: pl.String = pp.Field(
        nullable=True, metadata=cleanse(FlagMissing("no_word"), Case("lower"), FillMissing("none"))
    )
    count: pl.Int32 = pp.Field(nullable=True, metadata=cleanse(Trim(), FlagMissing("no_count"), FillMissing(7)))
    maybe: pl.Boolean | None

    @pp.dataframe_check(native=False)
    def cheap_or_named(cls, _frame: Any) -> nw.Expr:
        """Several columns at once."""
        return (nw.col("amount") <= 100) | (nw.col("word") != "none")


EVERYTHING = Gate(Everything, missing=("N/A",))
VALUES = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(-5, 200),
    st.floats(),
    st.sampled_from(["1.50", "0.5", "2024-05-01T10:00:00Z", "?", " ? ", "x", "y", "N/A", "", "K\u0130", "A"]),
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.none() | st.text(max_size=2), max_size=2),
)
KEYS = st.sampled_from(["id", "amount", "at", "ratio", "code", "word", "count", "maybe", " id", "other", "id\u0301"])
RECORDS = st.dictionaries(KEYS, VALUES).map(lambda some: {"id": 1, "amount": 1, "at": None, "ratio": "0.25"} | some)


@settings(
    max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
@given(RECORDS.map(lambda record: {**dict.fromkeys(["code", "word", "count"]), **record}), st.booleans())
@example({"id": 1}, False)
def test_a_record_gets_the_verdict_of_the_same_line_in_a_file(record: dict[str, Any], escaped: bool) -> None:
    line = json.dumps(record, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    if escaped:
        assert_same(EVERYTHING, line)
    else:
        assert_same(EVERYTHING, line.decode("utf-8", "replace").encode())


def assert_same(gate: Gate, line: bytes) -> None:
    """The record and the file of one line get one verdict, or are both refused."""
    try:
        (batch,) = landed(gate, [line.decode()])
    except FileUnreadableError:
        with pytest.raises(RecordRefusedError):
            gate.check_json(line)
        return
    assert same(alone(gate, line.decode()), batch), (line, alone(gate, line.decode()), batch)


@pytest.mark.slow
def test_cases_of_the_fuzzer_get_the_verdict_of_their_lines_in_a_file() -> None:
    compared = 0
    for number in range(20):
        case = fuzzed_case(f"json:{number}")
        try:
            gate = Gate(case.schema)
        except GateBuildError:
            continue
        for line in _lines(case)[:3]:
            try:
                verdict = gate.check_json(line)
                (batch,) = landed(gate, [line])
            except GateBuildError:
                continue  # a check that cannot be evaluated over texts
            undecided = set(verdict.undecided)
            told = tuple(broken.rule for broken in verdict.broken)
            assert told == tuple(rule for rule in batch[0] if rule not in undecided), f"{case}\n{line}"
            compared += 1
    assert compared >= 20


def _lines(case: FuzzedCase) -> list[str]:
    return [json.dumps(row, default=str) for row in case.table.to_pylist()]


def test_what_cannot_be_parsed_breaks_one_rule_and_leaves_the_others_undecided() -> None:
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.float64(), pa.Check.ge(0))}))
    for body, reason in (
        (b"{", "it is not JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"),
        (b'{"a": 1, "a": 2}', "key 'a' is there twice"),
        (b"[1]", "it is not a JSON object"),
        (b'{"a": "\xff"}', "it is not UTF-8"),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", "it is nested more than 100 levels deep"),
    ):
        verdict = gate.check_json(body)
        assert [(broken.rule, broken.reason) for broken in verdict.broken] == [("readable", reason)]
        assert "a_greater_than_or_equal_to" in verdict.undecided
        assert not verdict.passed
    assert gate.check_json(b'{"a": 5}').record == gate.check_json('\ufeff {"a": "5"}').record == {"a": 5.0}


def test_a_record_that_no_file_could_have_is_refused() -> None:
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.float64())}))
    for body, limits, words in (
        ('{"a": 1, "A": 2}', Limits(), "the keys 'a' and 'A' are one column's name"),
        ('{"_batch": 1}', Limits(), "'_batch', a name that the framework adds itself"),
        ('{"": 1}', Limits(), "has no name"),
        ('{"a": 1, "b": 2}', Limits(most_columns=1), "2 keys, more than 1"),
        ('{"a": "' + "x" * 2_000_000 + '"}', Limits(most_record_mb=1), "larger than 1 MB"),
    ):
        with pytest.raises(RecordRefusedError, match=words):
            gate.check_json(body, limits=limits)


def test_no_text_takes_long() -> None:
    began = time.thread_time()  # of this thread alone, and many times what it takes
    for text in ("1" * 100_000 + "x", "0." + "0" * 100_000 + "x", "2024-01-01 00:00:00." + "0" * 100_000 + "x"):
        for kind in KINDS:
            convert = text_converter(kind)
            assert convert is not None
            assert convert(text) is UNCONVERTED or kind == arrow.string()
    assert time.thread_time() - began < 60


def test_records_without_some_values_are_of_one_shape_and_a_stranger_does_not_forget_the_others() -> None:
    names = [f"c{number}" for number in range(10)]
    kinds = (arrow.int64(), arrow.float64(), arrow.string())
    gate = Gate(
        pa.DataFrameSchema({n: pa.Column(kinds[i % 3], nullable=True) for i, n in enumerate(names)}), missing=("N/A",)
    )
    typed: dict[str, Any] = {name: (1, 1.5, "x")[number % 3] for number, name in enumerate(names)}
    for pattern in range(2**10):
        record = {n: v if pattern >> i & 1 else None for i, (n, v) in enumerate(typed.items())}
        assert gate.check_record(record).record == record
    plans = gate._records._plans
    assert len(plans) <= len(names) + 1
    for number in range(KNOWN_SHAPES + 10):
        gate.check_record({**typed, f"other_{number}": 1})
        gate.check_record(typed)
    assert len(plans) == KNOWN_SHAPES
    assert (tuple(typed), tuple(map(type, typed.values()))) in plans
    gate.check_json(json.dumps(typed))
    before = len(plans)
    for number in range(50):
        gate.check_json(json.dumps({**typed, f"other_{number}": number, "c0": None}))
    assert len(plans) == before


def test_a_reference_is_decided_by_what_is_known_of_the_other_table() -> None:
    schema = pa.DataFrameSchema(
        {"a": pa.Column(arrow.int64(), nullable=True), "b": pa.Column(arrow.float64(), nullable=True)}
    )
    gate = Gate(schema, rules=[ExistsIn(("a", "b"), table="others", keys=("x", "y"))])
    (name,) = (rule.name for rule in gate.rules if "exists" in rule.name or "others" in rule.name)
    other = arrow.table(
        {"x": [1, 2, None, 3], "y": [1.0, float("nan"), 1.0, None]},
        schema=arrow.schema([("x", "int64"), ("y", "double")]),
    )
    known = {"others": KnownKeys.of(("x", "y"), zip(*other.to_pydict().values(), strict=True))}
    lines = [
        '{"a": 1, "b": 1}',
        '{"a": "2", "b": "nan"}',
        '{"a": 3, "b": null}',
        '{"a": 2, "b": 1}',
        '{"a": "x", "b": 1}',
    ]
    batch = landed(gate, lines, known=OtherRows(tables={"others": other}))
    for line, (rules, _) in zip(lines, batch, strict=True):
        verdict = gate.check_json(line, known=known)
        assert tuple(broken.rule for broken in verdict.broken) == rules
        assert name not in verdict.undecided
    assert name in gate.check_json(lines[0]).undecided
