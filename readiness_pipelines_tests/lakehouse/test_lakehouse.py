"""Tables: staged rows are invisible, one commit replaces one batch, and nothing else changes."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pytest

from readiness_pipelines.errors import CommitConflictError, LakehouseError
from readiness_pipelines.lakehouse import Commit, Lakehouse, storage_schema
from readiness_pipelines.lakehouse.maintenance import MOST_SNAPSHOTS
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.databases import URL_FILE, Kind, database_in, use_database
from readiness_pipelines_tests.rest_catalog import serve_rest_catalog
from readiness_pipelines_tests.stores import use_bucket, warehouse_in
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

TABLE = TableId("shop", "orders")
HOSTILE = ["it's", 'a"b', "ü ñ", "50%", "a/b", "=", "NULL", "x;DROP TABLE y"]


@pytest.fixture(params=["sqlite", "postgres", "s3", "rest"])
def lakehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Lakehouse:
    """Tables of every kind: where the catalog is, and where the files lie."""
    match request.param:
        case "postgres":
            use_database("postgres", tmp_path)
        case "s3":
            use_bucket(tmp_path)
        case "rest":
            (tmp_path / URL_FILE).write_text(serve_rest_catalog(tmp_path))
    return open_in(tmp_path)


def open_in(folder: Path) -> Lakehouse:
    turns = f"sqlite:///{folder / 'ledger.db'}" if database_in(folder).startswith("http") else None
    return Lakehouse.open(catalog_url=database_in(folder), warehouse=warehouse_in(folder), turns_url=turns)


def connected(lakehouse: Lakehouse) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    if (driver := lakehouse.warehouse.for_duckdb()) is not None:
        connection.register_filesystem(driver)
    return connection


@pytest.fixture
def connection(lakehouse: Lakehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    with connected(lakehouse) as opened:
        yield opened


def files_of(lakehouse: Lakehouse) -> set[str]:
    return {file.uri for file in lakehouse.warehouse.files() if file.name.endswith(".parquet")}


def rows_of(batch: str, *values: Any, kind: pa.DataType | None = None, **more: list[Any]) -> pa.Table:
    columns = {
        "a": pa.array(values, kind or pa.int64()),
        **more,
        "_batch": pa.array([batch] * len(values), pa.string()),
    }
    return pa.table(columns)


def publish(lakehouse: Lakehouse, table: pa.Table, *, batch: str, name: TableId = TABLE, run: str = "r") -> Commit:
    with connected(lakehouse) as connection:
        lakehouse.ensure(name, table.schema)
        staged = lakehouse.stage(name, connection.from_arrow(table), batch=batch, schema=table.schema)
    return lakehouse.replace(name, staged, properties={"readiness.attempt": uuid4().hex, "readiness.run": run})


def read(lakehouse: Lakehouse, name: TableId = TABLE, **options: Any) -> list[dict[str, Any]]:
    with connected(lakehouse) as connection:
        rows: list[dict[str, Any]] = lakehouse.relation(connection, name, **options).to_arrow_table().to_pylist()
    return rows


def values(lakehouse: Lakehouse, **options: Any) -> list[Any]:
    return sorted(row["a"] for row in read(lakehouse, **options))


def test_staged_rows_are_invisible_until_they_are_committed(lakehouse: Lakehouse, connection: Any) -> None:
    publish(lakehouse, rows_of("x", 1), batch="x")
    table = rows_of("x", 2)
    staged = lakehouse.stage(TABLE, connection.from_arrow(table), batch="x", schema=table.schema)
    assert set(staged.files) <= files_of(lakehouse)
    assert values(lakehouse) == [1]


def test_a_commit_replaces_its_batch_and_no_other(lakehouse: Lakehouse) -> None:
    publish(lakehouse, rows_of("x", 1, 2), batch="x")
    publish(lakehouse, rows_of("y", 3), batch="y")
    publish(lakehouse, rows_of("x", 4), batch="x")
    assert values(lakehouse) == [3, 4]
    assert values(lakehouse, batch="x") == [4]


def test_a_commit_makes_exactly_one_snapshot(lakehouse: Lakehouse) -> None:
    publish(lakehouse, rows_of("x", 1), batch="x")
    publish(lakehouse, rows_of("x", 2), batch="x")
    assert len(lakehouse.snapshots(TABLE)) == 2


def test_committing_the_same_attempt_twice_commits_once(lakehouse: Lakehouse, connection: Any) -> None:
    table = rows_of("x", 1)
    lakehouse.ensure(TABLE, table.schema)
    staged = lakehouse.stage(TABLE, connection.from_arrow(table), batch="x", schema=table.schema)
    first = lakehouse.replace(TABLE, staged, properties={"readiness.attempt": "1"})
    again = lakehouse.replace(TABLE, staged, properties={"readiness.attempt": "1"})
    assert first.snapshot_id == again.snapshot_id
    assert values(lakehouse) == [1]


def test_a_commit_tells_who_made_it(lakehouse: Lakehouse) -> None:
    commit = publish(lakehouse, rows_of("x", 1), batch="x", run="r1")
    assert commit.properties["readiness.run"] == "r1"
    assert lakehouse.snapshots(TABLE)[0] == commit


def test_a_batch_without_rows_empties_it_and_leaves_its_mark(lakehouse: Lakehouse) -> None:
    publish(lakehouse, rows_of("x", 1), batch="x")
    commit = publish(lakehouse, rows_of("x"), batch="x")
    assert values(lakehouse) == []
    assert lakehouse.snapshots(TABLE)[0] == commit


def test_new_columns_join_the_table_in_the_commit_that_brings_them(lakehouse: Lakehouse) -> None:
    publish(lakehouse, rows_of("x", 1), batch="x")
    before = len(lakehouse.snapshots(TABLE))
    publish(lakehouse, rows_of("y", 2, new=pa.array(["n"])), batch="y")
    assert len(lakehouse.snapshots(TABLE)) == before + 1
    assert sorted((row["a"], row["new"]) for row in read(lakehouse)) == [(1, None), (2, "n")]


def test_a_wider_type_joins_the_table_too(lakehouse: Lakehouse) -> None:
    publish(lakehouse, rows_of("x", 1, kind=pa.int32()), batch="x")
    publish(lakehouse, rows_of("y", 2**40), batch="y")
    assert values(lakehouse) == [1, 2**40]


def test_a_type_that_the_table_cannot_become_is_refused_by_column_with_the_way_out(lakehouse: Lakehouse) -> None:
    publish(lakehouse, rows_of("x", 1), batch="x")
    for value, kind in (("text", pa.string()), (1.5, pa.float64())):
        with pytest.raises(
            LakehouseError, match=r"the table shop.orders has a as long, not (string|double)"
        ) as refused:
            publish(lakehouse, rows_of("y", value, kind=kind), batch="y")
        assert "call the column otherwise" in refused.value.way_out
    assert values(lakehouse) == [1]


def test_as_arrived_gives_the_columns_that_the_batch_had(lakehouse: Lakehouse) -> None:
    publish(lakehouse, rows_of("x", 1), batch="x")
    publish(lakehouse, rows_of("y", 2, new=pa.array(["n"])), batch="y")
    assert set(read(lakehouse, batch="x", as_arrived=True)[0]) == {"a", "_batch"}
    assert set(read(lakehouse, batch="x")[0]) == {"a", "_batch", "new"}


def test_an_older_snapshot_stays_readable(lakehouse: Lakehouse) -> None:
    old = publish(lakehouse, rows_of("x", 1), batch="x")
    publish(lakehouse, rows_of("x", 2), batch="x")
    assert values(lakehouse, snapshot_id=old.snapshot_id) == [1]
    with pytest.raises(LakehouseError, match=r"snapshot 42 of shop\.orders has expired"):
        values(lakehouse, snapshot_id=42)


@pytest.mark.parametrize("batch", HOSTILE)
def test_any_batch_key_works(lakehouse: Lakehouse, batch: str) -> None:
    publish(lakehouse, rows_of("other", 0), batch="other")
    publish(lakehouse, rows_of(batch, 1), batch=batch)
    publish(lakehouse, rows_of(batch, 2), batch=batch)
    assert values(lakehouse, batch=batch) == [2]
    assert values(lakehouse) == [0, 2]


def test_rows_of_another_batch_are_refused_and_leave_no_file(lakehouse: Lakehouse, connection: Any) -> None:
    table = rows_of("x", 1)
    lakehouse.ensure(TABLE, table.schema)
    with pytest.raises(LakehouseError, match="name another batch"):
        lakehouse.stage(TABLE, connection.from_arrow(table), batch="y", schema=table.schema)
    assert not files_of(lakehouse)


def test_other_iceberg_readers_see_the_same_rows(lakehouse: Lakehouse) -> None:
    errors = pa.array(
        [[{"rule": "r", "column": None}], []], pa.list_(pa.struct([("rule", pa.string()), ("column", pa.string())]))
    )
    publish(lakehouse, rows_of("x", 1, 2, _errors=errors), batch="x")
    theirs = lakehouse._load(TABLE).scan().to_arrow().to_pylist()
    assert sorted(theirs, key=lambda row: row["a"]) == sorted(read(lakehouse), key=lambda row: row["a"])


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (pa.int8(), pa.int32()),
        (pa.uint32(), pa.int64()),
        (pa.uint64(), pa.decimal128(20, 0)),
        (pa.float16(), pa.float32()),
        (pa.timestamp("ns"), pa.timestamp("us")),
        (pa.timestamp("ms", tz="Europe/Berlin"), pa.timestamp("us", tz="UTC")),
        (pa.dictionary(pa.int8(), pa.string()), pa.string()),
        (pa.large_string(), pa.string()),
        (pa.time32("s"), pa.time64("us")),
    ],
)
def test_types_that_iceberg_lacks_are_stored_wider(kind: pa.DataType, stored: pa.DataType) -> None:
    assert storage_schema(pa.schema([("c", kind)])).field("c").type == stored


@pytest.mark.parametrize("kind", [pa.duration("s"), pa.decimal256(50, 2), pa.month_day_nano_interval()])
def test_a_type_that_would_lose_something_is_refused_by_column(kind: pa.DataType) -> None:
    with pytest.raises(LakehouseError, match="column 'c'"):
        storage_schema(pa.schema([("c", kind)]))


def test_a_missing_table_is_named(lakehouse: Lakehouse) -> None:
    with pytest.raises(LakehouseError, match=r"no table shop\.orders"):
        read(lakehouse)


def _publish_three(folder: Path, worker: int) -> None:
    lakehouse = open_in(folder)
    for number in range(3):
        publish(lakehouse, rows_of(f"{worker}-{number}", worker * 10 + number), batch=f"{worker}-{number}")


def test_processes_commit_different_batches_at_once(database: Kind, tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    workers = [context.Process(target=_publish_three, args=(tmp_path, worker)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(LONGEST_SECONDS)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert values(open_in(tmp_path)) == [0, 1, 2, 10, 11, 12, 20, 21, 22]


@pytest.mark.parametrize("lakehouse", ["sqlite", "postgres"], indirect=True)
def test_many_commits_keep_few_snapshots_and_manifests_and_every_row(lakehouse: Lakehouse) -> None:
    merged = 0
    for number in range(75):
        publish(lakehouse, rows_of(f"b{number:03d}", number), batch=f"b{number:03d}")
        newest = lakehouse.snapshots(TABLE)[0].properties
        assert newest["readiness.batch"] == f"b{number:03d}"  # also where manifests were merged since
        merged += "readiness.upkeep" in newest
    assert merged
    kept = lakehouse.snapshots(TABLE)
    assert len(kept) <= MOST_SNAPSHOTS + 1
    current = lakehouse._load(TABLE).current_snapshot()
    assert current is not None
    assert len(current.manifests(lakehouse._load(TABLE).io)) < 40
    assert values(lakehouse) == list(range(75))
    assert values(lakehouse, batch="b003") == [3]


def test_a_commit_that_may_not_happen_any_more_changes_nothing(lakehouse: Lakehouse, connection: Any) -> None:
    publish(lakehouse, rows_of("x", 1), batch="x")
    table = rows_of("x", 2)
    staged = lakehouse.stage(TABLE, connection.from_arrow(table), batch="x", schema=table.schema)

    def refuse() -> None:
        raise CommitConflictError("another one began")

    with pytest.raises(CommitConflictError):
        lakehouse.replace(TABLE, staged, properties={"readiness.attempt": "late"}, confirm=refuse)
    assert values(lakehouse) == [1]


def test_a_table_whose_catalog_is_lost_is_not_begun_anew(lakehouse: Lakehouse, tmp_path: Path) -> None:
    publish(lakehouse, rows_of("x", 1), batch="x")
    other = Lakehouse.open(catalog_url=f"sqlite:///{tmp_path / 'other.db'}", warehouse=warehouse_in(tmp_path))
    with pytest.raises(LakehouseError, match="the catalog was lost") as refused:
        other.ensure(TABLE, rows_of("x", 1).schema)
    assert "READINESS_CATALOG_URL" in refused.value.way_out
    assert values(lakehouse) == [1]


def test_a_clone_begins_as_the_table_is_and_nothing_of_the_table_is_changed_or_removed_by_it(
    lakehouse: Lakehouse, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    publish(lakehouse, rows_of("day_1", 1, 2), batch="day_1")
    raw = TABLE.raw
    publish(lakehouse, rows_of("day_1", 1, 2, 3), batch="day_1", name=raw)
    before = {file.uri for file in lakehouse.warehouse.files()}, lakehouse.snapshots(TABLE)
    own = f"sqlite:///{tmp_path / 'clones.db'}"
    clones = {
        "own": lakehouse.clone([TABLE, raw], suffix="__x", folder="__clones/1", catalog_url=own),
        "environment": lakehouse.clone([TABLE, raw], suffix="__dev"),
    }
    for name, clone in clones.items():
        assert clone.snapshots(TABLE) == before[1]
        assert clone.snapshots(raw) == lakehouse.snapshots(raw)
        # More commits than a table keeps metadata files: the oldest of them are deleted.
        for number in range(22 if name == "own" and lakehouse.warehouse.is_local else 1, -1, -1):
            publish(clone, rows_of("day_1", number), batch="day_1")
        assert clone.relation(connection, TABLE).project("a").fetchall() == [(0,)]
        with pytest.raises(LakehouseError, match="must not be written to"):
            publish(clone, rows_of("day_1", 4), batch="day_1", name=raw)
    assert lakehouse.tables() == (TABLE, TableId("shop__dev", "orders"), raw)
    assert lakehouse.drop("__dev") == (TableId("shop__dev", "orders"),)
    (lakehouse.warehouse / "__clones").remove_all()
    left = {file.uri for file in lakehouse.warehouse.files() if file.name.startswith("shop")}
    assert (
        left - {file.uri for file in (lakehouse.warehouse / raw.domain).files()}
        <= before[0]
        <= {file.uri for file in lakehouse.warehouse.files()}
    )
    assert sorted(lakehouse.relation(connection, TABLE).project("a").fetchall()) == [(1,), (2,)]
