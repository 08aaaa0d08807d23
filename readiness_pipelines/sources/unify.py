"""Types of columns that arrive: plain ones that a table can hold; text, without loss, where there is none."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.errors import LandingError
from readiness_pipelines.masking import quoted
from readiness_pipelines.sources.json_values import as_json, value_text
from readiness_pipelines.sources.odd_values import odd_values

_MOST_DIGITS = 38
_EXACT_BITS = 32


def plain_type(kind: pa.DataType) -> pa.DataType | None:
    """The plain type that holds all values of an Arrow type; ``None`` where only text does.

    Large, view, dictionary and fixed-size types become plain; small decimals 128 bits wide; half floats 32. Times are
    in microseconds at the finest, as tables hold them.
    """
    simple = _SIMPLE.get(kind)
    if simple is not None:
        return simple
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    if pa.types.is_fixed_size_binary(kind):
        return pa.binary()
    if isinstance(kind, pa.BaseExtensionType):
        return None if kind.extension_name == "arrow.uuid" else plain_type(kind.storage_type)
    if pa.types.is_decimal(kind):
        return (
            pa.decimal128(kind.precision, kind.scale)
            if kind.precision <= _MOST_DIGITS and 0 <= kind.scale <= kind.precision
            else None
        )
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz) if kind.unit == "ns" else kind
    if _is_list(kind):
        inner = plain_type(kind.value_type)
        return None if inner is None else pa.list_(inner)
    if pa.types.is_struct(kind):
        return _plain_struct(kind)
    return None


def _plain_struct(kind: pa.StructType) -> pa.DataType | None:
    fields = [kind.field(index) for index in range(kind.num_fields)]
    inner = [plain_type(field.type) for field in fields]
    names = {field.name.lower() for field in fields}
    if None in inner or len(names) < len(fields) or not fields:
        return None
    return pa.struct([(field.name, found) for field, found in zip(fields, inner, strict=True)])


_SIMPLE: dict[pa.DataType, pa.DataType] = {
    **{
        kind: kind
        for kind in (
            *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
            *(pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.binary(), pa.date32(), pa.null()),
            *(pa.time32("s"), pa.time32("ms"), pa.time64("us")),
        )
    },
    pa.time64("ns"): pa.time64("us"),
    pa.float16(): pa.float32(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
    pa.date64(): pa.date32(),
}


def _is_list(kind: pa.DataType) -> bool:
    tests = (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return any(test(kind) for test in tests)


def unified(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """The columns of all schemas, in the order they first appear; text where their types have no type in common."""
    kinds: dict[str, list[pa.DataType | None]] = {}
    for schema in schemas:
        for field in schema:
            kinds.setdefault(field.name, []).append(plain_type(field.type))
    return pa.schema([(name, _common(found)) for name, found in kinds.items()])


def _common(kinds: Sequence[pa.DataType | None]) -> pa.DataType:
    """One type that holds all values of some; text where there is none."""
    first = kinds[0]
    for kind in kinds[1:]:
        if first is None or kind is None:
            return pa.string()
        first = _wider(first, kind)
    return pa.string() if first is None else first


def _wider(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if pa.types.is_integer(one) and pa.types.is_integer(other):
        return _wider_integer(one, other)
    if pa.types.is_floating(one) and pa.types.is_floating(other):
        return pa.float64()
    # A double holds every integer of 32 bits, and not every one of 64.
    if {pa.types.is_floating(one), pa.types.is_floating(other)} == {True, False}:
        whole = other if pa.types.is_floating(one) else one
        return pa.float64() if pa.types.is_integer(whole) and whole.bit_width <= _EXACT_BITS else None
    if pa.types.is_decimal(one) and pa.types.is_decimal(other):
        scale = max(one.scale, other.scale)
        precision = max(one.precision - one.scale, other.precision - other.scale) + scale
        return pa.decimal128(precision, scale) if precision <= _MOST_DIGITS else None
    if pa.types.is_timestamp(one) and pa.types.is_timestamp(other) and one.tz == other.tz:
        return pa.timestamp(min(one.unit, other.unit, key=_UNITS.index), one.tz)
    return None


_UNITS = ("us", "ms", "s")


def _wider_integer(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    signed = [pa.types.is_signed_integer(kind) for kind in (one, other)]
    if signed[0] == signed[1]:
        return max(one, other, key=lambda kind: kind.bit_width)
    bits = max(one.bit_width if signed[0] else one.bit_width * 2, other.bit_width if signed[1] else other.bit_width * 2)
    return {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}.get(bits)


def converted(column: pa.ChunkedArray | pa.Array, kind: pa.DataType) -> pa.ChunkedArray:
    """A column in another type, as `unified` gave it.

    Raises:
        LandingError: A time that is finer than a microsecond, also within records and lists.
    """
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    if chunked.type == kind:
        return chunked
    if pa.types.is_string(kind):
        return as_text(chunked)
    if isinstance(chunked.type, pa.BaseExtensionType):
        chunked = pa.chunked_array([chunk.storage for chunk in chunked.chunks], chunked.type.storage_type)
    if pa.types.is_run_end_encoded(chunked.type):
        chunked = pc.run_end_decode(chunked)
    try:
        return chunked.cast(kind)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:  # Arrow has no kernel for some casts; Python does
        if pa.types.is_timestamp(kind) or pa.types.is_time(kind) or any(map(_has_odd, chunked.chunks)):
            raise LandingError(
                f"times of a source are finer than a microsecond, which is what a table can hold: {quoted(error)}",
                way_out="round them in the source, or give them as text",
            ) from error
        return pa.chunked_array([pa.array(chunked.to_pylist(), kind)], kind)


def _has_odd(chunk: pa.Array) -> bool:
    """Whether it has times that Python would cut off, or cannot hold."""
    return next(odd_values(chunk), None) is not None


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text that tells every value: numbers and times as they are written, nested values as JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return as_text(column.cast(kind.value_type))
    if _casts_to_text(kind):
        return column.cast(pa.string())
    write = _writer(kind)
    # A nested value of a map or a union keeps its form only as Python's.
    return pa.chunked_array([[write(value) for value in _python(column)]], pa.string())


def _python(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = (column.cast(pa.int64()) if pa.types.is_duration(column.type) else column).to_pylist()
    return values


def _casts_to_text(kind: pa.DataType) -> bool:
    tests = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_boolean,
        pa.types.is_decimal,
        pa.types.is_date,
        pa.types.is_time,
        pa.types.is_timestamp,
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_null,
    )
    return any(test(kind) for test in tests) or kind == pa.string_view()


def _writer(kind: pa.DataType) -> Callable[[Any], str | None]:
    if pa.types.is_duration(kind):
        return lambda value: None if value is None else f"{value} {kind.unit}"
    if pa.types.is_map(kind):
        return lambda value: None if value is None else as_json(_readable([[key, inner] for key, inner in value]))
    return lambda value: value_text(_readable(value))


def _readable(value: Any) -> Any:
    """A value without bytes, which JSON cannot hold."""
    match value:
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return f"\\x{value.hex()}"
        case dict():
            return {key: _readable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_readable(inner) for inner in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)
