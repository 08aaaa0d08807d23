"""Arrow's types by their texts, and as the standard and other systems call them."""

import re
from collections.abc import Mapping

import pyarrow as pa

from readiness_pipelines.lakehouse.types import storage_type

_NAMED: Mapping[str, pa.DataType] = {
    str(kind): kind
    for kind in (
        pa.bool_(), pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.date32(), pa.date64(),
        pa.float16(), pa.float32(), pa.float64(), pa.null(),
        *(getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)),
        *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
        pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
    )
}  # fmt: skip
_ZONED = re.compile(r"timestamp\[(s|ms|us|ns), tz=([A-Za-z0-9_+:/-]{1,60})\]")
_DECIMAL = re.compile(r"decimal(?:128)?\((\d{1,2}), ?(-?\d{1,2})\)")
_MOST_DEPTH = 20


def type_from_text(text: str) -> pa.DataType | None:
    """The Arrow type that Arrow writes so; ``None`` for a text that is none, or ``any``."""
    return _parsed(text, 0)


def _parsed(text: str, depth: int) -> pa.DataType | None:
    if text in _NAMED:
        return _NAMED[text]
    if (zoned := _ZONED.fullmatch(text)) is not None:
        return pa.timestamp(zoned[1], tz=zoned[2])
    if (decimal := _DECIMAL.fullmatch(text)) is not None:
        return _decimal(int(decimal[1]), int(decimal[2]))
    if depth > _MOST_DEPTH or not text.endswith(">"):
        return None
    head, _, inner = text[:-1].partition("<")
    if head in ("list", "large_list"):
        item = _parsed(inner.partition(": ")[2], depth + 1)
        return None if item is None else pa.list_(item)
    if head == "struct":
        named = [(name, _parsed(kind, depth + 1)) for name, kind in _fields(inner)]
        return pa.struct(named) if named and all(kind is not None for _, kind in named) else None
    return None


def _fields(text: str) -> list[tuple[str, str]]:
    """The fields of a struct's text: what stands between commas that are in no brackets."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign in "<([") - (sign in ">)]")
        if sign == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    named = [part.strip().partition(": ") for part in [*parts, text[start:]]]
    return [(name, kind) for name, _, kind in named]


def _decimal(precision: int, scale: int) -> pa.DataType | None:
    return pa.decimal128(precision, scale) if 1 <= precision <= 38 and abs(scale) <= precision else None  # noqa: PLR2004


def logical_type(kind: pa.DataType | None) -> str | None:
    """What the standard calls a type; ``None`` for any."""
    if kind is None:
        return None
    for belongs, name in (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "number"),
        (pa.types.is_decimal, "number"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "timestamp"),
        (pa.types.is_time, "time"),
        (pa.types.is_list, "array"),
        (pa.types.is_struct, "object"),
    ):
        if belongs(kind):
            return name
    return "string"


def iceberg_type(kind: pa.DataType | None) -> str:
    """What Iceberg stores a type as; "" where only a batch tells."""
    if kind is None:
        return ""
    return _iceberg(storage_type(kind, column="?"))


def _iceberg(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision}, {kind.scale})"
    if pa.types.is_list(kind):
        return f"list<{_iceberg(kind.value_type)}>"
    if pa.types.is_struct(kind):
        fields = [kind.field(at) for at in range(kind.num_fields)]
        return f"struct<{', '.join(f'{one.name}: {_iceberg(one.type)}' for one in fields)}>"
    named = {
        pa.bool_(): "boolean", pa.int32(): "int", pa.int64(): "long", pa.float32(): "float", pa.float64(): "double",
        pa.date32(): "date", pa.binary(): "binary",
    }  # fmt: skip
    return "time" if pa.types.is_time(kind) else named.get(kind, "string")


_PHYSICAL: tuple[tuple[str, pa.DataType], ...] = (
    (r"bool(ean)?|bit", pa.bool_()),
    (r"tinyint|int1|byte|smallint|int2|int16|short", pa.int16()),
    (r"int|integer|int4|int32|mediumint|serial|sint32|uint16|fixed32", pa.int32()),
    (r"bigint|int8|int64|long|bigserial|sint64|uint32|uint64|fixed64|ubigint|uinteger", pa.int64()),
    (r"real|float4|float32", pa.float32()),
    (r"float|float8|float64|double|double precision|binary_double", pa.float64()),
    (r"date", pa.date32()),
    (r"time|timetz|time without time zone", pa.time64("us")),
    (r"timestamp_?tz|timestamp_ltz|timestamp with( local)? time zone|datetimeoffset", pa.timestamp("us", tz="UTC")),
    (r"timestamp|timestamp_ntz|timestamp without time zone|datetime2?|smalldatetime", pa.timestamp("us")),
    (r"n?varchar2?|n?char|bpchar|character( varying)?|n?text|string|clob|uuid|jsonb?|xml|variant|enum", pa.string()),
)  # fmt: skip
_SIZED = re.compile(
    r"^([a-z_0-9 ]+?) *(?:\( *(\d{1,5})(?: *, *(-?\d{1,5}))? *(?: char| byte)?\))?( with(?:out)? time zone)?$"
)
_LIST = re.compile(r"^(?:array|list) *<(.+)>$")


def type_from_foreign(logical: str, physical: str) -> tuple[pa.DataType | None, bool]:
    """The Arrow type that a foreign column is read as, and whether that is sure.

    The physical type says more; where it is none that is known, the logical one decides.

    Args:
        logical: The standard's own type; "" where it is not said.
        physical: What the system calls it; "" where it is not said.
    """
    known = _physical(physical.strip().lower())
    by_logical = _LOGICAL.get(logical)
    if known is None or (by_logical is not None and logical_type(known) != logical_type(by_logical)):
        return by_logical, by_logical is not None and (not physical or known is not None or logical != "number")
    return known, True


def _physical(text: str) -> pa.DataType | None:
    if (listed := _LIST.fullmatch(text)) is not None:
        item = _physical(listed[1].strip())
        return None if item is None else pa.list_(item)
    sized = _SIZED.fullmatch(text)
    if sized is None:
        return None
    name = sized[1] + (sized[4] or "")
    if re.fullmatch(r"decimal|numeric|number|bignumeric", name):
        if sized[2] is None:
            return None if name != "bignumeric" else pa.decimal128(38, 9)
        return _decimal(int(sized[2]), int(sized[3] or 0))
    return next((kind for pattern, kind in _PHYSICAL if re.fullmatch(pattern, name)), None)


_LOGICAL: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "time": pa.time64("us"),
}
