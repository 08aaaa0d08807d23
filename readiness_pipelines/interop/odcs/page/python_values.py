"""Values, types and declarations as the page writes them, and what it imports for them."""

import math
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from readiness_pipelines.drafting.python_text import comment, value_text
from readiness_pipelines.durations import format_duration
from readiness_pipelines.errors import printable
from readiness_pipelines.interop.odcs.declarations import (
    declared,
)


@dataclass(slots=True)
class Writing:
    """What the page uses, and what it loses, while it is written."""

    with_code: bool
    names: set[str] = field(default_factory=set)
    modules: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def lose(self, what: str) -> list[str]:
        """Note that something is not on the page; the comment that says so."""
        self.lost.append(what)
        return comment(f"NOT MAPPED: {what}")


def text_of(value: Any) -> str:
    """A plain value as Python writes it; texts in double quotes, whatever is in them."""
    if isinstance(value, str):
        return value_text(value) if value.isprintable() else repr(value)
    return value_text(value)


def plain_words(text: str) -> str:
    """A text that cannot end the docstring it stands in."""
    return " ".join(printable(text).split()).replace("\\", "/").replace('"', "'")


def arrow_text(kind: pa.DataType | None, writing: Writing) -> str:
    """An Arrow type as Python writes it."""
    if kind is None:
        return "arrow.string()"
    if pa.types.is_list(kind):
        return f"arrow.list_({arrow_text(kind.value_type, writing)})"
    if pa.types.is_struct(kind):
        members = ", ".join(
            f"({text_of(kind.field(at).name)}, {arrow_text(kind.field(at).type, writing)})"
            for at in range(kind.num_fields)
        )
        return f"arrow.struct([{members}])"
    if pa.types.is_timestamp(kind):
        return f"arrow.timestamp({text_of(kind.unit)}{f', tz={text_of(kind.tz)}' if kind.tz else ''})"
    if pa.types.is_decimal(kind):
        return f"arrow.decimal128({kind.precision}, {kind.scale})"
    if pa.types.is_time(kind):
        return 'arrow.time64("us")'
    named = {"bool": "bool_", "double": "float64", "float": "float32", "halffloat": "float16", "date32[day]": "date32"}
    return f"arrow.{named.get(str(kind), str(kind))}()"


def literal_text(value: Any, writing: Writing) -> str:
    """A value as Python writes it, with what it takes imported."""
    match value:
        case datetime():
            writing.modules["datetime"] = "datetime"
            if value.tzinfo is not None:
                return f"datetime.datetime.fromisoformat({text_of(value.isoformat())})"
            return repr(value)
        case date() | time() | timedelta():
            writing.modules["datetime"] = "datetime"
            return repr(value)
        case Decimal():
            writing.modules["decimal"] = "decimal"
            return f'decimal.Decimal("{value}")'
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case dict():
            return (
                "{"
                + ", ".join(f"{literal_text(k, writing)}: {literal_text(v, writing)}" for k, v in value.items())
                + "}"
            )
        case list() | tuple():
            return "[" + ", ".join(literal_text(one, writing) for one in value) + "]"
        case _:
            return text_of(value)


def made_text(given: Any, known: tuple[str, ...], writing: Writing, first: str = "") -> str:
    """A declaration as Python writes it.

    Raises:
        ValueError: It is none of those that are known, with the reason.
    """
    name, arguments = declared(given, known)
    writing.names.add(name)
    parts = [literal_text(arguments.pop(first), writing)] if first in arguments else []
    parts += [f"{key}={argument_text(value, writing)}" for key, value in arguments.items()]
    return f"{name}({', '.join(parts)})"


def argument_text(value: Any, writing: Writing) -> str:
    """An argument of a declaration as people write it: durations and days as texts."""
    if isinstance(value, timedelta):
        return f'"{format_duration(value)}"'
    if isinstance(value, date) and not isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    return literal_text(value, writing)
