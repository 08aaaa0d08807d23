"""One value: what is stored of it outside the lakehouse, and what somebody who looks sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from readiness_pipelines.contracts.classification import Classified


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks.

    Attributes:
        who: The person or service.
        reveals: Whether they see values of classified columns: with a reason, which the trail keeps.
    """

    who: str
    reveals: bool = False


NOBODY = Viewer("")
"""Whoever may look at what is stored or sent: nobody in particular."""


def redact(value: object, classified: Classified) -> Any:
    """What may be stored or sent of a value outside the lakehouse.

    Args:
        value: The value; ``None`` stays ``None``: that there is none is known anyway.
        classified: The class of its column.

    Returns:
        The value itself in a public or internal column; else what kind of value it is, how long, and of which
        characters: ``«text, 11 characters, letters»``.
    """
    return show(value, classified, NOBODY)


def show(value: object, classified: Classified, viewer: Viewer) -> Any:
    """What somebody who looks sees of a value.

    Args:
        value: The value.
        classified: The class of its column.
        viewer: Who looks.

    Returns:
        As `redact`; to who reveals values, the value itself.
    """
    if value is None or classified.level.shown or viewer.reveals:
        return value
    return f"«{describe(value)}»"


def describe(value: object) -> str:
    """What kind of value it is, how long, and of which characters; nothing by which it could be found out."""
    match value:
        case bool():
            return "true or false"
        case int():
            return f"whole number, {_count(len(str(abs(value))), 'digit')}"
        case float() | Decimal():
            return "number"
        case str():
            return ", ".join(["text", _count(len(value), "character"), *_characters(value)])
        case bytes() | bytearray():
            return _count(len(value), "byte")
        case datetime():
            return "time"
        case date():
            return "date"
        case time():
            return "time of day"
        case Mapping():
            return f"record of {len(value)}"
        case Sequence():
            return f"list of {len(value)}"
        case _:
            return type(value).__name__


def _characters(text: str) -> list[str]:
    """Which characters a text has, as far as that explains why a rule is broken."""
    if not text.strip():
        return ["blanks only"] if text else []
    found = [
        name
        for name, is_there in (
            ("letters", any(map(str.isalpha, text))),
            ("digits", any(map(str.isdigit, text))),
            ("others", any(not one.isalnum() and not one.isspace() for one in text)),
        )
        if is_there
    ]
    return [" and ".join(found), *(["blanks around it"] if text != text.strip() else [])]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
