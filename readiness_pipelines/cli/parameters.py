"""A model's parameters, as people type them."""

import json
from collections.abc import Sequence
from types import NoneType
from typing import Any

from readiness_pipelines.contracts import Model
from readiness_pipelines.errors import DeclarationError, UnknownNameError


def read_parameters(model: Model, given: Sequence[str]) -> dict[str, Any]:
    """Parameters as they were typed, each of the type of the model's own of that name.

    Args:
        model: The model.
        given: Each ``name=value``; a list, a mapping and what is ``None`` by default are written as JSON, and what is
            ``None`` by default also as text.

    Raises:
        UnknownNameError: The model has no parameter of the name, or it is given no value.
        DeclarationError: The value is not of the type.
    """
    found: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if name not in model.params or not equals:
            raise UnknownNameError(f"parameter of {model.id}", name, model.params)
        found[name] = _param(one, model.params[name], text)
    return found


def _param(given: str, usual: Any, text: str) -> Any:
    kind = type(usual)
    if kind is bool and text not in ("true", "false"):
        raise DeclarationError(f"--param {given} is neither true nor false", way_out="write true or false")
    try:
        if kind not in (list, tuple, dict, set, NoneType):
            return text == "true" if kind is bool else kind(text)
        value = json.loads(text)
        if usual is not None and not isinstance(value, dict if kind is dict else list):
            raise TypeError
    except (TypeError, ValueError, ArithmeticError):  # a Decimal's error is of arithmetic
        if usual is None:
            return text
        example = json.dumps(usual, default=str)
        raise DeclarationError(
            f"--param {given} is not a {kind.__name__}", way_out=f"write it as its own value is: {example}"
        ) from None
    return value if usual is None else kind(value)
