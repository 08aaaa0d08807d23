"""Avro's values, read from bytes within their bounds, as text or what JSON is made of."""

import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from readiness_pipelines.sources.json_values import Number, RepeatedKeyError, storable

Read = Callable[[bytes, int], tuple[Any, int]]
"""Reads a value that begins at an offset; gives it, and the offset after it."""

MOST_EMPTY_ITEMS = 16
"""Values that take no bytes, in one array or map: more of them could be announced than memory has room for."""

MOST_DIGITS = 1_000
"""Of a decimal: more are not a number that a table has."""

_SEVEN_BITS, _MORE = 0x7F, 0x80
_LONGEST_NUMBER = 63
_EPOCH, _LOCAL_EPOCH, _FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1), date(1970, 1, 1)  # noqa: DTZ001
_NANOSECONDS = 1_000
_FLOAT, _DOUBLE, _PARTS = struct.Struct("<f"), struct.Struct("<d"), struct.Struct("<III")


class AvroError(ValueError):
    """Bytes that are not what their schema says."""


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to 64 bits."""
    byte = data[at]
    at += 1
    if byte < _MORE:
        return (byte >> 1) ^ -(byte & 1), at
    number, shift = byte & _SEVEN_BITS, 7
    while byte >= _MORE:
        if shift > _LONGEST_NUMBER:
            raise AvroError("it has a number of more than 64 bits")
        byte = data[at]
        at += 1
        number |= (byte & _SEVEN_BITS) << shift
        shift += 7
    if number >> 64:
        raise AvroError("it has a number of more than 64 bits")
    return (number >> 1) ^ -(number & 1), at


def read_null(data: bytes, at: int) -> tuple[None, int]:  # noqa: ARG001  # as all are called
    """Nothing."""
    return None, at


def read_boolean(data: bytes, at: int) -> tuple[bool, int]:
    """True or false."""
    if data[at] > 1:
        raise AvroError(f"it has {data[at]} where true or false should be")
    return data[at] == 1, at + 1


def read_number(data: bytes, at: int) -> tuple[Number, int]:
    """A whole number, as text."""
    number, at = read_long(data, at)
    return Number(number), at


def read_float(data: bytes, at: int) -> tuple[Number, int]:
    """A number of 32 bits, with as few digits as tell it from its neighbours."""
    (number,) = _FLOAT.unpack_from(data, at)
    return _float_text(number, str(np.float32(number))), at + 4


def read_double(data: bytes, at: int) -> tuple[Number, int]:
    """A number of 64 bits, the same."""
    (number,) = _DOUBLE.unpack_from(data, at)
    return _float_text(number, repr(number)), at + 8


def _float_text(number: float, text: str) -> Number:
    if number != number:  # noqa: PLR0124  # only NaN is not itself
        return Number("NaN")
    return Number({float("inf"): "Infinity", float("-inf"): "-Infinity"}.get(number, text))


def read_raw(data: bytes, at: int) -> tuple[bytes, int]:
    """Bytes, with their length before them."""
    length, at = read_long(data, at)
    if length < 0 or length > len(data) - at:
        raise AvroError(f"it announces {length:,} bytes, and {len(data) - at:,} are left")
    return data[at : at + length], at + length


def read_string(data: bytes, at: int) -> tuple[str, int]:
    """Text."""
    raw, at = read_raw(data, at)
    try:
        return raw.decode(), at
    except UnicodeDecodeError as error:
        raise AvroError("it has a text that is not UTF-8") from error


def bytes_text(raw: bytes) -> str:
    r"""Bytes as text where they are, else as ``\x…``, as from any other source."""
    try:
        return storable(raw.decode())
    except UnicodeDecodeError:
        return f"\\x{raw.hex()}"


def read_fixed(size: int) -> Callable[[bytes, int], tuple[bytes, int]]:
    """Reads so many bytes."""

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        if size > len(data) - at:
            raise IndexError
        return data[at : at + size], at + size

    return read


def then(read: Read, change: Callable[[Any], Any]) -> Read:
    """Reads a value and changes it."""

    def changed(data: bytes, at: int) -> tuple[Any, int]:
        value, at = read(data, at)
        return change(value), at

    return changed


def decimal_text(precision: int, scale: int) -> Callable[[bytes], Number]:
    """Gives the text of a decimal of the bytes of its unscaled number."""

    def text(raw: bytes) -> Number:
        if len(raw) > precision + 8:
            raise AvroError(f"it has a decimal of more than {precision} digits")
        number = int.from_bytes(raw, "big", signed=True)
        digits = str(abs(number)).rjust(scale + 1, "0")
        if len(digits.lstrip("0")) > precision:
            raise AvroError(f"it has a decimal of more than {precision} digits")
        sign = "-" if number < 0 else ""
        return Number(f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else f"{sign}{digits}")

    return text


def read_scaled(data: bytes, at: int) -> tuple[Number, int]:
    """A decimal with its scale before it."""
    scale, at = read_long(data, at)
    raw, at = read_raw(data, at)
    if not 0 <= scale <= MOST_DIGITS:
        raise AvroError(f"it has a decimal of scale {scale}")
    return decimal_text(MOST_DIGITS, scale)(raw), at


def uuid_text(raw: bytes) -> str:
    """A UUID of its 16 bytes."""
    return str(UUID(bytes=raw))


def duration_text(raw: bytes) -> str:
    """Months, days and milliseconds, as ISO 8601 writes them."""
    months, days, milliseconds = _PARTS.unpack(raw)
    return f"P{months}M{days}DT{milliseconds // 1_000}.{milliseconds % 1_000:03d}S"


def date_text(days: int) -> str:
    """A day."""
    try:
        return (_FIRST_DAY + timedelta(days=days)).isoformat()
    except OverflowError as error:
        raise _beyond(days) from error


def time_text(unit: int) -> Callable[[int], str]:
    """Gives the text of a time of day that is counted in so many microseconds."""

    def text(count: int) -> str:
        if not 0 <= count * unit < 86_400_000_000:  # noqa: PLR2004  # a day
            raise AvroError(f"it has {count} where a time of day should be")
        return (_LOCAL_EPOCH + timedelta(microseconds=count * unit)).time().isoformat()

    return text


def timestamp_text(nanoseconds: int, *, local: bool) -> Callable[[int], str]:
    """Gives the text of a time that is counted in so many nanoseconds."""
    epoch = _LOCAL_EPOCH if local else _EPOCH

    def text(count: int) -> str:
        microseconds, finer = divmod(count * nanoseconds, _NANOSECONDS)
        if finer:
            raise AvroError(f"it has the time {count}, which is finer than a microsecond")
        try:
            return (epoch + timedelta(microseconds=microseconds)).isoformat()
        except OverflowError as error:
            raise _beyond(count) from error

    return text


def _beyond(count: int) -> AvroError:
    return AvroError(f"it has the time {count}, which is not one that a table can hold (of the years 1 to 9999)")


def read_enum(symbols: tuple[str, ...]) -> Read:
    """Reads one of some words."""

    def read(data: bytes, at: int) -> tuple[str, int]:
        number, at = read_long(data, at)
        if not 0 <= number < len(symbols):
            raise AvroError(f"it has symbol {number} of {len(symbols)}")
        return symbols[number], at

    return read


def read_union(branches: tuple[Read, ...]) -> Read:
    """Reads a value of one of some kinds: the value alone, as JSON would have it."""

    def read(data: bytes, at: int) -> tuple[Any, int]:
        number, at = read_long(data, at)
        if not 0 <= number < len(branches):
            raise AvroError(f"it has kind {number} of {len(branches)}")
        return branches[number](data, at)

    return read


def _block(data: bytes, at: int, found: int, *, empty: bool) -> tuple[int, int]:
    """How many values follow in a block; fewer than the bytes that are left, or else it cannot be true."""
    count, at = read_long(data, at)
    if count < 0:
        count = -count
        _, at = read_long(data, at)
    most = MOST_EMPTY_ITEMS - found if empty else len(data) - at
    if count > most:
        raise AvroError(f"it announces {count:,} values, more than its bytes can hold")
    return count, at


def read_array(item: Read, *, empty: bool) -> Read:
    """Reads values of one kind; `empty` where one of them may take no bytes."""

    def read(data: bytes, at: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        while True:
            count, at = _block(data, at, len(found), empty=empty)
            if not count:
                return found, at
            for _ in range(count):
                value, at = item(data, at)
                found.append(value)

    return read


def read_map(item: Read) -> Read:
    """Reads values by name."""

    def read(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        while True:
            count, at = _block(data, at, 0, empty=False)
            if not count:
                return found, at
            for _ in range(count):
                key, at = read_string(data, at)
                if key in found:
                    raise RepeatedKeyError(f"key {key!r} is there twice")
                found[key], at = item(data, at)

    return read


def read_record(names: tuple[str, ...], fields: list[Read]) -> Read:
    """Reads a record; `fields` may be filled later, where it holds itself."""

    def read(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        for name, field in zip(names, fields, strict=True):
            found[name], at = field(data, at)
        return found, at

    return read
