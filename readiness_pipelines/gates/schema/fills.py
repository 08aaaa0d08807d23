"""Cleansing that would lose something, refused when the gate is built: what fills a missing value, formats of dates."""

from datetime import date, datetime
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts.cleansing import Dates, FillMissing, FlagMissing, RejectMissing
from readiness_pipelines.engines.cleansing import value_literal
from readiness_pipelines.engines.conversion import as_type
from readiness_pipelines.errors import GateBuildError, first_line
from readiness_pipelines.gates.schema.columns import ColumnSpec, SchemaSpec
from readiness_pipelines.sql import duckdb_type, literal, probe_connection


def refuse_lossy_cleansing(spec: SchemaSpec) -> None:
    """Refuse what a column's cleansing cannot mean.

    That is a default, or a `FillMissing`, that its type does not hold as it is; one that other steps would have to see;
    formats of dates that are none; and a time of day that is read and not written.

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
        _check_order(column, filled=bool(fills))
        for step in column.steps:
            if isinstance(step, Dates):
                _check_formats(column, step)
                _check_canonical(column, step)


def _check_order(column: ColumnSpec, *, filled: bool) -> None:
    """Refuse steps that would have to see what is filled in: that happens last, to the converted value."""
    if filled and any(isinstance(step, RejectMissing) for step in column.steps):
        raise GateBuildError(
            f"the column {column.name!r} is filled where it has no value, and RejectMissing would never find one",
            way_out="drop one of them: what is filled in is not missing any more",
        )
    place = next((place for place, step in enumerate(column.steps) if isinstance(step, FillMissing)), None)
    after = [] if place is None else column.steps[place + 1 :]
    if late := next((step for step in after if not isinstance(step, FillMissing | FlagMissing)), None):
        raise GateBuildError(
            f"the column {column.name!r} has {type(late).__name__} after FillMissing, which fills the converted value",
            way_out="write FillMissing last, with the value as it shall be published",
        )


def _check_formats(column: ColumnSpec, step: Dates) -> None:
    for given in (*step.formats, step.canonical):
        try:
            probe_connection().execute(f"SELECT strftime(TIMESTAMP '2024-02-29', {literal(given)})")
        except duckdb.Error as error:
            raise GateBuildError(
                f"the column {column.name!r} has dates in the format {given!r}: {first_line(error)}",
                way_out="write it in the notation of strftime: %d.%m.%Y",
            ) from error


_NIGHT = "2024-02-29 00:00:00"
_LATER = ("2024-02-29 13:00:00", "2024-02-29 00:14:00", "2024-02-29 00:00:15", "2024-02-29 00:00:00.161718")
"""Times that differ from `_NIGHT` in one part alone."""


def _check_canonical(column: ColumnSpec, step: Dates) -> None:
    """Refuse a format with a time of day that `canonical` does not write; a column of dates has none."""
    if column.type is not None and pa.types.is_date(column.type):
        return
    for given in step.formats:
        for later in _LATER:
            if _tells_apart(given, later) and not _tells_apart(step.canonical, later):
                raise GateBuildError(
                    f"the column {column.name!r} has dates in the format {given!r}, of whose time of day "
                    f"canonical={step.canonical!r} does not write all",
                    way_out='give canonical="%Y-%m-%d %H:%M:%S", with .%f where there are fractions of a second',
                )


def _tells_apart(written: str, later: str) -> bool:
    first, second = (f"strftime(TIMESTAMP {literal(at)}, {literal(written)})" for at in (_NIGHT, later))
    ((differ,),) = probe_connection().execute(f"SELECT {first} <> {second}").fetchall()
    return bool(differ)


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
