"""What tells that two values name the same person: a canonical text by the column's type, and a keyed hash of it."""

import hmac
import unicodedata
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any

import pyarrow as pa


class ValueKind(StrEnum):
    """How values of a column are compared: ``012`` and ``12`` are one number, and two texts."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"


def kind_of(declared: pa.DataType | None, arrived: pa.DataType | None = None) -> ValueKind:
    """How the values of a column are compared: by the type that is declared, else by the one it has."""
    kind = declared or arrived
    if kind is None or pa.types.is_boolean(kind):
        return ValueKind.TEXT
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return ValueKind.NUMBER
    return ValueKind.TIME if pa.types.is_temporal(kind) else ValueKind.TEXT


def canonical_text(value: Any, kind: ValueKind) -> str | None:
    """The one text for all spellings of a value; ``None`` for no value, or one that is not of the kind."""
    if value is None:
        return None
    match kind:
        case ValueKind.NUMBER:
            return _number(value)
        case ValueKind.TIME:
            return _time(value)
        case ValueKind.TEXT:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip() or None


def digest_of(text: str, kind: ValueKind, key: bytes) -> str:
    """HMAC-SHA256 of a canonical text, as hexadecimal digits."""
    begun = _begun(kind, key).copy()  # a third of the time of a new one: lines are tried part by part
    begun.update(text.encode("utf-8", "surrogatepass"))
    return begun.hexdigest()


@lru_cache(maxsize=8)
def _begun(kind: ValueKind, key: bytes) -> hmac.HMAC:
    return hmac.new(key, f"{kind}:".encode(), "sha256")


def _number(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    whole = number.to_integral_value()
    if number == whole:
        return str(int(whole)) if abs(number.adjusted()) < _MOST_DIGITS else None
    return format(number.normalize(), "f")


_MOST_DIGITS = 80


def _time(value: Any) -> str | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime):
        plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return plain.date().isoformat() if plain.time() == time() else plain.isoformat()
    return value.isoformat() if isinstance(value, date | time) else None
