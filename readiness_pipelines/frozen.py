"""What all declarations share: frozen, strict about names, and clear about what is wrong where it is written."""

import functools
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from readiness_pipelines.errors import DeclarationError, ReadinessError, UnknownNameError


class Frozen(BaseModel):
    """A frozen declaration, checked where it is written.

    Raises:
        UnknownNameError: A field that the declaration does not have; names the nearest.
        DeclarationError: A field that is missing, or a value that does not fit; names all of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def __init__(self, **fields: Any) -> None:
        """Check all fields."""
        for name in fields:
            if name not in type(self).model_fields:
                raise UnknownNameError(f"argument of {type(self).__name__}", str(name), type(self).model_fields)
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise declaration_error(type(self).__name__, error) from None


T = TypeVar("T")


def checked(declared: type[T]) -> type[T]:
    """Let a pydantic dataclass refuse what does not fit with our errors, as `Frozen` does."""
    construct = declared.__init__

    @functools.wraps(construct)
    def check(self: Any, *arguments: Any, **named: Any) -> None:
        try:
            construct(self, *arguments, **named)
        except ValidationError as error:
            raise declaration_error(declared.__name__, error) from None

    declared.__init__ = check  # type: ignore[method-assign]  # a decorator's way to a dataclass's own
    return declared


def declaration_error(what: str, error: ValidationError) -> ReadinessError:
    """What pydantic refuses, as an error of ours: which argument, what is wrong with it, without a web address.

    Args:
        what: What is declared ("Source", "[alerts] in readiness.toml").
        error: Pydantic's error.
    """
    problems = [_problem(details) for details in error.errors(include_url=False)]
    return DeclarationError(f"{what}: " + "; ".join(dict.fromkeys(problems)), way_out="")


def _problem(details: Mapping[str, Any]) -> str:
    cause = details.get("ctx", {}).get("error")
    cause = cause if isinstance(cause, Exception) else None
    where = ".".join(map(str, details["loc"]))
    message = str(cause) if cause is not None else str(details["msg"])
    message = message[:1].lower() + message[1:] if cause is None else message
    given = details.get("input")
    if details["type"] == "missing":
        return f"{where} is missing"
    if cause is None and isinstance(given, str | int | float | bool | None):
        message = f"{message}, not {given!r}"
    return f"{where}: {message}" if where else message
