"""Which Arrow type a column is stored as: Iceberg v2 has fewer types than Arrow."""

import re

import pyarrow as pa

from readiness_pipelines.errors import LakehouseError


def storage_schema(schema: pa.Schema) -> pa.Schema:
    """The schema that a table stores for rows of an Arrow schema. Every column may be null.

    Raises:
        LakehouseError: A type that Iceberg v2 cannot hold without loss; names the column.
    """
    return pa.schema([pa.field(field.name, storage_type(field.type, column=field.name)) for field in schema])


def storage_type(kind: pa.DataType, *, column: str) -> pa.DataType:
    """The type that a column of an Arrow type is stored as.

    Small integers widen to 32 bits, unsigned ones to the next signed width, half floats to floats, times to
    microseconds, zoned times to UTC, dictionaries to their values.

    Raises:
        LakehouseError: A type that Iceberg v2 cannot hold without loss.
    """
    if (simple := _simple(kind)) is not None:
        return simple
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    if pa.types.is_dictionary(kind):
        return storage_type(kind.value_type, column=column)
    if pa.types.is_decimal128(kind):
        return kind
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(storage_type(kind.value_type, column=column))
    if pa.types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        return pa.struct([(field.name, storage_type(field.type, column=f"{column}.{field.name}")) for field in fields])
    raise LakehouseError(
        f"column {column!r} is of type {kind}, which Iceberg cannot hold",
        way_out="declare another type in the schema, such as int64 for a duration or string for a large decimal",
    )


def promotable_type(text: str) -> pa.DataType | None:
    """The Arrow type that a text names, where Iceberg may promote it; ``None`` for all others.

    A column of such a type can be stored wider than it arrived, because another batch was wider.

    Args:
        text: A type as Arrow writes it: ``int32``, ``float``, ``decimal128(9, 2)``.
    """
    if (decimal := _DECIMAL.fullmatch(text)) is not None:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return _PROMOTABLE.get(text)


_DECIMAL = re.compile(r"decimal128\((\d+), (-?\d+)\)")
_PROMOTABLE = {
    str(kind): kind
    for kind in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16(), pa.int64(), pa.float32(), pa.float64())
}

_SIMPLE: tuple[tuple[tuple[pa.DataType, ...], pa.DataType], ...] = (
    ((pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16()), pa.int32()),
    ((pa.int64(), pa.uint32()), pa.int64()),
    ((pa.uint64(),), pa.decimal128(20, 0)),
    ((pa.float16(), pa.float32()), pa.float32()),
    ((pa.float64(),), pa.float64()),
    ((pa.bool_(),), pa.bool_()),
    ((pa.string(), pa.large_string(), pa.string_view(), pa.null()), pa.string()),
    ((pa.binary(), pa.large_binary(), pa.binary_view()), pa.binary()),
    ((pa.date32(), pa.date64()), pa.date32()),
    ((pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")), pa.time64("us")),
)


def _simple(kind: pa.DataType) -> pa.DataType | None:
    return next((stored for kinds, stored in _SIMPLE if kind in kinds), None)
