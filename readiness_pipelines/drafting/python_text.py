"""Values as Python writes them on a page: types, cleansing, arguments, comments of bounded width."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from readiness_pipelines.contracts.cleansing import Categories, ColumnStep, Dates, NullTokens, Numbers, Trim
from readiness_pipelines.errors import printable

WIDTH = 110

_PLAIN = {
    pa.bool_(): "bool_", pa.string(): "string", pa.date32(): "date32", pa.float32(): "float32", pa.float64(): "float64",
    **{getattr(pa, f"{sign}int{bits}")(): f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}  # fmt: skip


def type_text(kind: pa.DataType) -> str | None:
    """An Arrow type as the page writes it; ``None`` for one that no gate judges."""
    if kind in _PLAIN:
        return f"arrow.{_PLAIN[kind]}()"
    if pa.types.is_timestamp(kind):
        zone = f', tz="{kind.tz}"' if kind.tz else ""
        return f'arrow.timestamp("{kind.unit}"{zone})'
    if pa.types.is_time(kind):
        return 'arrow.time64("us")'
    if pa.types.is_decimal128(kind):
        return f"arrow.decimal128({kind.precision}, {kind.scale})"
    if pa.types.is_list(kind):
        inner = type_text(kind.value_type)
        return None if inner is None else f"arrow.list_({inner})"
    return None


def step_text(step: ColumnStep) -> str:
    """A cleansing step as the page writes it."""
    match step:
        case Trim():
            return "Trim()"
        case NullTokens(tokens=tokens):
            return f"NullTokens({value_text(list(tokens))})"
        case Dates(formats=formats, canonical=canonical):
            more = "" if canonical == "%Y-%m-%d" else f", canonical={value_text(canonical)}"
            return f"Dates([{', '.join(map(value_text, formats))}]{more})"
        case Numbers(decimal=decimal, thousands=thousands, currencies=currencies):
            given = [f"decimal={value_text(decimal)}"] if decimal != "." else []
            given += [f"thousands={value_text(thousands)}"] if thousands else []
            given += [f"currencies=({', '.join(map(value_text, currencies))},)"] if currencies else []
            return f"Numbers({', '.join(given)})"
        case Categories(mapping=mapping):
            return f"Categories({value_text(dict(mapping))})"
        case _:
            raise TypeError(f"{step!r} is not a step that is drafted")


def value_text(value: Any) -> str:
    """A value as Python writes it, texts in double quotes."""
    match value:
        case str() if '"' not in value and "\\" in value and value.isprintable() and not value.endswith("\\"):
            return f'r"{value}"'
        case str() if '"' not in value and "'" not in value:
            return f'"{repr(value)[1:-1]}"'
        case dict():
            return "{" + ", ".join(f"{value_text(key)}: {value_text(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(value_text, value)) + "]"
        case tuple():
            return "(" + "".join(f"{value_text(one)}, " for one in value).strip() + ")" if len(value) == 1 else (
                "(" + ", ".join(map(value_text, value)) + ")")  # fmt: skip
        case _:
            return repr(value)


def comment(text: str, indent: str = "    ") -> list[str]:
    """A comment, on as many lines as it takes. What is data in it cannot end a line."""
    plain = " ".join(printable(text).split())
    return textwrap.wrap(
        plain,
        width=WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=True,
        break_on_hyphens=False,
    )


def call(head: str, arguments: Sequence[str], indent: str, tail: str = "") -> list[str]:
    """A call on one line, or an argument a line where that is too long; long lists of an argument are wrapped, too."""
    whole = f"{indent}{head}({', '.join(arguments)}){tail}"
    if len(whole) <= WIDTH + 10 or not arguments:
        return [whole]
    lines = [f"{indent}{head}("]
    for argument in arguments:
        lines += wrapped(f"{argument},", f"{indent}    ")
    return [*lines, f"{indent}){tail}"]


def wrapped(text: str, indent: str) -> list[str]:
    """An argument that is a list or dictionary, an element a line where it is too long for one."""
    line = f"{indent}{text}"
    opening = min((at for at in (text.find("["), text.find("{"), text.find("(")) if at >= 0), default=-1)
    quoted = min((at for at in (text.find('"'), text.find("'")) if at >= 0), default=len(text))
    if len(line) <= WIDTH + 10 or opening < 0 or quoted < opening:
        return [line]
    closing = len(text.rstrip(",")) - 1
    inner = [f"{indent}    {one}," for one in _elements(text[opening + 1 : closing])]
    return [f"{indent}{text[: opening + 1]}", *inner, f"{indent}{text[closing:]}"]


def _elements(text: str) -> Iterable[str]:
    """The elements of a list's or dictionary's text: what stands between commas that are in no quotes or brackets."""
    start, depth, quote, skip = 0, 0, "", False
    for at, letter in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = letter == "\\"
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    if rest := text[start:].strip():
        yield rest
