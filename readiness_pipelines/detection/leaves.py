"""The values of a table's columns as texts, also those that lie within records and lists; bounded."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

MOST_CHARACTERS = 4_000
"""So much of a value is looked at."""

_DEEPEST = 6
_NO_VALUE = frozenset({"", "?", "-", "--", ".", "n/a", "na", "null", "none", "nan", "nil", "\\n", "k.a.", "unknown"})


class LeafType(StrEnum):
    """What the values of a leaf are: texts, numbers, times, or neither (flags, bytes that are no text)."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A column, or something within one.

    Attributes:
        column: The column.
        path: Where in it the values are: ``contact.email``; the column's name for the column itself.
        name: The last part of it: ``email``.
        type: What the values are.
        texts: The different values that are there, as texts, with how often each is.
    """

    column: str
    path: str
    name: str
    type: LeafType
    texts: Mapping[str, int]

    @property
    def filled(self) -> int:
        """How many values are there."""
        return sum(self.texts.values())


def leaves_of(rows: pa.Table) -> tuple[Leaf, ...]:
    """All leaves of a table's columns, in order."""
    return tuple(
        leaf for field in rows.schema for leaf in _leaves((field.name,), rows.column(field.name).combine_chunks())
    )


def _leaves(path: tuple[str, ...], values: Any) -> Iterator[Leaf]:
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        yield from _leaves(path, array.storage)
    elif pa.types.is_dictionary(kind):
        yield from _leaves(path, array.dictionary_decode())
    elif len(path) <= _DEEPEST and pa.types.is_struct(kind):
        for place, field in enumerate(kind):
            yield from _leaves((*path, field.name), pc.struct_field(array, [place]))
    elif len(path) <= _DEEPEST and pa.types.is_map(kind):
        yield from _leaves((*path, "key"), array.keys)
        yield from _leaves((*path, "value"), array.items)
    elif len(path) <= _DEEPEST and _is_list(kind):
        yield from _leaves(path, array.flatten())
    else:
        kind, texts = _texts(array)
        yield Leaf(column=path[0], path=".".join(path), name=path[-1], type=kind, texts=texts)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _texts(array: Any) -> tuple[LeafType, Mapping[str, int]]:
    kind = array.type
    if pa.types.is_null(kind):
        return LeafType.TEXT, {}
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _decoded(array)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        return LeafType.TEXT, _counted(array.cast(pa.large_string()), str)
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        array = array.cast(pa.decimal128(kind.precision, kind.scale))
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return LeafType.NUMBER, _counted(array, _written)
    if pa.types.is_date(kind):
        return LeafType.TIME, _counted(array.cast(pa.string()), str)
    if pa.types.is_timestamp(kind):
        days = pc.strftime(array.cast(pa.timestamp("s", kind.tz), safe=False), format="%Y-%m-%d")
        return LeafType.TIME, _counted(days, str)
    return LeafType.OTHER, {}


def _decoded(array: Any) -> tuple[LeafType, Mapping[str, int]]:
    """Bytes as text, where they are UTF-8."""
    try:
        return LeafType.TEXT, _counted(array, lambda value: value[: 4 * MOST_CHARACTERS].decode())
    except UnicodeDecodeError:
        return LeafType.OTHER, {}


def _written(value: Any) -> str:
    """A number as it would be written; whole ones without a point."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  # NaN
        return ""
    return str(int(value)) if value == int(value) else str(value)


def _counted(array: Any, written: Callable[[Any], str]) -> Mapping[str, int]:
    """How often each text occurs; each different value is written once."""
    counted = pc.value_counts(array.drop_null())
    counts: Counter[str] = Counter()
    for value, count in zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True):
        counts[written(value)[:MOST_CHARACTERS].strip()] += count
    return {text: count for text, count in counts.items() if text.lower() not in _NO_VALUE}
