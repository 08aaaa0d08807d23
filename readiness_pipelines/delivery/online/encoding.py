"""Values as text and back, without losing anything: whole numbers of any size, decimals, times, what is no number."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, InvalidOperation
from hashlib import sha256
from json.encoder import encode_basestring
from math import isfinite
from typing import Any

import pyarrow as pa

from readiness_pipelines.errors import DeclarationError

_WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
_KEY_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def as_text(value: Any) -> str:
    """A value as JSON that `from_text` reads back as it was."""
    return _KEY_ENCODER.encode(_encoded(value))


def column_texts(column: pa.Array) -> list[str]:
    """The values of a column, each as `as_text` writes it; the usual types without looking at each value twice."""
    values = column_values(column)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return ["null" if one is None else encode_basestring(one) for one in values]
    if pa.types.is_integer(column.type):
        return ["null" if one is None else str(one) for one in values]
    if pa.types.is_floating(column.type):
        return ["null" if one is None else repr(one + 0.0) if isfinite(one) else as_text(one) for one in values]
    return list(map(as_text, values))


def from_text(text: str) -> Any:
    """The value of `as_text`."""
    return _decoded(json.loads(text))


def hash_of(key: str) -> str:
    """What a key is found by."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def column_values(column: pa.Array) -> list[Any]:
    """The values of a column; times that Python has none for are ``None``."""
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError, pa.ArrowException):  # infinite, or after the year 9999
        values = [_value(one) for one in column]
    if pa.types.is_timestamp(column.type) and column.type.tz:
        return [None if one is None else one.astimezone(UTC) for one in values]
    return values


def _value(one: pa.Scalar) -> Any:
    try:
        return one.as_py()
    except (OverflowError, ValueError, pa.ArrowException):
        return None


def _encoded(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if isfinite(value) else {"float": str(value)}
        case Decimal():
            return {"decimal": str(value)}
        case datetime():
            return {"time": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case time():
            return {"of_day": value.isoformat()}
        case timedelta():
            return {"microseconds": value // timedelta(microseconds=1)}
        case bytes():
            return {"bytes": value.hex()}
        case Mapping():
            return {"struct": {str(name): _encoded(inner) for name, inner in value.items()}}
        case list() | tuple():
            return [_encoded(inner) for inner in value]
        case _:
            return str(value)


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    match kind:
        case "float":
            return float(inner)
        case "decimal":
            return Decimal(inner)
        case "time":
            return datetime.fromisoformat(inner)
        case "date":
            return date.fromisoformat(inner)
        case "of_day":
            return time.fromisoformat(inner)
        case "microseconds":
            return timedelta(microseconds=inner)
        case "bytes":
            return bytes.fromhex(inner)
        case _:
            return {name: _decoded(one) for name, one in inner.items()}


def kind_of(column: str, kind: pa.DataType) -> str:
    """What values of a key's column are, as `key_value` wants it.

    Raises:
        DeclarationError: Values by which nothing is looked up: lists, structs.
    """
    tests = {
        "text": pa.types.is_string,
        "large text": pa.types.is_large_string,
        "boolean": pa.types.is_boolean,
        "integer": pa.types.is_integer,
        "float": pa.types.is_float64,
        "date": pa.types.is_date,
        "bytes": pa.types.is_binary,
    }
    for name, is_one in tests.items():
        if is_one(kind):
            return name.removeprefix("large ")
    if pa.types.is_floating(kind):
        return f"float {kind.bit_width}"
    if pa.types.is_decimal(kind):
        return f"decimal {kind.scale}"
    if pa.types.is_timestamp(kind):
        return "time with a zone" if kind.tz else "time"
    raise DeclarationError(f"{column} is {kind}: nothing is looked up by such values", way_out="choose another entity")


def key_value(column: str, value: Any, kind: str) -> Any:
    """A value of a key's column as the view has it, given as a Python value, as JSON has it, or as text.

    Raises:
        DeclarationError: It is none of that kind.
    """
    found = None if value is None else _as_kind(value, kind)
    if found is None:
        raise DeclarationError(
            f"the key's {column} cannot be read as {kind}", way_out=f"give {_EXAMPLES[kind.split(maxsplit=1)[0]]}"
        )
    return found


_EXAMPLES = {
    "text": "a text",
    "boolean": "true or false",
    "integer": "a whole number, also as text",
    "float": "a number",
    "decimal": "a number with no more digits than the column has, best as text",
    "time": "a time as in 2026-11-29T17:05:00, with its zone where the column has one",
    "date": "a date as in 2026-11-29",
    "bytes": "hexadecimal digits",
}


def _as_kind(value: Any, kind: str) -> Any:
    text = _text(value)
    match kind.split(maxsplit=1)[0]:
        case "text":
            return value if isinstance(value, str) else text or None
        case "boolean":
            return value if isinstance(value, bool) else {"true": True, "false": False}.get(text.lower())
        case "integer":
            return int(text) if _WHOLE.fullmatch(text) else None
        case "float":
            return _float(text, kind)
        case "decimal":
            return _decimal(text, int(kind.split()[1]))
        case "date":
            return value if isinstance(value, date) and not isinstance(value, datetime) else _iso(date, value)
        case "time":
            moment = value if isinstance(value, datetime) else _iso(datetime, value)
            if moment is None or (moment.tzinfo is not None) != (kind != "time"):
                return None
            return _in_utc(moment) if moment.tzinfo else moment
        case _:
            return value if isinstance(value, bytes) else _bytes(text)


def _text(value: Any) -> str:
    """A number or a text as text; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return ""
    try:
        return str(value).strip()
    except ValueError:  # a whole number of more digits than Python writes
        return ""


def _float(text: str, kind: str) -> float | None:
    try:
        number = float(_plain(text)) + 0.0  # -0.0 is 0.0
    except ValueError:
        return None
    # A column of fewer bits has the nearest that it can hold: 0.1 is there as 0.10000000149011612.
    return number if kind == "float" else float(pa.scalar(number, _NARROW[kind]).as_py())


_NARROW = {"float 16": pa.float16(), "float 32": pa.float32()}


def _plain(text: str) -> str:
    """A text that is to be a number; "" for 1_0 and digits of other scripts, which Python reads and no table writes."""
    return text if text.isascii() and "_" not in text else ""


def _decimal(text: str, scale: int) -> Decimal | None:
    try:
        number = Decimal(_plain(text))
        found = number.quantize(Decimal(1).scaleb(-scale), context=_DIGITS)
    except InvalidOperation:
        return None
    return (found or abs(found)) if found == number else None  # -0 is 0


_DIGITS = Context(prec=80)
"""More digits than a decimal column has; what is given is not rounded to fewer."""


def _in_utc(moment: datetime) -> datetime | None:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # before the year 1, or after 9999
        return None


def _iso(kind: type[date], value: Any) -> Any:
    try:
        return kind.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _bytes(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
