"""Column lineage of queries: what hand-written labels say, and what changed samples show."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from readiness_pipelines.lineage import ANY_COLUMN, ColumnLineage, QueryInput, observe_changes, query_lineage
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.lineage.labelled import LABELLED, TABLES, Labelled

SHORT = {"o": "orders", "r": "rates", "c": "customers"}
INPUTS = {name: QueryInput(table=TableId("in", name), columns=rows.column_names) for name, rows in TABLES.items()}
Part = tuple[str, str, str]


def relation_of(one: Labelled, engine: duckdb.DuckDBPyConnection) -> Any:
    return engine.sql(one.query) if isinstance(one.query, str) else one.query(*map(engine.table, TABLES))


class Results:
    """The results of all labelled queries, computed again where one input is another."""

    def __init__(self, engine: duckdb.DuckDBPyConnection) -> None:
        self.engine = engine
        self.loaded: dict[str, pa.Table] = {}
        self.results: dict[str, pa.Table] = {}

    def __call__(self, tables: Mapping[str, pa.Table]) -> Mapping[str, pa.ChunkedArray]:
        changed = [name for name, rows in tables.items() if self.loaded.get(name) is not rows]
        for name in changed:
            self.engine.execute(f"DROP TABLE IF EXISTS {name}")
            self.engine.from_arrow(tables[name]).create(name)
            self.loaded[name] = tables[name]
        for one in LABELLED:
            if not isinstance(one.query, str) or any(name in one.query.lower() for name in changed):
                self.results.pop(one.name, None)
                with suppress(duckdb.Error):  # a pivot of other values has other columns
                    self.results[one.name] = relation_of(one, self.engine).to_arrow_table()
        return {
            f"{query}/{name}": rows.column(name) for query, rows in self.results.items() for name in rows.column_names
        }


@cache
def lineage_of(name: str) -> ColumnLineage:
    one = next(one for one in LABELLED if one.name == name)
    with duckdb.connect() as engine:
        for table, rows in TABLES.items():
            engine.from_arrow(rows).create(table)
        made = relation_of(one, engine)
        return query_lineage(one.query if isinstance(one.query, str) else made.sql_query(), INPUTS, made.columns)


def columns(text: str) -> set[str]:
    return {f"{SHORT[one[0]]}{one[1:]}" for one in text.split()}


def labels(one: Labelled) -> set[Part]:
    """(column, "made" or "decided", input column), and the rows under the column ``*``."""
    made = {(out, "made", column) for out, text in one.made.items() for column in columns(text)}
    decided = {(out, "decided", column) for out, text in one.decided.items() for column in columns(text)}
    return made | decided | {("*", "decided", column) for column in columns(one.rows)}


def found(lineage: ColumnLineage) -> set[Part]:
    parts = {
        (out, "made" if each.how.direct else "decided", f"{each.table.name}.{each.column}")
        for out, made in lineage.columns.items()
        for each in made
    }
    return parts | {("*", "decided", f"{each.table.name}.{each.column}") for each in lineage.rows}


def test_at_least_98_percent_of_what_is_found_is_labelled_and_of_what_is_labelled_is_found() -> None:
    right = wrong = missed = 0
    differences = []
    for one in LABELLED:
        want, have = labels(one), found(lineage_of(one.name))
        right, wrong, missed = right + len(want & have), wrong + len(have - want), missed + len(want - have)
        if want != have:
            differences.append((one.name, sorted(have - want), sorted(want - have)))
        assert set(lineage_of(one.name).columns) == set(one.made), one.name
    assert right / (right + wrong) >= 0.98, differences
    assert right / (right + missed) >= 0.98, differences


def test_what_changes_with_a_column_depends_on_it_and_what_is_made_of_it_changes() -> None:
    with duckdb.connect(config={"threads": 1}) as engine:
        seen = observe_changes(Results(engine), TABLES)
    assert not seen.unstable
    for (table, column), outputs in seen.changes.items():
        for output in outputs:
            query, _, name = output.rpartition("/")
            known = {(each.table.name, each.column) for each in lineage_of(query).of(name)}
            assert (table, column) in known, f"{output} changed with {table}.{column}"
    for one in LABELLED:
        for name, made in lineage_of(one.name).columns.items():
            for each in made:
                witnessed = f"{one.name}/{name}" in seen.changes[each.table.name, each.column]
                assert witnessed or not each.how.direct, f"{name} of {one.name} did not change with {each.column}"


@pytest.mark.parametrize(
    ("sql", "names", "column"),
    [
        ("SELECT id FROM nowhere", ["id"], "id"),
        ("SELECT id, amont FROM orders", ["id", "amont"], "amont"),
        ("SELECT COLUMNS(c -> c LIKE 'a%') FROM orders", ["amount"], "amount"),
        ("SELECT * FROM read_parquet('orders.parquet')", ["id"], "id"),
        ("SELECT FROM WHERE", ["id"], "id"),
        ("SELECT id AS number FROM orders", ["id"], "id"),
    ],
)
def test_what_a_query_does_not_say_is_any_column_of_its_inputs_with_the_reason(
    sql: str, names: list[str], column: str
) -> None:
    lineage = query_lineage(sql, INPUTS, names)
    assert {(each.table.name, each.column) for each in lineage.columns[column]} >= {("orders", ANY_COLUMN)}
    assert lineage.unresolved
