"""Exact numbers, decimals and times, wherever they come from: they convert, or break their row, and nothing crashes."""

from datetime import time
from decimal import Decimal
from typing import Any

import duckdb
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Gate
from readiness_pipelines.engines.duckdb.engine import DuckDbEngine
from readiness_pipelines.testing import judge

FRAMEWORK = "'b' AS _batch, row_number() OVER () - 1 AS _row, 'f' AS _file, "
FRAMEWORK += "NULL::VARCHAR AS _unreadable, NULL::VARCHAR AS _unreadable_reason"


def schema(kind: arrow.DataType, *checks: pa.Check, **options: Any) -> pa.DataFrameSchema:
    return pa.DataFrameSchema({"a": pa.Column(kind, list(checks), **{"nullable": True, **options})})


@pytest.mark.parametrize("kind", [arrow.int64(), arrow.int32(), arrow.int8(), arrow.uint64()])
def test_sums_and_counts_of_duckdb_are_integers(kind: arrow.DataType) -> None:
    with duckdb.connect() as connection:
        made = connection.sql(f"SELECT sum(i) AS a, {FRAMEWORK} FROM (VALUES (1), (2)) v(i)")
        verdict = Gate(schema(kind)).judge(made, DuckDbEngine(connection))
        assert verdict.published.to_arrow_table().column("a").to_pylist() == [3]
        counted = connection.sql(f"SELECT count(*) AS a, {FRAMEWORK} FROM (VALUES (1), (2)) v(i)")
        verdict = Gate(schema(kind)).judge(counted, DuckDbEngine(connection))
        assert verdict.published.to_arrow_table().column("a").to_pylist() == [2]


def test_a_sum_that_does_not_fit_breaks_its_row_alone() -> None:
    with duckdb.connect() as connection:
        given = "(VALUES (1, 9e18::BIGINT), (1, 9e18::BIGINT), (2, 5)) v(g, i)"
        made = connection.sql(f"SELECT sum(i) AS a, {FRAMEWORK} FROM {given} GROUP BY g ORDER BY g")
        verdict = Gate(schema(arrow.int64())).judge(made, DuckDbEngine(connection))
        assert verdict.published.to_arrow_table().column("a").to_pylist() == [5]
        assert [(count.rule.name, count.broken_rows) for count in verdict.broken] == [("a_dtype", 1)]


def test_whole_decimals_are_integers_and_fractions_are_of_another_type() -> None:
    gate = Gate(schema(arrow.int64()))
    judged = judge(gate, {"a": Decimal(7)}, {"a": Decimal(10**20)}, types={"a": arrow.decimal128(38, 0)})
    judged.assert_breaks({1: "a_dtype"})
    judged.assert_publishes({"a": 7})
    judge(gate, {"a": Decimal("7.0")}, types={"a": arrow.decimal128(10, 1)}).assert_held("decimal128(10, 1), not int64")
    judge(gate, {"a": 7.0}, types={"a": arrow.float64()}).assert_held("double, not int64")


KINDS: list[tuple[arrow.DataType, Any, str, pa.Check | None]] = [
    (arrow.decimal128(10, 2), Decimal("7.25"), "7.25", pa.Check.ge(Decimal("1.00"))),
    (arrow.decimal128(10, 2), Decimal("7.25"), "7.25", pa.Check.isin([Decimal("7.25")])),
    (arrow.decimal128(38, 0), Decimal(7), "7", None),
    (arrow.time64("us"), time(7, 30, 1), "07:30:01", pa.Check.ge(time(7))),
    (arrow.time64("us"), time(7, 30, 1), "07:30:01", pa.Check.isin([time(7, 30, 1)])),
    (arrow.time64("ns"), time(7, 30, 1), "07:30:01", None),
    (arrow.time32("s"), time(7, 30, 1), "07:30:01", pa.Check.lt(time(8))),
    (arrow.time32("ms"), time(7, 30, 1), "07:30:01", None),
]


@pytest.mark.parametrize(("kind", "value", "text", "check"), KINDS)
def test_decimals_and_times_are_judged_typed_as_text_and_alone(
    kind: arrow.DataType, value: Any, text: str, check: pa.Check | None
) -> None:
    gate = Gate(schema(kind, *([check] if check else [])))
    judged = judge(gate, {"a": value}, {"a": None}, types={"a": kind})
    judged.assert_publishes({"a": value}, {"a": None})
    judged = judge(gate, {"a": text}, {"a": "x"}, {"a": None})
    judged.assert_publishes({"a": value}, {"a": None})
    judged.assert_breaks({1: "a_dtype"})
    for given in (value, text):
        alone = gate.check_record({"a": given})
        assert (alone.broken, alone.record) == ((), {"a": value})
    assert [broken.rule for broken in gate.check_record({"a": "x"}).broken] == ["a_dtype"]
    assert gate.check_record({"a": None}).passed


@pytest.mark.parametrize("kind", [arrow.decimal128(10, 2), arrow.time64("us"), arrow.time32("s")])
def test_decimals_and_times_may_be_unique_filled_and_kept_as_they_arrive(kind: arrow.DataType) -> None:
    value = Decimal("7.25") if arrow.types.is_decimal(kind) else time(7, 30)
    judged = judge(Gate(schema(kind, unique=True)), {"a": value}, {"a": value}, types={"a": kind})
    judged.assert_held()
    judged = judge(Gate(schema(kind, default=value)), {"a": None}, types={"a": kind})
    judged.assert_publishes({"a": value})
    untyped = Gate(pa.DataFrameSchema({"a": pa.Column(None, nullable=True)}))
    judge(untyped, {"a": value}, types={"a": kind}).assert_publishes({"a": value})
