"""A raw table refuses no type: what its column cannot hold goes beside it, and comes back as it arrived."""

from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pytest

from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.lakehouse.drift import PlacedColumn, arrived_name, as_arrived, stored_columns, to_stored
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place

TABLE = TableId("shop_raw", "rides")


def column(arrived: pa.DataType, table: pa.DataType | None, **more: pa.DataType) -> PlacedColumn:
    known = None if table is None else pa.schema([("x", table), *more.items()])
    (found,) = stored_columns(pa.schema([("x", arrived)]), known)
    return found


STRUCT = pa.struct([("a", pa.int64())])


@pytest.mark.parametrize(
    ("arrived", "table", "stored", "kind"),
    [
        (pa.int64(), None, "x", pa.int64()),
        (pa.null(), None, "x", pa.string()),
        (pa.large_string(), pa.string(), "x", pa.string()),
        (pa.int64(), pa.int32(), "x", pa.int64()),
        (pa.int32(), pa.int64(), "x", pa.int64()),
        (pa.int8(), pa.int32(), "x", pa.int32()),
        (pa.float32(), pa.float64(), "x", pa.float64()),
        (pa.float64(), pa.float32(), "x", pa.float64()),
        (pa.int64(), pa.float64(), "x__as_int64", pa.int64()),
        (pa.float64(), pa.int64(), "x__as_double", pa.float64()),
        (pa.null(), pa.int64(), "x", pa.int64()),
        (pa.string(), pa.int64(), "x__as_string", pa.string()),
        (pa.decimal128(12, 2), pa.decimal128(9, 2), "x", pa.decimal128(12, 2)),
        (pa.decimal128(9, 2), pa.decimal128(12, 2), "x", pa.decimal128(12, 2)),
        (pa.decimal128(9, 3), pa.decimal128(9, 2), "x__as_decimal128_9_3", pa.decimal128(9, 3)),
        (pa.time32("s"), pa.time64("us"), "x", pa.time64("us")),
        (pa.timestamp("us"), pa.timestamp("us", "UTC"), "x__as_timestamp_us", pa.timestamp("us")),
        (
            pa.timestamp("us", "Europe/Berlin"),
            pa.timestamp("us"),
            "x__as_timestamp_us_tz_europe_berlin",
            pa.timestamp("us", "UTC"),
        ),
        (STRUCT, STRUCT, "x", STRUCT),
        (pa.struct([("a", pa.string())]), STRUCT, "x__as_struct_a_string", pa.struct([("a", pa.string())])),
    ],
    ids=str,
)
def test_a_column_keeps_its_name_where_its_table_can_hold_it(
    arrived: pa.DataType, table: pa.DataType | None, stored: str, kind: pa.DataType
) -> None:
    found = column(arrived, table)
    assert (found.stored, found.stored_type) == (stored, kind)


def test_places_never_collide() -> None:
    arrived = pa.schema([("x", pa.int64()), ("x__as_int64", pa.string()), ("X__as_int64_2", pa.string())])
    found = stored_columns(arrived, pa.schema([("x", pa.string())]))
    assert [one.stored for one in found] == ["x__as_int64_3", "x__as_int64", "X__as_int64_2"]


def test_a_column_beside_is_found_again_or_another_is_made() -> None:
    assert column(pa.int64(), pa.string(), x__as_int64=pa.int64()).stored == "x__as_int64"
    assert column(pa.int64(), pa.string(), x__as_int64=pa.string()).stored == "x__as_int64_2"


def test_names_that_differ_in_letter_case_are_one_column() -> None:
    (found,) = stored_columns(pa.schema([("X", pa.int64())]), pa.schema([("x", pa.int32())]))
    assert (found.name, found.stored) == ("X", "x")


DELIVERIES: list[pa.Array] = [
    pa.array([1, 2**40]),
    pa.array([1.5, None]),
    pa.array([1, None], pa.int32()),
    pa.array([None, None]),
    pa.array(["x", "1"], pa.large_string()),
    pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)),
    pa.array([Decimal("12345678.50"), None], pa.decimal128(12, 2)),
    pa.array([time(1, 2, 3), None], pa.time64("us")),
    pa.array([time(1, 2, 3), None], pa.time32("s")),
    pa.array([datetime(2026, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "Europe/Berlin")),
    pa.array([0, None], pa.timestamp("us")),
    pa.array([{"a": 1}, None]),
    pa.array([{"a": "x", "b": [1]}, None]),
    pa.array([2**64 - 1, 0], pa.uint64()),
    pa.array([1.5, 0.1], pa.float32()),
]


def test_every_delivery_is_stored_and_comes_back_as_it_arrived(tmp_path: Path) -> None:
    lakehouse = Lakehouse.open(catalog_url=f"sqlite:///{tmp_path}/t.db", warehouse=Place.of(tmp_path / "warehouse"))
    kept: list[tuple[str, pa.Array, tuple[PlacedColumn, ...]]] = []
    for number, array in enumerate([*DELIVERIES, *DELIVERIES]):
        batch = f"b{number}"
        rows = pa.table({"x": array, "_batch": [batch] * len(array), "_row": range(len(array))})
        columns = stored_columns(rows.schema, lakehouse.schema(TABLE) if lakehouse.exists(TABLE) else None)
        schema = pa.schema([one.field for one in columns])
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            lakehouse.ensure(TABLE, schema)
            relation = connection.from_arrow(rows).project(to_stored(columns))
            staged = lakehouse.stage(TABLE, relation, batch=batch, schema=schema)
        lakehouse.replace(TABLE, staged, properties={"readiness.attempt": uuid4().hex})
        kept.append((batch, array, columns))
    for batch, array, columns in kept:
        assert back(lakehouse, batch, columns) == array.to_pylist()


def back(lakehouse: Lakehouse, batch: str, columns: tuple[PlacedColumn, ...]) -> list[Any]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = lakehouse.relation(connection, TABLE, batch=batch).project(
            as_arrived((one.stored, one.name, one.type) for one in columns)
        )
        found: list[Any] = rows.order("_row").to_arrow_table().column("x").to_pylist()
    return found


def test_a_column_stored_beside_another_is_told_by_the_name_it_arrived_with() -> None:
    assert arrived_name("fare__as_string", ["id", "fare__as_string"]) == "fare"
    assert arrived_name("fare__as_string", ["fare", "fare__as_string"]) == "fare__as_string"
    assert arrived_name("__as_string", ["__as_string"]) == "__as_string"
    assert arrived_name("fare", ["fare"]) == "fare"
