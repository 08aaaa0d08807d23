"""What Pandera itself says of an Arrow table, row for row, through its public interface alone.

On Arrow, Pandera's report has no row numbers. Rules of rows are therefore asked one row at a time, and uniqueness by
the values that the report on the whole table names.
"""

import warnings
from collections import defaultdict
from typing import Any

import duckdb
import pandera.pyarrow as pa
import pyarrow as arrow
from pandera.errors import SchemaErrors

from readiness_pipelines.gates import DuckDbEngine, Gate
from readiness_pipelines.gates.schema.tests import Checked, NotNull, Unique

Key = tuple[str | None, str | int]
"""A column (None for the frame), and the number of one of its checks, ``not_nullable`` or ``unique``."""

Failures = dict[Key, set[int]]
"""The rows that fail, by key; all rows where the whole batch fails."""

_REASONS = {"SERIES_CONTAINS_NULLS": "not_nullable", "SERIES_CONTAINS_DUPLICATES": "unique", "DUPLICATES": "unique"}


def pandera_failures(
    schema: pa.DataFrameSchema, table: arrow.Table, *, of_batch: frozenset[Key] = frozenset()
) -> Failures:
    """Which rows of a table break which rule, as Pandera says.

    Args:
        schema: The schema; its types fit the table.
        table: The table.
        of_batch: Checks that answer once for the whole table.
    """
    failures: Failures = defaultdict(set)
    for row in range(table.num_rows):
        for key, _ in _errors(schema, table.slice(row, 1)):
            if key not in of_batch:
                failures[key].add(row)
    for key, cases in _errors(schema, table):
        if key in of_batch:
            failures[key] = set(range(table.num_rows))
        elif key[1] == "unique":
            failures[key] = _rows_with(table, cases)
    return dict(failures)


def gate_failures(gate: Gate, table: arrow.Table) -> Failures:
    """The same, as the gate says: it judges the table's own types."""
    connection = duckdb.connect()
    try:
        rows = table
        for name, kind in (("_batch", arrow.string()), ("_file", arrow.string())):
            rows = rows.append_column(name, arrow.array(["x"] * table.num_rows, kind))
        rows = rows.append_column("_row", arrow.array(range(table.num_rows), arrow.int64()))
        for name in ("_unreadable", "_unreadable_reason"):
            rows = rows.append_column(name, arrow.nulls(table.num_rows, arrow.string()))
        verdict = gate.judge(connection.from_arrow(rows), DuckDbEngine(connection))
        waiting = verdict.quarantined.to_arrow_table().to_pylist()
    finally:
        connection.close()
    keys = _keys(gate)
    failures: Failures = defaultdict(set)
    for row in waiting:
        for error in row["_errors"]:
            failures[keys[error["rule"]]].add(row["_row"])
    for count in verdict.rules:
        if count.detail and count.broken_rows:
            failures[keys.get(count.rule.name, (None, count.rule.name))] = set(range(table.num_rows))
    return dict(failures)


def _keys(gate: Gate) -> dict[str, Key]:
    keys: dict[str, Key] = {}
    numbers: dict[str | None, int] = defaultdict(int)
    for test in gate.tests:
        match test:
            case NotNull(spec=spec):
                keys[test.rule.name] = (spec.name, "not_nullable")
            case Unique(spec=spec):
                keys[test.rule.name] = (spec.name if spec else None, "unique")
            case Checked(spec=spec):
                column = spec.name if spec else None
                keys[test.rule.name] = (column, numbers[column])
                numbers[column] += 1
            case _:
                keys[test.rule.name] = (None, test.rule.name)
    return keys


def _errors(schema: pa.DataFrameSchema, table: arrow.Table) -> list[tuple[Key, Any]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schema.validate(table, lazy=True)
    except SchemaErrors as errors:
        return [(_key(error), error.failure_cases) for error in errors.schema_errors]
    return []


def _key(error: Any) -> Key:
    column = error.schema.name if isinstance(error.schema, pa.Column) else None
    reason = error.reason_code.name
    assert reason != "CHECK_ERROR", f"Pandera cannot run it: {error}"
    return (column, _REASONS[reason]) if reason in _REASONS else (column, error.check_index)


def _rows_with(table: arrow.Table, cases: Any) -> set[int]:
    """The rows whose values are among the cases; null and NaN equal themselves."""
    values = {tuple(map(_comparable, row.values())) for row in cases.to_pylist()}
    rows = table.select(cases.column_names).to_pylist()
    return {number for number, row in enumerate(rows) if tuple(map(_comparable, row.values())) in values}


def _comparable(value: Any) -> Any:
    return "nan" if value != value else value  # noqa: PLR0124  # NaN differs from itself
