"""Batches from literals."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

import pyarrow as pa

_FRAMEWORK: tuple[tuple[str, pa.DataType], ...] = (
    ("_batch", pa.string()),
    ("_row", pa.int64()),
    ("_file", pa.string()),
    ("_unreadable", pa.string()),
    ("_unreadable_reason", pa.string()),
)


def batch(*rows: Mapping[str, Any], types: Mapping[str, pa.DataType] | None = None) -> pa.Table:
    """Rows as ingestion would give them to a gate.

    Args:
        rows: Column names to values: text, as from CSV, or typed, as from Parquet. A name that a row lacks is null. A
            column that has both is text.
            ``_unreadable`` and ``_unreadable_reason`` make a row that the reader could not parse.
        types: Arrow types of columns that should not be inferred, or of which there are no rows.

    Returns:
        The columns, plus ``_batch``, ``_row`` (counted from 0), ``_file``, ``_unreadable`` and ``_unreadable_reason``.
    """
    wanted = dict(types or {})
    framework = {name for name, _ in _FRAMEWORK}
    names = dict.fromkeys([*(name for row in rows for name in row if name not in framework), *wanted])
    columns: dict[str, pa.Array] = {}
    for name in names:
        values = [row.get(name) for row in rows]
        array = pa.array(values if name in wanted else _of_one_kind(values), wanted.get(name))
        columns[name] = array.cast(pa.string()) if pa.types.is_null(array.type) else array
    given = {"_batch": "batch", "_file": "literals"}
    for name, kind in _FRAMEWORK:
        values = [index if name == "_row" else row.get(name, given.get(name)) for index, row in enumerate(rows)]
        columns[name] = pa.array(values, kind)
    return pa.table(columns)


def _of_one_kind(values: list[Any]) -> list[Any]:
    kinds = {isinstance(value, str) for value in values if value is not None}
    return values if len(kinds) < 2 else [_as_text(value) for value in values]  # noqa: PLR2004  # text and other


def _as_text(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)
