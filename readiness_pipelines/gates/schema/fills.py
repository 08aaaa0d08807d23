"""Cleansing that would lose something, refused when the gate is built: what fills a missing value, formats of dates."""

from datetime import date, datetime
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts.cleansing import Dates, FillMissing
from readiness_pipelines.engines.cleansing import value_literal
from readiness_pipelines.engines.conversion import as_type
from readiness_pipelines.errors import GateBuildError, first_line
from readiness_pipelines.gates.schema.columns import ColumnSpec, SchemaSpec
from readiness_pipelines.sql import duckdb_type, literal, probe_connection


def refuse_lossy_cleansing(spec: SchemaSpec) -> None:
    """Refuse a default, or a `FillMissing`, that its column's type does not hold as it is, and formats that are none.

    Raises:
        GateBuildError: Names the column, and the value or the format.
    """
    for column in spec.columns:
        fills = [step.value for step in column.steps if isinstance(step, FillMissing)]
        fills += [column.default] if column.default is not None else []
        for value in fills:
            if column.type is not None and not _holds(column.type, value):
                raise GateBuildError(
                    f"the column {column.name!r} would be filled with {value!r}, which is not a value of {column.type}",
                    way_out=f"give a value that {column.type} holds without loss",
                )
        for step in column.steps:
            if isinstance(step, Dates):
                _check_formats(column, step)


def _check_formats(column: ColumnSpec, step: Dates) -> None:
    for given in (*step.formats, step.canonical):
        try:
            probe_connection().execute(f"SELECT strftime(TIMESTAMP '2024-02-29', {literal(given)})")
        except duckdb.Error as error:
            raise GateBuildError(
                f"the column {column.name!r} has dates in the format {given!r}: {first_line(error)}",
                way_out="write it in the notation of strftime: %d.%m.%Y",
            ) from error


def _holds(kind: pa.DataType, value: Any) -> bool:
    """Whether a column of a type would have exactly the value."""
    if pa.types.is_nested(kind):
        return _same_list(kind, value)
    if isinstance(value, str) or pa.types.is_string(kind):
        return isinstance(value, str) and (pa.types.is_string(kind) or _converts(kind, value, "VARCHAR"))
    if isinstance(value, bool) or pa.types.is_boolean(kind):
        return bool(isinstance(value, bool) and pa.types.is_boolean(kind))
    if isinstance(value, datetime) and pa.types.is_timestamp(kind):
        return (value.tzinfo is None) == (kind.tz is None) and _converts(kind, value, _arrives_as(value))
    return _converts(kind, value, _arrives_as(value))


def _arrives_as(value: Any) -> str:
    """DuckDB's type of a Python value, as `value_literal` writes it."""
    match value:
        case int() if -(2**63) <= value < 2**63:
            return "BIGINT"
        case int():
            return "HUGEINT"
        case float():
            return "DOUBLE"
        case datetime():
            return "TIMESTAMP WITH TIME ZONE" if value.tzinfo else "TIMESTAMP"
        case date():
            return "DATE"
        case _:  # decimals and times of day are written as text, and read as such
            return "VARCHAR"


def _converts(kind: pa.DataType, value: Any, arrived: str) -> bool:
    given = f"CAST({value_literal(value)} AS {arrived})"
    try:
        ((holds,),) = (
            probe_connection()
            .sql(f"SELECT {as_type(given, arrived=arrived, wanted=duckdb_type(kind))} IS NOT NULL")
            .fetchall()
        )
    except duckdb.Error:  # of types that do not convert at all
        return False
    return bool(holds)


def _same_list(kind: pa.DataType, value: Any) -> bool:
    try:
        ((held,),) = probe_connection().sql(f"SELECT CAST({value_literal(value)} AS {duckdb_type(kind)})").fetchall()
    except duckdb.Error:
        return False
    return bool(held == value)
