"""The table as it is now is a function of its changes, whatever order they were read in."""

import random
from typing import Any

import duckdb
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import ChangeColumns, Changes, Domain, HourlyBatches, Source, Steward
from readiness_pipelines.contracts.current import current_query
from readiness_pipelines.errors import DeclarationError, UnknownNameError

COLUMNS = arrow.schema(
    [
        ("change_op", arrow.string()), ("change_position", arrow.string()), ("change_table", arrow.string()),
        ("change_unchanged", arrow.string()), ("id", arrow.int64()), ("before_id", arrow.int64()),
        ("name", arrow.string()), ("bio", arrow.string()), ("_row", arrow.int64()),
    ]
)  # fmt: skip
QUERY = current_query(("id", "name", "bio"), ("id",))


def current(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    connection = duckdb.connect()
    connection.register(
        "given", arrow.Table.from_pylist([{"change_table": "t", **row} for row in rows], schema=COLUMNS)
    )
    connection.sql("CREATE TABLE changes AS SELECT * FROM given")
    return connection.sql(QUERY("changes")).order("ALL").fetchall()


def history(seed: int) -> tuple[list[dict[str, Any]], dict[int, tuple[str, str | None]]]:
    """Changes as a database writes them, in order, and the table at their end."""
    chance, table, rows = random.Random(seed), dict[int, tuple[str, str | None]](), list[dict[str, Any]]()

    def note(op: str, key: int | None, **other: Any) -> None:
        rows.append({"change_op": op, "id": key, "change_position": f"{len(rows):020d}", **other})

    for key in range(3):
        table[key] = (f"s{key}", f"b{key}")
        note("snapshot", key, name=f"s{key}", bio=f"b{key}")
    for number in range(chance.randrange(25)):
        key = chance.randrange(5)
        kind = chance.random()
        if key not in table:
            table[key] = (f"n{number}", chance.choice([None, "long"]))
            note("insert", key, name=table[key][0], bio=table[key][1])
        elif kind < 0.2:
            del table[key]
            note("delete", key)
            rows.append({"change_op": "tombstone", "id": key, "change_position": None})
        elif kind < 0.3 and (free := [one for one in range(5) if one not in table]):
            table[free[0]] = (f"m{number}", f"whole{number}")
            del table[key]
            note("update", free[0], before_id=key, name=f"m{number}", bio=f"whole{number}")
        elif kind < 0.33:
            table.clear()
            note("truncate", None)
        elif kind < 0.6:
            table[key] = (f"u{number}", table[key][1])
            note("update", key, name=f"u{number}", change_unchanged='["bio"]')
        else:
            table[key] = (f"u{number}", None)
            note("update", key, name=f"u{number}")
    return rows, table


def test_the_last_change_wins_by_position_and_not_by_partition_or_arrival() -> None:
    for seed in range(60):
        rows, table = history(seed)
        chance = random.Random(seed)
        partitions = {key: chance.randrange(4) for key in range(5)}
        for offset, row in enumerate(rows):
            place = partitions.get(row["id"], 0)  # a key stays in its partition, as tombstones need it
            row["_row"] = place << 44 | offset
        chance.shuffle(rows)
        assert current(rows) == sorted((key, *values) for key, values in table.items()), seed


def test_equal_positions_and_moved_partitions_are_in_order_and_what_nobody_knows_is_refused() -> None:
    snapshot = {"change_op": "snapshot", "id": 1, "name": "old", "change_position": "1", "_row": 9}
    update = {"change_op": "update", "id": 1, "name": "new", "change_position": "1", "_row": 3}
    assert current([snapshot, update]) == [(1, "new", None)]
    later = {"change_op": "update", "id": 1, "name": "later", "change_position": "2", "_row": 1}
    assert current([later, {**snapshot, "_row": 7 << 44}]) == [(1, "later", None)]
    moved = {**later, "id": 2, "before_id": 1, "change_unchanged": '["bio"]'}
    for rows in ([snapshot, moved], [{**later, "change_unchanged": '["bio"]'}]):
        with pytest.raises(duckdb.InvalidInputException, match="REPLICA IDENTITY FULL"):
            current(rows)
    with pytest.raises(duckdb.InvalidInputException, match="more than one table"):
        current([snapshot, {**update, "change_table": "other"}])
    assert current([]) == []


class Customer(pa.DataFrameModel):
    id: arrow.int64() = pa.Field(unique=True)
    name: arrow.string() = pa.Field()


class CustomerChange(ChangeColumns):
    id: arrow.int64() = pa.Field(nullable=True)
    before_id: arrow.int64() = pa.Field(nullable=True)
    name: arrow.string() = pa.Field(nullable=True)


class Strict(CustomerChange):
    name: arrow.string() = pa.Field()


class NoFormer(ChangeColumns):
    id: arrow.int64() = pa.Field(nullable=True)
    name: arrow.string() = pa.Field(nullable=True)


class More(Customer):
    email: arrow.string() = pa.Field()


def test_changes_that_a_current_table_cannot_be_made_of_are_refused_when_it_is_declared() -> None:
    shop = Domain("shop", owner="shop@shop.example")

    def changes(name: str, schema: Any) -> Any:
        reader = Changes("customers", brokers="b:1", key="id")
        source = Source(origin="Shop", steward=Steward("Shop", "shop@shop.example"), reader=reader)
        return shop.gated(
            name,
            source=source,
            schema=schema,
            batches=HourlyBatches(start="2026-11-02"),
            classified={"id": "pii.direct"},
        )

    good = changes("changes", CustomerChange)
    assert good.classified["before_id"] == good.classified["id"]
    with pytest.raises(DeclarationError, match="name may not be null in the changes"):
        shop.current("one", changes("strict", Strict), schema=Customer)
    with pytest.raises(DeclarationError, match="needs the column 'before_id'"):
        shop.current("one", changes("former", NoFormer), schema=Customer)
    with pytest.raises(UnknownNameError, match="email"):
        shop.current("one", good, schema=More)
    made = shop.current("customers", good, schema=Customer)
    assert (made.key, made.batches.grid().keys) == (("id",), ("current",))  # type: ignore[union-attr]
