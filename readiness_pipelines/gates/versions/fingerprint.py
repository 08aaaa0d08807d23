"""A gate's version: the same for gates that mean the same, whatever the order in which they are written."""

import hashlib
import json
from collections.abc import Callable, Iterable
from functools import partial
from types import FunctionType
from typing import Any

from pandera.api.checks import Check

from readiness_pipelines.gates.versions.functions import function_code
from readiness_pipelines.gates.versions.plain import plain

VERSION_DIGITS = 12

_COLLECTIONS = {"allowed_values", "forbidden_values", "values"}
"""Arguments of Pandera's checks whose order and repetitions mean nothing."""

_SORTED = json.JSONEncoder(sort_keys=True, default=plain)
"""Made once: a gate has dozens of facts, an installation thousands of gates."""


def fingerprint(facts: Any) -> str:
    """Hash JSON-like facts into `VERSION_DIGITS` hexadecimal digits; sets and dictionaries have no order."""
    return hashlib.sha256(_SORTED.encode(facts).encode()).hexdigest()[:VERSION_DIGITS]


def check_identity(check: Check) -> dict[str, Any]:
    """What a check means: name, arguments and groups, and for a user's function what it does (`function_code`)."""
    statistics = {
        name: plain(set(value) if name in _COLLECTIONS else value) for name, value in (check.statistics or {}).items()
    }
    identity: dict[str, Any] = {
        "check": check.name,
        "statistics": statistics,
        "ignore_na": check.ignore_na,
        "element_wise": check.element_wise,
    }
    if not statistics or _is_users(written_function(check)):
        identity["code"] = sorted(_code_of(written_function(check)))
        identity["arguments"] = {name: plain(value) for name, value in check._check_kwargs.items()}
    if check.groupby is not None:
        by = check.groupby
        identity["groupby"] = sorted(_code_of(_innermost(by))) if callable(by) else plain(by)
        identity["groups"] = plain(check.groups)
    return identity


def _is_users(function: Callable[..., Any]) -> bool:
    """Whether a check with arguments is not one of Pandera's or ours, of which those say all."""
    return isinstance(function, FunctionType) and not function.__module__.startswith("readiness_pipelines.gates.")


def written_function(check: Check) -> Callable[..., Any]:
    """The function that a user wrote for a check."""
    return _innermost(check._check_fn)


def _innermost(function: Any) -> Callable[..., Any]:
    """The function a user wrote, inside the partials and adapters that Pandera puts around it."""
    while isinstance(function, partial):
        function = function.func
    for cell in getattr(function, "__closure__", None) or ():
        inner = getattr(cell.cell_contents, "check_fn", None)
        if callable(inner):
            return _innermost(inner)
    return getattr(function, "__func__", function)  # type: ignore[no-any-return]  # a classmethod's function is untyped


def _code_of(function: Callable[..., Any]) -> Iterable[str]:
    return function_code(function) if hasattr(function, "__code__") else [repr(function)]
