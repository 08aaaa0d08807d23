"""Python values as Arrow columns: one type where all values of a column have it, else text."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from readiness_pipelines.sources.json_values import storable, value_text

_KINDS: dict[type, pa.DataType | None] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    bytes: pa.binary(),
    date: pa.date32(),
    time: pa.time64("us"),
    timedelta: pa.duration("us"),
    Decimal: None,
}


def records_to_table(records: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Records as a table; its columns are their keys, in the order they first appear."""
    names = list(dict.fromkeys(str(name) for record in records for name in record))
    keyed = [{str(name): value for name, value in record.items()} for record in records]
    return values_to_table(names, ([record.get(name) for record in keyed] for name in names))


def values_to_table(names: Sequence[str], columns: Iterable[Sequence[Any]]) -> pa.Table:
    """Columns of Python values as a table."""
    return pa.table([_column(values) for values in columns], names=list(names))


def _column(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pa.nulls(len(values))
    if len(kinds) == 1:
        (kind,) = kinds
        try:
            if issubclass(kind, str):
                return pa.array([None if value is None else storable(str(value)) for value in values], pa.string())
            if kind is datetime:
                return _timestamps(values)
            if kind in _KINDS:
                return pa.array(values, _KINDS[kind])
        except (pa.ArrowException, OverflowError, ValueError, TypeError):
            pass
    return pa.array([_text(value) for value in values], pa.string())


def _timestamps(values: Sequence[datetime | None]) -> pa.Array:
    zoned = {value.tzinfo is not None for value in values if value is not None}
    if zoned == {True}:
        return pa.array([value and value.astimezone(UTC) for value in values], pa.timestamp("us", "UTC"))
    if zoned == {False}:
        return pa.array(values, pa.timestamp("us"))
    raise ValueError("some have a zone and some have none")


def _text(value: Any) -> str | None:
    """A value as a typed column of its kind is written as text."""
    match value:
        case None | str() | dict() | list() | tuple():
            return value_text(value)
        case int() | Decimal() if not isinstance(value, bool):
            return str(value)
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return f"\\x{value.hex()}"
        case datetime() if value.tzinfo is not None:
            value = value.astimezone(UTC)
        case timedelta():
            return f"{value // timedelta(microseconds=1)} us"
    try:
        return str(pa.scalar(value).cast(pa.string()).as_py())
    except (pa.ArrowException, TypeError, ValueError):
        return storable(str(value))
