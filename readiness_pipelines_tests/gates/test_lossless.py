"""Nothing is published that lost something on the way: texts of times, typed values of another type, and what fills."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pandas as pd
import pandera.pandas as pp
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Gate, Route, SchemaChange
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates import DuckDbEngine
from readiness_pipelines.gates.verdict.decisions import Decisions, Waived
from readiness_pipelines.sql import locked_connection
from readiness_pipelines.testing import batch, judge

NAIVE, ZONED, SECONDS = arrow.timestamp("us"), arrow.timestamp("us", tz="UTC"), arrow.timestamp("s")
NOON = datetime(2024, 2, 29, 12)  # noqa: DTZ001  # a column without a zone
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def gate(kind: arrow.DataType | None, **options: Any) -> Gate:
    return Gate(pa.DataFrameSchema({"a": pa.Column(kind, **{"nullable": True, **options})}))


KEPT: list[tuple[arrow.DataType, dict[str, Any]]] = [
    (
        NAIVE,
        {
            "2024-02-29 12:00:00": NOON,
            " 2024-2-29T12:00 ": NOON,
            "2024/02/29 12:00:00.5000000": NOON.replace(microsecond=500_000),
            "2024-02-29": NOON.replace(hour=0),
        },
    ),
    (
        ZONED,
        {
            "2024-02-29T14:00:00+02:00": NOON.replace(tzinfo=UTC),
            " 2024-02-29 12:00Z ": NOON.replace(tzinfo=UTC),
            "2024-02-29 12:00:00 UTC": NOON.replace(tzinfo=UTC),
            "9999-12-31 23:59:59Z": LAST,
            "9999-12-31 22:59:59-01": LAST,
        },
    ),
    (SECONDS, {"2024-02-29 12:00:00.000": NOON}),
    (arrow.time64("us"), {" 7:30 ": time(7, 30), "23:59:59.999999": time(23, 59, 59, 999_999)}),
    (arrow.date32(), {" 0001-01-01 ": date(1, 1, 1), "9999-12-31": date(9999, 12, 31)}),
    (arrow.decimal128(4, 2), {" +1.500 ": Decimal("1.50"), "-.5": Decimal("-0.50")}),
    (arrow.decimal128(4, 0), {".0": Decimal(0), "5.": Decimal(5)}),
    (arrow.float32(), {" 1.5 ": 1.5, " -Inf ": float("-inf")}),
    (arrow.uint8(), {" 007 ": 7}),
    (arrow.bool_(), {" TRUE ": True}),
]
ZONES = ["2024-02-29 12:00:00+02:00", "2024-02-29 12:00:00Z", "2024-02-29 12:00:00 UTC"]
NO_TIMES = [
    *("inf", "-infinity", "epoch", "0000-01-01 00:00:00", "10000-01-01 00:00:00", "-0001-01-01", "0044-03-15 (BC)"),
    *("2024-02-29 24:00:00", "2024-02-29 23:59:60", "2024-02-29 12:00:00.1234567", "2024-02-29 12:00:00 PM"),
    *("2024-02-29 12:00:00 America/New_York", "\u00a02024-02-29"),
]
LOST: list[tuple[arrow.DataType, list[str]]] = [
    (NAIVE, [*NO_TIMES, *ZONES]),
    (ZONED, [*NO_TIMES, "2024-02-29 12:00:00+99:00", "0001-01-01 00:00:00+01", "9999-12-31 23:59:59-01"]),
    (SECONDS, [*NO_TIMES, *ZONES, "2024-02-29 12:00:00.5"]),
    (
        arrow.time64("us"),
        ["2024-02-29", "2024-02-29 07:30:00", "24:00:00", "07:30:01+02:00", "07:30:01.1234567", "epoch"],
    ),
    (arrow.date32(), ["0000-01-01", "10000-01-01", "epoch", "2024-02-29 12:00:00"]),
    (arrow.decimal128(4, 0), [".5", "1.5", ".05"]),
    (arrow.list_(arrow.int64()), ["[1]", "[1.5]", "[1, x]"]),
    (arrow.int64(), ["\u00a01", "\u20031", "1\u3000", "1.5", "1e3", "1_000", "0x1F", "\t1"]),
    (arrow.float64(), ["1_000.5", "0x1F", "\t1.5", "1,5"]),
]


@pytest.mark.parametrize(("kind", "texts"), KEPT, ids=[str(kind) for kind, _ in KEPT])
def test_a_text_that_says_all_of_a_value_becomes_it(kind: arrow.DataType, texts: dict[str, Any]) -> None:
    judged = judge(gate(kind), *({"a": text} for text in texts))
    judged.assert_publishes(*({"a": value} for value in texts.values()))
    assert [gate(kind).check_record({"a": text}).record["a"] for text in texts] == list(texts.values())


@pytest.mark.parametrize(("kind", "texts"), LOST, ids=[str(kind) for kind, _ in LOST])
def test_a_text_of_which_a_value_would_lose_something_breaks_its_type(kind: arrow.DataType, texts: list[str]) -> None:
    judged = judge(gate(kind), *({"a": text} for text in texts), {"a": None})
    judged.assert_breaks(dict.fromkeys(range(len(texts)), "a_dtype"))
    judged.assert_publishes({"a": None})
    assert [[b.rule for b in gate(kind).check_record({"a": text}).broken] for text in texts] == [["a_dtype"]] * len(
        texts
    )


@pytest.mark.parametrize(("kind", "texts"), LOST, ids=[str(kind) for kind, _ in LOST])
def test_what_does_not_convert_is_published_as_no_value_where_its_rule_only_warns_or_is_waived(
    kind: arrow.DataType, texts: list[str]
) -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(kind, nullable=True)})
    warned = judge(Gate(schema, routes={"a_dtype": Route.WARN}), *({"a": text} for text in texts))
    warned.assert_publishes(*({"a": None} for _ in texts))
    with locked_connection() as connection:
        waived = Gate(schema).judge(
            batch(*({"a": text} for text in texts), {"a": texts[0]}),
            DuckDbEngine(connection),
            decisions=Decisions(waived=[Waived(rule="a_dtype", where=f"_row < {len(texts)}")]),
        )
        assert waived.published.project("_row, a").order("_row").fetchall() == [
            (row, None) for row in range(len(texts))
        ]


NO_TEXT: list[tuple[Any, arrow.DataType]] = [
    (1, arrow.int64()),
    (1.0, arrow.float64()),
    (True, arrow.bool_()),
    (Decimal("1.5"), arrow.decimal128(3, 1)),
    (date(2024, 2, 29), arrow.date32()),
    (NOON, NAIVE),
    (b"\xff", arrow.binary()),
    ([1], arrow.list_(arrow.int64())),
    ({"x": 1}, arrow.struct([("x", arrow.int64())])),
]


@pytest.mark.parametrize(("value", "kind"), NO_TEXT, ids=[str(kind) for _, kind in NO_TEXT])
def test_what_is_no_text_is_of_another_type_in_a_column_of_text(value: Any, kind: arrow.DataType) -> None:
    judged = judge(gate(arrow.string()), {"a": value}, types={"a": kind}, accepted={"a": "string"})
    judged.assert_held("a_dtype: a is ")
    assert [finding.effect for finding in judged.verdict.findings] == ["the batch is held"]
    assert [broken.rule for broken in gate(arrow.string()).check_record({"a": value}).broken] == ["a_dtype"]
    warned = Gate(pa.DataFrameSchema({"a": pa.Column(str)}), routes={"a_dtype": Route.WARN})
    assert isinstance(judge(warned, {"a": value}, types={"a": kind}).published[0]["a"], str)
    coerced = judge(gate(arrow.string(), coerce=True), {"a": value}, types={"a": kind})
    if arrow.types.is_nested(kind) or arrow.types.is_binary(kind):
        coerced.assert_held("a_dtype: a is ")
    else:
        assert isinstance(coerced.published[0]["a"], str)


def test_a_column_without_any_value_is_of_every_type() -> None:
    for kind in (arrow.string(), arrow.int64(), arrow.date32()):
        judge(gate(kind), {"a": None}, types={"a": arrow.null()}).assert_publishes({"a": None})


FINER: list[tuple[arrow.DataType, arrow.DataType, int, int]] = [
    (arrow.timestamp("ns"), NAIVE, 1_000, 1_001),
    (arrow.timestamp("ns", tz="UTC"), ZONED, 1_000, 1_001),
    (arrow.timestamp("ns"), arrow.timestamp("ns"), 1_000, 1_001),
    (NAIVE, SECONDS, 1_000_000, 1_000_001),
    (NAIVE, arrow.timestamp("ms"), 1_000, 1_001),
    (arrow.time64("ns"), arrow.time64("us"), 1_000, 1_001),
]


@pytest.mark.parametrize(("arrived", "kind", "kept", "lost"), FINER, ids=[f"{a} as {k}" for a, k, _, _ in FINER])
def test_a_time_finer_than_its_column_breaks_its_type(
    arrived: arrow.DataType, kind: arrow.DataType, kept: int, lost: int
) -> None:
    numbers = arrow.array([kept, lost, None], arrow.int64()).cast(arrived)
    judged = judge(gate(kind), *({"a": value} for value in numbers), types={"a": arrived})
    judged.assert_breaks({1: "a_dtype"})
    assert [row["a"] is None for row in judged.published] == [False, True]


@pytest.mark.parametrize("kind", [arrow.float16(), arrow.decimal256(40, 2), arrow.duration("us")])
def test_a_type_that_no_table_holds_is_refused_with_its_column(kind: arrow.DataType) -> None:
    with pytest.raises(GateBuildError, match="column 'a'") as refused:
        Gate(pp.DataFrameSchema({"a": pp.Column(pd.ArrowDtype(kind))}))
    assert "declare" in refused.value.way_out


def test_a_table_that_evolves_keeps_a_signed_type() -> None:
    evolving = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.int32())}), schema_change=SchemaChange.EVOLVE)
    judged = judge(evolving, {"a": 1}, {"a": 2**32 - 1}, types={"a": arrow.uint32()})
    assert judged.verdict.schema.field("a").type == arrow.int64()
    judged.assert_publishes({"a": 1}, {"a": 2**32 - 1})
