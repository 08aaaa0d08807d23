"""Digests: the same for the same rows, whatever their order and files; another for any other rows."""

from collections.abc import Mapping

import duckdb
import pytest

from readiness_pipelines.lakehouse.digests import METHOD, RowsDigest, digest_by_batch


def digest(connection: duckdb.DuckDBPyConnection, query: str) -> Mapping[str, object]:
    return digest_by_batch(connection, f"(SELECT 'b' AS _batch, * FROM ({query}))")


SAME = {
    "order": ("SELECT unnest([1, 2, 3]) AS a", "SELECT unnest([3, 1, 2]) AS a"),
    "columns' order": ("SELECT 1 AS a, 2 AS b", "SELECT 2 AS b, 1 AS a"),
    "a column that joined later": ("SELECT 1 AS a", "SELECT 1 AS a, NULL::VARCHAR AS b"),
    "a wider integer": ("SELECT 1::INT AS a", "SELECT 1::BIGINT AS a"),
    "a wider number": ("SELECT 0.1::FLOAT AS a", "SELECT 0.1::FLOAT::DOUBLE AS a"),
    "negative zero": ("SELECT 0.0::DOUBLE AS a", "SELECT '-0.0'::DOUBLE AS a"),
    "nan": ("SELECT 'nan'::DOUBLE AS a", "SELECT '-nan'::DOUBLE AS a"),
    "the moment it was done": ("SELECT 1 AS _quarantined_at", "SELECT 2 AS _quarantined_at"),
    "nested zero": ("SELECT [{'x': 0.0::DOUBLE}] AS a", "SELECT [{'x': '-0.0'::DOUBLE}] AS a"),
}
OTHER = {
    "a value": ("SELECT 1 AS a", "SELECT 2 AS a"),
    "a null and empty text": ("SELECT '' AS a", "SELECT NULL::VARCHAR AS a"),
    "a null and its name": ("SELECT 'NULL' AS a", "SELECT NULL::VARCHAR AS a"),
    "swapped columns": ("SELECT 1 AS a, 2 AS b", "SELECT 2 AS a, 1 AS b"),
    "moved borders": ("SELECT 'x' AS a, 'yz' AS b", "SELECT 'xy' AS a, 'z' AS b"),
    "a row twice": ("SELECT 1 AS a", "SELECT unnest([1, 1]) AS a"),
    "swapped values of two rows": (
        "SELECT * FROM (VALUES (1, 'x'), (2, 'y'))",
        "SELECT * FROM (VALUES (1, 'y'), (2, 'x'))",
    ),
    "the place of a row": ("SELECT 1 AS _row", "SELECT 2 AS _row"),
    "list order": ("SELECT [1, 2] AS a", "SELECT [2, 1] AS a"),
    "list borders": ("SELECT ['a,b'] AS a", "SELECT ['a', 'b'] AS a"),
    "an empty and no list": ("SELECT []::INT[] AS a", "SELECT NULL::INT[] AS a"),
    "a null in a list": ("SELECT [NULL]::VARCHAR[] AS a", "SELECT ['n'] AS a"),
    "a field": ("SELECT {'x': 1, 'y': 2} AS a", "SELECT {'x': 1, 'y': 3} AS a"),
    "a struct of nulls and none": ("SELECT {'x': NULL::INT} AS a", "SELECT NULL::STRUCT(x INT) AS a"),
    "a map": ("SELECT MAP {'k': 1} AS a", "SELECT MAP {'k': 2} AS a"),
    "a moment": ("SELECT TIMESTAMPTZ '2026-01-01 00:00:00Z' AS a", "SELECT TIMESTAMPTZ '2026-01-01 00:00:01Z' AS a"),
    "bytes": (r"SELECT '\xFF'::BLOB AS a", r"SELECT '\xFE'::BLOB AS a"),
}


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_the_same_rows_have_the_same_digest(pair: tuple[str, str], connection: duckdb.DuckDBPyConnection) -> None:
    assert digest(connection, pair[0]) == digest(connection, pair[1])


@pytest.mark.parametrize("pair", OTHER.values(), ids=OTHER)
def test_other_rows_have_another_digest(pair: tuple[str, str], connection: duckdb.DuckDBPyConnection) -> None:
    assert digest(connection, pair[0]) != digest(connection, pair[1])


def test_a_digest_does_not_depend_on_the_hosts_time_zone(connection: duckdb.DuckDBPyConnection) -> None:
    moment = "SELECT TIMESTAMPTZ '2026-01-01 00:00:00Z' AS a"
    connection.execute("SET TimeZone = 'Asia/Tokyo'")
    there = digest(connection, moment)
    connection.execute("SET TimeZone = 'America/New_York'")
    assert digest(connection, moment) == there


def test_the_way_of_hashing_is_the_one_that_digests_name() -> None:
    """Where an upgrade of DuckDB fails here, raise `METHOD`: what was recorded before is then not compared."""
    found = digest(duckdb.connect(), "SELECT 1 AS a, 'x' AS b, 0.5::DOUBLE AS c, DATE '2026-11-01' AS d, [1] AS e")
    assert found == {"b": RowsDigest(rows=1, digest="0000000000000000a1cc60289cb9977c")}
    assert METHOD == "duckdb3"
