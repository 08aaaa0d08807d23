"""Where a raw table keeps columns whose type changes from batch to batch: no type is ever refused.

A column that the table can hold as it is, or after one of Iceberg's promotions, keeps its name. Any other type goes
into a column beside it: integers that arrive where the table has text go to ``fare__as_int64``.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from readiness_pipelines.lakehouse.types import storage_type
from readiness_pipelines.sql import duckdb_type, identifier

_BESIDE = "__as_"
_MOST_CHARACTERS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedColumn:
    """A column that arrived, and where it is stored.

    Attributes:
        name: Its name as it arrived.
        type: Its type as it arrived.
        stored: The name of the table's column that holds it.
        stored_type: The type of that column once the batch is committed.
    """

    name: str
    type: pa.DataType
    stored: str
    stored_type: pa.DataType

    @property
    def field(self) -> pa.Field:
        """The column as the table has it."""
        return pa.field(self.stored, self.stored_type)


def stored_columns(arrived: pa.Schema, table: pa.Schema | None) -> tuple[PlacedColumn, ...]:
    """Where each column of a batch is stored.

    Args:
        arrived: The columns as they arrive; no two names differ in letter case only.
        table: The table's columns as they are; ``None`` where there is no table yet.

    Returns:
        One for each column, in order; no two have the same place.

    Raises:
        LakehouseError: A type that Iceberg cannot hold at all; names the column.
    """
    known = {field.name.lower(): field for field in table or ()}
    # A name that arrives is that column's own place, whatever else would like to be stored there.
    taken = {name.lower() for name in arrived.names}
    found = []
    for field in arrived:
        kind = storage_type(field.type, column=field.name)
        place = _place(field.name, field.type, kind, known, taken)
        taken.add(place.name.lower())
        found.append(PlacedColumn(name=field.name, type=field.type, stored=place.name, stored_type=place.type))
    return tuple(found)


def as_they_are(columns: Sequence[PlacedColumn]) -> bool:
    """Whether Arrow can write the columns: in the types that they arrived in, and none of them nested or floating."""
    return all(one.type == one.stored_type and not _by_duckdb(one.type) for one in columns)


def _by_duckdb(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_floating(kind))


def to_stored(columns: Sequence[PlacedColumn]) -> str:
    """The SELECT list that turns columns as they arrived into those of the table."""
    return ", ".join(_selected(column.name, column.stored, column.stored_type) for column in columns)


def as_arrived(columns: Iterable[tuple[str, str, pa.DataType | None]]) -> str:
    """The SELECT list that turns columns of the table back into those that arrived.

    Args:
        columns: For each: the table's column, its name as it arrived, and the type it arrived in; ``None`` for a type
            that cannot have been widened.
    """
    return ", ".join(
        f"{identifier(stored)} AS {identifier(name)}" if kind is None else _selected(stored, name, kind)
        for stored, name, kind in columns
    )


def arrived_name(stored: str, others: Collection[str]) -> str:
    """The name with which a column arrived that is stored as `stored`.

    Args:
        stored: The column of a batch's rows in the table.
        others: All columns of the batch's rows.
    """
    name, beside, _ = stored.rpartition(_BESIDE)
    return name if beside and name and name not in others else stored


def promoted(stored: pa.DataType, arrived: pa.DataType) -> pa.DataType | None:
    """The type that holds the values of a table's column and of those that arrive, by Iceberg's rules.

    Args:
        stored: The table's column.
        arrived: What arrives, as `storage_type` gives it.

    Returns:
        ``None`` where there is no such type, so that one of them would have to be refused.
    """
    if stored == arrived:
        return stored
    if pa.types.is_integer(stored) and pa.types.is_integer(arrived):
        return max(stored, arrived, key=lambda kind: kind.bit_width)
    if pa.types.is_floating(stored) and pa.types.is_floating(arrived):
        return max(stored, arrived, key=lambda kind: kind.bit_width)
    if pa.types.is_decimal(stored) and pa.types.is_decimal(arrived) and stored.scale == arrived.scale:
        return max(stored, arrived, key=lambda kind: kind.precision)
    return None


def _place(name: str, arrived: pa.DataType, kind: pa.DataType, known: dict[str, pa.Field], taken: set[str]) -> pa.Field:
    held = known.get(name.lower())
    if held is None:
        return pa.field(name, kind)
    # A column that is all null fits anywhere.
    common = held.type if pa.types.is_null(arrived) else promoted(held.type, kind)
    if common is not None:
        return pa.field(held.name, common)
    beside = f"{name}{_BESIDE}{_shown(arrived)}"
    number = 1
    while True:
        candidate = beside if number == 1 else f"{beside}_{number}"
        there = known.get(candidate.lower())
        if candidate.lower() not in taken:
            common = kind if there is None else promoted(there.type, kind)
            if common is not None:
                return pa.field(candidate if there is None else there.name, common)
        number += 1


def _shown(kind: pa.DataType) -> str:
    """A type in letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", str(kind).lower()).strip("_")[:_MOST_CHARACTERS].strip("_")


def _selected(name: str, other: str, kind: pa.DataType) -> str:
    if pa.types.is_null(kind):
        return f"NULL AS {identifier(other)}"
    return f"CAST({identifier(name)} AS {duckdb_type(kind)}) AS {identifier(other)}"
