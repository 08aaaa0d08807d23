"""Rows of real databases: every one arrives, in its batch, and nothing of the URL is told."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from sqlalchemy import NullPool, create_engine, text

from readiness_pipelines.batches import Batches, DailyBatches, MonthlyBatches, StaticBatches, Versions
from readiness_pipelines.contracts.readers import Places, Reader
from readiness_pipelines.errors import BatchNotLandedError, DeclarationError, LandingError
from readiness_pipelines.sources import SqlQuery
from readiness_pipelines.storage import Place
from readiness_pipelines_tests.databases import new_postgres_database
from readiness_pipelines_tests.waiting import wait_for_room

DAYS = DailyBatches(start=date(2026, 1, 1))
Execute = Callable[..., None]


def places(url: str, batches: Batches) -> Places:
    return Places(landing=Place.of("/nowhere"), connection={"shop": url}.__getitem__, batches=batches)


@pytest.fixture(params=["sqlite", "postgres", "duckdb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Execute]:
    """A URL, and what executes statements there."""
    match request.param:
        case "postgres":
            url = new_postgres_database()
            engine = create_engine(url, poolclass=NullPool)

            def execute(*statements: str) -> None:
                with engine.begin() as connection:
                    for statement in statements:
                        connection.execute(text(statement))

        case "sqlite":
            file = tmp_path / "shop.db"
            url = f"sqlite:///{file}"

            def execute(*statements: str) -> None:
                with sqlite3.connect(file) as connection:
                    for statement in statements:
                        connection.execute(statement)
                connection.close()

        case _:
            file = tmp_path / "shop.duckdb"
            url = f"duckdb:///{file}"

            def execute(*statements: str) -> None:
                with duckdb.connect(file) as connection:
                    for statement in statements:
                        connection.execute(statement)

    return url, execute


def orders(execute: Execute) -> None:
    execute(
        "CREATE TABLE orders (id BIGINT, seen TIMESTAMP, name VARCHAR(20))",
        "INSERT INTO orders VALUES (1, '2026-01-01 00:00:00', 'a'), (2, '2026-01-01 23:59:59', 'b')",
        "INSERT INTO orders VALUES (3, '2026-01-02 00:00:00', NULL), (4, NULL, 'never')",
    )


def test_a_query_is_a_reader() -> None:
    query = SqlQuery("SELECT 1;", connection="shop", missing="?")
    assert isinstance(query, Reader)
    assert query.describe() == "query over shop: SELECT 1"


def test_rows_are_of_the_batch_that_their_cursor_lies_in(database: tuple[str, Execute]) -> None:
    url, execute = database
    orders(execute)
    query, where = SqlQuery("SELECT * FROM orders", connection="shop", cursor="seen"), places(url, DAYS)
    query.check(DAYS)
    assert [arrival.batch for arrival in query.arrivals(where)] == ["2026-01-01", "2026-01-02"]
    batch = query.open("2026-01-01", where)
    found = batch.rows.read_all().to_pylist()
    assert sorted((row["id"], row["name"]) for row in found) == [(1, "a"), (2, "b")]
    assert [(row["_batch"], row["_row"], row["_file"]) for row in found] == [
        ("2026-01-01", 0, "shop:query"),
        ("2026-01-01", 1, "shop:query"),
    ]
    assert query.open("2026-01-02", where).rows.read_all().num_rows == 1
    with pytest.raises(BatchNotLandedError, match="did you mean '2026-01-0"):
        query.open("2026-01-03", where)
    with pytest.raises(BatchNotLandedError):
        query.open("x", where)


def test_batches_follow_their_zone(database: tuple[str, Execute]) -> None:
    url, execute = database
    orders(execute)
    execute("INSERT INTO orders VALUES (5, '9999-12-31 23:59:59', 'for ever')")  # the zone has no such time any more
    batches = DailyBatches(start=date(2025, 12, 1), timezone="Asia/Kolkata")
    query = SqlQuery("SELECT * FROM orders", connection="shop", cursor="seen")
    where = places(url, batches)
    assert [arrival.batch for arrival in query.arrivals(where)] == ["2026-01-01", "2026-01-02"]
    assert query.open("2026-01-02", where).rows.read_all().num_rows == 2


def test_a_date_is_a_cursor_too(database: tuple[str, Execute]) -> None:
    url, execute = database
    execute("CREATE TABLE days (day DATE)", "INSERT INTO days VALUES ('2026-01-31'), ('2026-02-01')")
    query, where = (
        SqlQuery("SELECT * FROM days", connection="shop", cursor="day"),
        places(url, MonthlyBatches(start=date(2026, 1, 1))),
    )
    assert [arrival.batch for arrival in query.arrivals(where)] == ["2026-01", "2026-02"]
    assert query.open("2026-02", where).rows.read_all().num_rows == 1


def test_late_rows_change_the_fingerprint_and_within_the_overlap_changed_ones_do(
    database: tuple[str, Execute],
) -> None:
    url, execute = database
    today = wait_for_room("day", seconds=120).date()
    execute(
        "CREATE TABLE orders (id BIGINT, seen TIMESTAMP)",
        f"INSERT INTO orders VALUES (1, '{today - timedelta(days=9)} 10:00:00'), (2, '{today} 00:00:00')",
    )
    batches = DailyBatches(start=today - timedelta(days=20))
    query = SqlQuery("SELECT * FROM orders", connection="shop", cursor="seen", overlap="2d")
    where = places(url, batches)

    def told() -> tuple[str, ...]:
        return tuple(arrival.fingerprint for arrival in query.arrivals(where))

    old, new = told()
    assert told() == (old, new)
    execute("UPDATE orders SET id = id + 10")
    assert told()[0] == old
    assert told()[1] != new
    execute(f"INSERT INTO orders VALUES (3, '{today - timedelta(days=9)} 09:00:00')")
    assert told()[0] != old


def test_a_batch_whose_rows_are_gone_arrives_empty_within_the_overlap(database: tuple[str, Execute]) -> None:
    url, execute = database
    orders(execute)
    execute("DELETE FROM orders WHERE id = 3")
    known = replace(places(url, DAYS), ingested=frozenset({"2026-01-02", "2025-01-01"}))
    for overlap, listed in (("9999d", ["2026-01-02"]), ("1d", []), (None, [])):
        query = SqlQuery("SELECT * FROM orders", connection="shop", cursor="seen", overlap=overlap)
        others = [arrival.batch for arrival in query.arrivals(places(url, DAYS))]
        assert [arrival.batch for arrival in query.arrivals(known) if arrival.batch not in others] == listed
        if listed:
            opened = query.open("2026-01-02", known)
            assert (opened.rows.read_all().num_rows, "id" in opened.columns.names) == (0, True)
        with pytest.raises(BatchNotLandedError):
            query.open("2026-01-02", places(url, DAYS) if listed else known)


def test_the_whole_result_is_a_version_that_its_rows_tell_from_others(database: tuple[str, Execute]) -> None:
    url, execute = database
    orders(execute)
    query, where = SqlQuery("SELECT id, name FROM orders -- of all", connection="shop"), places(url, Versions())
    query.check(Versions())
    (first,) = query.arrivals(where)
    (again,) = SqlQuery("SELECT id, name FROM orders ORDER BY id DESC", connection="shop").arrivals(where)
    assert first.fingerprint == again.fingerprint
    assert Versions().in_force_from(first.batch) <= datetime.now(UTC)
    batch = query.open(first.batch, where)
    assert batch.origins[0].fingerprint == first.fingerprint
    assert batch.rows.read_all().num_rows == 4
    execute("UPDATE orders SET name = 'c' WHERE id = 1")
    (changed,) = query.arrivals(where)
    assert changed.fingerprint != first.fingerprint


def test_an_empty_result_is_a_version_without_rows(database: tuple[str, Execute]) -> None:
    url, execute = database
    orders(execute)
    batch = SqlQuery("SELECT id FROM orders WHERE id > 99", connection="shop").open("v", places(url, Versions()))
    assert batch.columns.names == ["id"]
    assert batch.rows.read_all().num_rows == 0


def test_nothing_is_written(database: tuple[str, Execute]) -> None:
    url, execute = database
    orders(execute)
    with pytest.raises(DeclarationError, match="SELECT"):
        SqlQuery("DELETE FROM orders", connection="shop")
    sneaky = SqlQuery("WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone", connection="shop")
    with pytest.raises(LandingError):
        sneaky.open("v", places(url, Versions()))
    assert (
        SqlQuery("SELECT * FROM orders", connection="shop").open("v", places(url, Versions())).rows.read_all().num_rows
    )


@pytest.mark.parametrize("query", ["SELECT * FROM nothing", "SELECT 1 AS a, 2 AS a", "SELECT 1 AS _row"])
def test_a_query_that_fails_is_named_by_its_connection(database: tuple[str, Execute], query: str) -> None:
    url, execute = database
    orders(execute)
    with pytest.raises(LandingError, match="shop"):
        SqlQuery(query, connection="shop").open("v", places(url, Versions()))


def test_no_password_is_told() -> None:
    url = "postgresql://me:hid%64en@127.0.0.1:1/shop"
    with pytest.raises(LandingError) as refused:
        SqlQuery("SELECT 1", connection="shop").open("v", places(url, Versions()))
    assert "hid%64en" not in str(refused.value)
    assert "hidden" not in str(refused.value)
    with pytest.raises(DeclarationError, match="oracle"):
        SqlQuery("SELECT 1", connection="shop").open("v", places("oracle://x", Versions()))
    with pytest.raises(LandingError, match="no database"):
        SqlQuery("SELECT 1", connection="shop").open("v", places("sqlite:////nowhere.db", Versions()))


def test_batches_and_cursor_must_fit() -> None:
    plain, by_time = SqlQuery("SELECT 1", connection="x"), SqlQuery("SELECT 1", connection="x", cursor="seen")
    with pytest.raises(DeclarationError, match="needs a cursor"):
        plain.check(DAYS)
    with pytest.raises(DeclarationError, match="no meaning"):
        by_time.check(Versions())
    with pytest.raises(DeclarationError, match="Function"):
        by_time.check(StaticBatches(keys=("a",)))


def test_values_of_sqlite_that_do_not_fit_one_type_become_text(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE t (a INTEGER, b, c REAL, d BLOB, e)")
        connection.execute("INSERT INTO t VALUES (1, 9007199254740993, 1, x'ff', NULL), ('x', 1.5, 2.5, x'01', NULL)")
    connection.close()
    batch = SqlQuery("SELECT * FROM t", connection="shop").open("v", places(f"sqlite:///{tmp_path}/x.db", Versions()))
    assert batch.columns.types == [pa.string(), pa.string(), pa.float64(), pa.binary(), pa.null()]
    found = batch.rows.read_all().to_pylist()
    assert [(row["a"], row["b"], row["c"]) for row in found] == [("1", "9007199254740993", 1.0), ("x", "1.5", 2.5)]


def test_cursors_of_sqlite_are_text_or_seconds_and_others_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE t (seen)")
        connection.execute("INSERT INTO t VALUES ('2026-01-01T23:30:00-02:00'), (1767312000), (1767312000.5)")
    query, where = SqlQuery("SELECT * FROM t", connection="shop", cursor="seen"), places(f"sqlite:///{file}", DAYS)
    assert [arrival.batch for arrival in query.arrivals(where)] == ["2026-01-02"]
    assert query.open("2026-01-02", where).rows.read_all().num_rows == 3
    with connection:
        connection.execute("INSERT INTO t VALUES ('31.01.2026')")
    connection.close()
    with pytest.raises(LandingError, match="not times"):
        list(query.arrivals(where))


def test_types_of_postgres_that_arrow_lacks_arrive_as_text() -> None:
    url = new_postgres_database()
    query = """SELECT 1.50::numeric AS n, '{"a": 1}'::jsonb AS j, '1 day'::interval AS i, ARRAY[1, 2] AS l,
        '7b5a0c1e-0000-4000-8000-000000000001'::uuid AS u, '10.0.0.1'::inet AS ip, '2026-01-01 12:00+02'::timestamptz
        AS t,
        'x'::bytea AS b, '12:30'::time AS tm, '(1,2)'::point AS p"""
    batch = SqlQuery(query, connection="shop").open("v", places(url, Versions()))
    (row,) = batch.rows.read_all().to_pylist()
    assert (row["n"], row["j"], row["l"], row["b"], row["p"]) == ("1.50", '{"a": 1}', [1, 2], b"x", "(1,2)")
    assert (row["u"], row["ip"]) == ("7b5a0c1e-0000-4000-8000-000000000001", "10.0.0.1/32")
    assert row["t"] == datetime(2026, 1, 1, 10, tzinfo=UTC)
