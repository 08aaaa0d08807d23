"""The arguments of a class, a function or a command, with their types and defaults as a person would write them."""

import collections.abc
import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import readiness_pipelines
from readiness_pipelines.batches import TimeZone
from readiness_pipelines.batches.kinds import BatchKey
from readiness_pipelines.batches.schedules import CronExpression
from readiness_pipelines.contracts.tables import DerivedTable, GatedTable, Kpi
from readiness_pipelines.contracts.texts import SomeTexts, Texts
from readiness_pipelines.durations import Duration, format_duration

REQUIRED = object()
"""The default of an argument that must be given."""

CALLED = {"listing": "arrivals"}
"""Fields that are given by another name than they are kept by, which is that of the docstring."""

_WORDS: Mapping[Any, str] = {
    Duration: "duration",
    TimeZone: "time zone",
    CronExpression: "cron expression",
    str | timedelta | None: "duration or none",
    SomeTexts: "text, or several",
    str | collections.abc.Sequence[str]: "text, or several",
    Texts: "text, or several",
    BatchKey: "text",
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    dict: "mapping",
    collections.abc.Mapping: "mapping",
    collections.abc.Callable: "function",
    types.NoneType: "none",
    timedelta: "duration",
    Path: "path",
    GatedTable | DerivedTable | Kpi: "table",
    Any: "any",
}


_ANYTHING = {
    "schema": "schema",
    "rules": "rules",
    "plausible": "rules",
    "table": "table, Read, or text",
    "of": "relation or none",
}
"""What is meant where a type says nothing, for libraries have no class for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument.

    Attributes:
        name: As it is written.
        kind: Its type, in words.
        default: As it is written; ``None`` where the argument must be given.
        positional: Whether it may be given by its place.
    """

    name: str
    kind: str
    default: str | None
    positional: bool = False


def arguments_of(documented: Any) -> tuple[Argument, ...]:
    """The arguments of a class or function, in the order in which they are written."""
    if isinstance(documented, type) and issubclass(documented, BaseModel):
        return tuple(sorted(_fields_of_model(documented), key=lambda one: not one.positional))
    if isinstance(documented, type) and dataclasses.is_dataclass(documented):
        return tuple(_fields_of_dataclass(documented))
    return tuple(_parameters(documented))


def _fields_of_model(model: type[BaseModel]) -> Iterator[Argument]:
    hints = typing.get_type_hints(model, include_extras=True)
    by_place = {
        name
        for name, parameter in inspect.signature(model.__init__).parameters.items()
        if parameter.kind is parameter.POSITIONAL_ONLY
    }
    for name, field in model.model_fields.items():
        if field.is_required():
            value = REQUIRED
        else:
            value = field.default_factory() if field.default_factory is not None else field.default  # type: ignore[call-arg]  # none of ours looks at other fields
        yield _argument(CALLED.get(name, name), hints[name], value, positional=name in by_place)


def _fields_of_dataclass(declared: type) -> Iterator[Argument]:
    hints = typing.get_type_hints(declared, include_extras=True)
    for field in dataclasses.fields(declared):
        default = field.default if field.default is not dataclasses.MISSING else REQUIRED
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if isinstance(default, FieldInfo):
            default = REQUIRED if default.is_required() else default.default
        yield _argument(field.name, hints[field.name], default, positional=not field.kw_only)


def _parameters(function: Any) -> Iterator[Argument]:
    if isinstance(function, type) and "__init__" not in vars(function):
        return  # a schema to build on, which nobody calls
    made = vars(function)["__init__"] if isinstance(function, type) else function
    hints = typing.get_type_hints(made, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "self":
            continue
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        default = REQUIRED if parameter.default is parameter.empty else parameter.default
        positional = parameter.kind is not parameter.KEYWORD_ONLY
        yield _argument(f"{stars}{name}", hints.get(name, Any), default, positional=positional)


def _argument(name: str, kind: Any, default: object, *, positional: bool) -> Argument:
    written = None if default is REQUIRED or name.startswith("*") else _default(default)
    words = _ANYTHING[name] if kind in (Any, Sequence[Any]) and name in _ANYTHING else kind_in_words(kind)
    return Argument(name=name, kind=words, default=written, positional=positional)


def kind_in_words(kind: Any) -> str:
    """A type, as a person would call it."""
    if isinstance(kind, typing.Hashable) and kind in _WORDS:
        return _WORDS[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Enum) and kind.__name__ not in readiness_pipelines.__all__:
        return " or ".join(f'`"{one}"`' for one in kind)
    if origin is None:
        return str(getattr(kind, "__name__", kind))
    if origin is typing.Annotated:
        return kind_in_words(inner[0])
    if origin is typing.Literal:
        return " or ".join(f"`{_default(value)}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(kind_in_words(one) for one in _without_union(inner)))
    if origin is collections.abc.Callable:
        return "function"
    if origin in (dict, collections.abc.Mapping):
        return f"mapping of {kind_in_words(inner[0])} to {kind_in_words(inner[1])}"
    if origin is tuple and Ellipsis not in inner:
        return f"({', '.join(map(kind_in_words, inner))})"
    (one,) = (one for one in inner if one is not Ellipsis)
    if one is Any:
        return "several"
    return "texts" if one is str else f"several of {kind_in_words(one)}"


def _without_union(inner: tuple[Any, ...]) -> tuple[Any, ...]:
    """A table's three classes are one word."""
    tables = (GatedTable, DerivedTable, Kpi)
    if all(one in inner for one in tables):
        return (GatedTable | DerivedTable | Kpi, *(one for one in inner if one not in tables))
    return inner


def _default(value: object) -> str:
    match value:
        case Enum():
            return f"{type(value).__name__}.{value.name}"
        case timedelta():
            return f'"{format_duration(value)}"'
        case Path():
            return _default(str(value))
        case str() if '"' not in value:
            return f'"{value}"'
        case tuple() if value:
            return f"({', '.join(map(_default, value))}{',' * (len(value) == 1)})"
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return f"{type(value).__name__}()"
        case _:
            return repr(value)
