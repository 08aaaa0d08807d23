"""JSON as text: numbers as they are written, nested values as JSON."""

import json
from typing import Any

import pyarrow as pa

MARK = "\ufeff"
"""What some programs begin a text with."""


class Number(str):
    """A number, as it is written."""

    __slots__ = ()


class RepeatedKeyError(ValueError):
    """An object has a key twice, of which Python would keep one."""


class NestingError(ValueError):
    """Arrays and objects lie within each other more levels deep than is allowed."""


def parse_json(text: str, *, most_nesting: int) -> Any:
    """Parse JSON with its numbers as they are written.

    Args:
        text: The JSON.
        most_nesting: Levels of arrays and objects within each other; very deep ones cannot be written as text again.

    Raises:
        json.JSONDecodeError: It is not JSON.
        RepeatedKeyError: An object has a key twice.
        NestingError: It is nested too deep.
    """
    try:
        value = DECODER.decode(text)
    except RecursionError as error:
        raise nesting_error(most_nesting) from error
    check_nesting(value, most_nesting)
    return value


def check_nesting(value: Any, most_nesting: int) -> None:
    """Refuse a value that is nested too deep.

    Raises:
        NestingError: It is.
    """
    level = [value]
    for _ in range(most_nesting + 1):
        nested = [one for one in level if isinstance(one, dict | list)]
        if not nested:
            return
        level = [inner for one in nested for inner in (one.values() if isinstance(one, dict) else one)]
    raise nesting_error(most_nesting)


def nesting_error(most_nesting: int) -> NestingError:
    """The error of a value that is nested too deep."""
    return NestingError(f"it is nested more than {most_nesting} levels deep")


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {storable(key): value for key, value in pairs}
    if len(found) < len(pairs):
        keys = [storable(key) for key, _ in pairs]
        raise RepeatedKeyError(f"key {next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return found


DECODER = json.JSONDecoder(
    parse_float=Number, parse_int=Number, parse_constant=Number, object_pairs_hook=_distinct_keys
)
"""Keeps numbers as they are written, and refuses keys that are there twice."""


def value_text(value: Any) -> str | None:
    """A value as text: strings as they are, everything else as JSON."""
    if value is None:
        return None
    return storable(str(value)) if isinstance(value, str) else as_json(value)


def as_json(value: Any) -> str:
    """A value as JSON; what JSON has no form for as text."""
    if isinstance(value, Number):
        return value  # not a copy: a record may have millions
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_json(str(key))}: {as_json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(as_json(inner) for inner in value) + "]"
    return storable(json.dumps(value, ensure_ascii=False, default=str))


def storable(text: str) -> str:
    """Text without halves of surrogate pairs, which JSON can write and UTF-8 cannot: they are escaped again."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def records_table(records: list[dict[str, Any] | None], names: tuple[str, ...]) -> list[pa.Array]:
    """Columns of text, null where a record lacks a key, or is none."""
    return [
        pa.array([None if values is None else value_text(values.get(name)) for values in records], pa.string())
        for name in names
    ]
