"""Python's values as JSON-like ones, and back: dates, decimals and times of day keep what they are."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

_READ: Mapping[str, Callable[[str], Any]] = {
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
}


def plain_value(value: Any) -> Any:
    """A value as JSON can hold it: ``{"date": "2026-11-01"}`` for what JSON has no sign for; sets are sorted.

    Raises:
        ValueError: A value of another kind: a function, say.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return {"timestamp": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case time():
            return {"time": value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
        case timedelta():
            return {"seconds": value.total_seconds()}
        case set() | frozenset():
            return sorted((plain_value(one) for one in value), key=repr)
        case list() | tuple():
            return [plain_value(one) for one in value]
        case Mapping():
            return {"mapping": [[plain_value(key), plain_value(one)] for key, one in value.items()]}
    raise ValueError(f"{value!r} is not a value that a contract can hold")


def python_value(plain: Any) -> Any:
    """The value that `plain_value` wrote.

    Raises:
        ValueError: Something that it does not write.
    """
    match plain:
        case None | bool() | int() | float() | str():
            return plain
        case datetime() | date():
            return plain  # as YAML reads them
        case list() | tuple():
            return [python_value(one) for one in plain]
        case {"seconds": int() | float() as seconds, **rest} if not rest:
            return timedelta(seconds=seconds)
        case {"mapping": list() as pairs, **rest} if not rest:
            try:
                return {python_value(key): python_value(one) for key, one in pairs}
            except TypeError as error:
                raise ValueError(f"{plain!r} is not a value of a contract") from error
        case dict() if len(plain) == 1:
            ((kind, text),) = plain.items()
            if kind in _READ and isinstance(text, str):
                try:
                    return _READ[kind](text)
                except InvalidOperation as error:
                    raise ValueError(f"{text!r} is not a number") from error
    raise ValueError(f"{plain!r} is not a value of a contract")
