"""Rows that a function gives: records or Arrow, typed where all values are of one type."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from readiness_pipelines.batches import Batches, DailyBatches, StaticBatches, Versions, Window
from readiness_pipelines.contracts.readers import Places, Reader
from readiness_pipelines.errors import BatchNotLandedError, LandingError, UnknownNameError
from readiness_pipelines.sources import Function
from readiness_pipelines.sources.function import ROWS_PER_BATCH
from readiness_pipelines.storage import Place
from readiness_pipelines_tests.waiting import wait_for_room

DAYS = DailyBatches(start=date(2026, 1, 1))


def places(batches: Batches | None = None) -> Places:
    return Places(landing=Place.of("/nowhere"), connection=str, batches=batches or Versions())


def read(given: Any) -> pa.Table:
    return Function(lambda batch: given).open("v", places()).rows.read_all()


def column(values: list[Any]) -> tuple[pa.DataType, list[Any]]:
    batch = Function(lambda batch: [{"a": value} for value in values]).open("v", places())
    return batch.columns.field("a").type, batch.rows.read_all().column("a").to_pylist()


def test_a_function_is_a_reader() -> None:
    assert isinstance(Function(read), Reader)
    assert "test_function.read" in Function(read).describe()
    with pytest.raises(UnknownNameError, match="did you mean 'fingerprint'"):
        Function(read, fingerprnt=read)


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        ([1, None, 3], pa.int64(), [1, None, 3]),
        ([1.5, 2.0], pa.float64(), [1.5, 2.0]),
        ([1, 2.5], pa.string(), ["1", "2.5"]),
        ([1, True], pa.string(), ["1", "true"]),
        ([2**70, 1], pa.string(), [str(2**70), "1"]),
        (["x", 1], pa.string(), ["x", "1"]),
        ([Decimal("1.50")], pa.decimal128(3, 2), [Decimal("1.50")]),
        ([date(2026, 1, 2)], pa.date32(), [date(2026, 1, 2)]),
        ([time(1, 2)], pa.time64("us"), [time(1, 2)]),
        ([timedelta(seconds=1)], pa.string(), ["1000000 us"]),
        ([datetime(2026, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC"), [datetime(2026, 1, 1, tzinfo=UTC)]),
        ([{"x": [1, 2.0]}, None], pa.string(), ['{"x": [1, 2.0]}', None]),
        ([[1, "x"], "y"], pa.string(), ['[1, "x"]', "y"]),
        ([b"\xff"], pa.binary(), [b"\xff"]),
        ([b"\xff", "x"], pa.string(), ["\\xff", "x"]),
        ([None], pa.null(), [None]),
        (["\ud800"], pa.string(), ["\\ud800"]),
    ],
)
def test_a_column_has_one_type_or_is_text(values: list[Any], kind: pa.DataType, found: list[Any]) -> None:
    assert column(values) == (kind, found)


def test_a_type_that_changes_after_many_rows_is_text_for_all() -> None:
    kind, found = column([*range(ROWS_PER_BATCH), "x"])
    assert kind == pa.string()
    assert (found[0], found[-1], len(found)) == ("0", "x", ROWS_PER_BATCH + 1)


def test_records_and_arrow_may_come_mixed_and_are_numbered_through() -> None:
    table = pa.table({"a": [2, 3]})

    def rows(batch: str) -> Iterator[Any]:
        yield {"a": 1}
        yield table
        yield table.to_batches()[0]
        yield {"b": batch}

    found = Function(rows).open("v", places()).rows.read_all()
    assert found.column("a").to_pylist() == [1, 2, 3, 2, 3, None]
    assert found.column("_row").to_pylist() == list(range(6))
    assert found.column("b").to_pylist()[-1] == "v"


@pytest.mark.parametrize("kind", ["table", "batch", "reader", "empty"])
def test_arrow_arrives_as_it_is(kind: str) -> None:
    table = pa.table({"a": pa.array([1], pa.int8())})
    given = {
        "table": table,
        "batch": table.to_batches()[0],
        "reader": table.to_reader(),
        "empty": table.slice(0, 0),
    }[kind]
    found = read(given)
    assert found.schema.field("a").type == pa.int8()
    assert found.num_rows == (0 if kind == "empty" else 1)


def test_no_rows_are_a_batch_without_rows() -> None:
    assert read([]).num_rows == 0


def test_the_window_is_given_to_a_function_that_takes_it() -> None:
    def rows(batch: str, window: Window) -> list[dict[str, Any]]:
        return [{"batch": batch, "start": window.start}]

    found = Function(rows).open("2026-01-02", places(DAYS)).rows.read_all().to_pylist()
    assert (found[0]["batch"], found[0]["start"]) == ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC))
    assert Function(lambda: [{"a": 1}]).open("v", places()).rows.read_all().num_rows == 1


def test_batches_that_have_ended_are_there() -> None:
    today = wait_for_room("day", seconds=60).date()
    days = DailyBatches(start=today - timedelta(days=3))
    found = list(Function(read).arrivals(places(days)))
    assert [arrival.batch for arrival in found] == [str(today - timedelta(days=left)) for left in (3, 2, 1)]
    assert found[-1].settled_since <= datetime.now(UTC)
    assert [a.batch for a in Function(read).arrivals(places(StaticBatches(keys=("a", "b"))))] == ["a", "b"]


def test_a_version_is_told_by_its_content() -> None:
    content = [{"a": 1}, {"a": 2}]
    function = Function(lambda batch: content)
    (first,) = function.arrivals(places())
    content.reverse()
    (again,) = function.arrivals(places())
    content.append({"a": 3})
    (changed,) = function.arrivals(places())
    assert first.fingerprint == again.fingerprint != changed.fingerprint
    assert function.open(changed.batch, places()).origins[0].fingerprint == changed.fingerprint


def test_arrivals_and_fingerprints_can_be_given() -> None:
    function = Function(
        read, arrivals=lambda: ["2026-01-02", ("2026-01-01", "f")], fingerprint=lambda batch: f"is {batch}"
    )
    found = [(arrival.batch, arrival.fingerprint) for arrival in function.arrivals(places(DAYS))]
    assert found == [("2026-01-01", "f"), ("2026-01-02", "is 2026-01-02")]
    opened = Function(lambda batch: [], fingerprint=lambda: 7).open("v", places())
    assert opened.origins[0].fingerprint == "7"


def fails(batch: str) -> Iterator[dict[str, int]]:
    yield {"a": 1}
    raise RuntimeError("the API is down")


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (fails, "fails failed for batch 'v': RuntimeError: the API is down"),
        (lambda batch: None, "gave nothing"),
        (lambda batch: {"a": 1}, "gave a dict"),
        (lambda batch: [1], "gave a int as a row"),
        (lambda batch: [{"_row": 1}], "'_row'"),
        (lambda batch: [{"a": 1, "A": 2}], "letter case"),
    ],
)
def test_a_function_that_fails_or_gives_no_rows_is_named(function: Any, says: str) -> None:
    with pytest.raises(LandingError, match=says):
        Function(function).open("v", places())


def test_a_batch_that_is_none_of_the_tables_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(BatchNotLandedError, match="daily"):
        Function(fails).open("x", places(DAYS))
