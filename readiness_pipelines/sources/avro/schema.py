"""An Avro schema, made into what reads its records."""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from readiness_pipelines.sources.avro.values import (
    MOST_DIGITS,
    AvroError,
    Read,
    bytes_text,
    date_text,
    decimal_text,
    duration_text,
    read_array,
    read_boolean,
    read_double,
    read_enum,
    read_fixed,
    read_float,
    read_long,
    read_map,
    read_null,
    read_number,
    read_raw,
    read_record,
    read_scaled,
    read_string,
    read_union,
    then,
    time_text,
    timestamp_text,
    uuid_text,
)

_PRIMITIVES: Mapping[str, Read] = {
    "null": read_null,
    "boolean": read_boolean,
    "int": read_number,
    "long": read_number,
    "float": read_float,
    "double": read_double,
    "bytes": then(read_raw, bytes_text),
    "string": read_string,
}
_COUNTED: Mapping[tuple[str, str], Read] = {
    ("int", "date"): then(read_long, date_text),
    ("int", "time-millis"): then(read_long, time_text(1_000)),
    ("long", "time-micros"): then(read_long, time_text(1)),
    ("long", "timestamp-millis"): then(read_long, timestamp_text(1_000_000, local=False)),
    ("long", "timestamp-micros"): then(read_long, timestamp_text(1_000, local=False)),
    ("long", "timestamp-nanos"): then(read_long, timestamp_text(1, local=False)),
    ("long", "local-timestamp-millis"): then(read_long, timestamp_text(1_000_000, local=True)),
    ("long", "local-timestamp-micros"): then(read_long, timestamp_text(1_000, local=True)),
    ("long", "local-timestamp-nanos"): then(read_long, timestamp_text(1, local=True)),
}
_MOST_TYPES = 20_000
_MOST_NOTHING = 100
"""Values that take no bytes, in one record: records within records, each there twice, make as many as there is time."""


_CONNECT: Mapping[str, str] = {
    "io.debezium.time.Date": "date",
    "io.debezium.time.Time": "time-millis",
    "io.debezium.time.MicroTime": "time-micros",
    "io.debezium.time.Timestamp": "local-timestamp-millis",
    "io.debezium.time.MicroTimestamp": "local-timestamp-micros",
    "io.debezium.time.NanoTimestamp": "local-timestamp-nanos",
}
"""What Debezium calls a number that is a time, which has no logical type of Avro then."""


class SchemaError(ValueError):
    """Text that is not an Avro schema, or not one of a message."""


@dataclass(frozen=True, slots=True)
class RecordSchema:
    """A record's schema.

    Attributes:
        read: Reads one record, from an offset on.
        aliases: Former names of its fields, by the name that they have.
    """

    read: Read
    aliases: Mapping[str, tuple[str, ...]]

    def decode(self, data: bytes, start: int = 0) -> dict[str, Any]:
        """The values of a record.

        Args:
            data: Its bytes.
            start: Where they begin.

        Raises:
            AvroError: They are not of this schema, cut off, or more than the record.
            RepeatedKeyError: A map has a key twice.
        """
        try:
            found, end = self.read(data, start)
        except (IndexError, struct.error) as error:
            raise AvroError("it ends before its schema does") from error
        except RecursionError as error:
            raise AvroError("it is nested too deep") from error
        if end != len(data):
            raise AvroError(f"it has {len(data) - end:,} bytes more than its schema says")
        values: dict[str, Any] = found
        return values


def parse_schema(text: str, references: Sequence[str] = ()) -> RecordSchema:
    """Make a schema into what reads it.

    Args:
        text: The schema, as JSON.
        references: Schemas whose names it uses, each after those that it uses itself.

    Raises:
        SchemaError: It is not a schema, or not of a record.
    """
    compiler = _Compiler()
    try:
        for reference in references:
            compiler.type(json.loads(reference), "")
        said = json.loads(text)
        kind = compiler.type(said, "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SchemaError(f"it is not an Avro schema ({error or 'nested too deep'})") from error
    if not isinstance(said, dict) or said.get("type") not in ("record", "error"):
        raise SchemaError("its schema is not of a record")
    aliases = {one["name"]: tuple(map(str, one.get("aliases") or ())) for one in said["fields"] if one.get("aliases")}
    return RecordSchema(kind.read, aliases)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type: what reads it, whether a value of it may take no bytes, and how many values within it take none."""

    read: Read
    empty: bool = False
    nothing: int = 0


@dataclass(slots=True)
class _Compiler:
    named: dict[str, _Kind] = field(default_factory=dict)
    types: int = 0

    def type(self, said: Any, space: str) -> _Kind:
        """A type, within a namespace."""
        self.types += 1
        if self.types > _MOST_TYPES:
            raise ValueError(f"it has more than {_MOST_TYPES:,} types")
        if isinstance(said, list):
            return _Kind(read_union(tuple(self.type(one, space).read for one in said)))
        if isinstance(said, str):
            return self._by_name(said, space)
        name = said["type"]
        if not isinstance(name, str):
            return self.type(name, space)  # {"type": {"type": …}}, as some write it
        match name:
            case "record" | "error":
                return self._record(said, space)
            case "enum":
                return self._define(said, space, _Kind(read_enum(tuple(map(str, said["symbols"])))))
            case "array":
                item = self.type(said["items"], space)
                return _Kind(read_array(item.read, empty=item.empty))
            case "map":
                return _Kind(read_map(self.type(said["values"], space).read))
            case "fixed":
                return self._define(said, space, _fixed(said))
            case "bytes" if (decimal := _decimal(said)) is not None:
                return _Kind(then(read_raw, decimal))
            case _:
                logical = _CONNECT.get(str(said.get("connect.name")), str(said.get("logicalType")))
                counted = _COUNTED.get((name, logical))
                return _Kind(counted) if counted else self._by_name(name, space)

    def _by_name(self, name: str, space: str) -> _Kind:
        if name in _PRIMITIVES:
            return _Kind(_PRIMITIVES[name], empty=name == "null", nothing=int(name == "null"))
        full = name if "." in name else _full(name, space)
        if full not in self.named and name not in self.named:
            raise ValueError(f"it has no type {name!r}")
        return self.named.get(full) or self.named[name]

    def _define(self, said: Mapping[str, Any], space: str, kind: _Kind) -> _Kind:
        full = _full_name(said, space)
        if full in self.named:
            raise ValueError(f"it defines {full} twice")
        self.named[full] = kind
        return kind

    def _record(self, said: Mapping[str, Any], space: str) -> _Kind:
        names = tuple(str(one["name"]) for one in said["fields"])
        if len(set(names)) < len(names):
            raise ValueError(f"two fields of {said['name']} have one name")
        fields: list[Read] = []
        full = _full_name(said, space)
        # Where it holds itself, it does so in a union or an array, and takes a byte at least.
        read = read_record(names, fields)
        if full == "io.debezium.data.VariableScaleDecimal" and names == ("scale", "value"):
            return self._define(said, space, _Kind(read_scaled))
        self._define(said, space, _Kind(read))
        inner = full.rpartition(".")[0]
        kinds = [self.type(one["type"], inner) for one in said["fields"]]
        fields += [one.read for one in kinds]
        empty = all(one.empty for one in kinds)
        nothing = sum(one.nothing for one in kinds) + empty
        if nothing > _MOST_NOTHING:
            raise ValueError(f"{said['name']} has more than {_MOST_NOTHING} values that take no bytes")
        self.named[full] = _Kind(read, empty=empty, nothing=nothing)
        return self.named[full]


def _full(name: str, space: str) -> str:
    return f"{space}.{name}" if space else name


def _full_name(said: Mapping[str, Any], space: str) -> str:
    name = str(said["name"])
    return name if "." in name else _full(name, str(said.get("namespace", space) or ""))


def _fixed(said: Mapping[str, Any]) -> _Kind:
    size = int(said["size"])
    if size < 0:
        raise ValueError(f"{said['name']} has {size} bytes")
    read, decimal = read_fixed(size), _decimal(said)
    if decimal is not None:
        return _Kind(then(read, decimal), empty=size == 0, nothing=int(size == 0))
    match said.get("logicalType"), size:
        case "uuid", 16:
            return _Kind(then(read, uuid_text))
        case "duration", 12:
            return _Kind(then(read, duration_text))
        case _:
            return _Kind(then(read, bytes_text), empty=size == 0, nothing=int(size == 0))


def _decimal(said: Mapping[str, Any]) -> Any:
    """What makes a decimal's text; ``None`` where it is none, or not a valid one, which counts as plain bytes."""
    if said.get("logicalType") != "decimal":
        return None
    precision, scale = said.get("precision"), said.get("scale", 0)
    if not isinstance(precision, int) or not isinstance(scale, int) or not 0 <= scale <= precision <= MOST_DIGITS:
        return None
    return decimal_text(precision, scale)
