"""What a function of the user's does, as text: another text where another result may come out, and only there."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from re import Pattern
from types import FunctionType
from typing import Any

from readiness_pipelines.gates.versions.plain import plain

Unwrap = Callable[[Any], Any]
"""From what a name stands for to the function behind it."""

_CONSTANTS = (str, bytes, int, float, tuple, list, dict, set, frozenset, Decimal, date, time, timedelta, Enum, Pattern)


def _as_it_is(value: Any) -> Any:
    return value


def function_code(function: Any, *, unwrap: Unwrap = _as_it_is) -> list[str]:
    """What a function does, and the functions and constants of its own project that it names, each once.

    Comments, docstrings, annotations, decorators and layout do not count.

    Args:
        function: A function of the user's.
        unwrap: Makes of what a name stands for the function behind it, where there is one.
    """
    seen: dict[Any, list[str]] = {}
    _collect(function, seen, root=_root(function), unwrap=unwrap)
    return [line for lines in seen.values() for line in lines]


def _collect(function: Any, seen: dict[Any, list[str]], *, root: str, unwrap: Unwrap) -> None:
    if function in seen:
        return
    if not isinstance(function, FunctionType):
        seen[function] = [type(function).__name__]
        return
    lines = seen[function] = []
    tree = _tree(function)
    code = function.__code__
    lines.append(ast.dump(tree) if tree else f"{code.co_code.hex()} {code.co_consts!r} {code.co_names!r}")
    lines.append(repr(function.__defaults__))
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree else code.co_names)
    for name, value in ((name, unwrap(value)) for name, value in _named(function, names)):
        if isinstance(value, FunctionType):
            if _root(value) == root:
                _collect(value, seen, root=root, unwrap=unwrap)
        elif value is None or isinstance(value, _CONSTANTS):
            lines.append(f"{name}={plain(value)!r}")


def _named(function: FunctionType, names: list[str]) -> Iterator[tuple[str, Any]]:
    """The values of the names that a function takes from around it."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not given a value yet
            continue
    for name in names:
        if name in function.__globals__ and name not in function.__code__.co_freevars:
            yield name, function.__globals__[name]


def _tree(function: FunctionType) -> ast.AST | None:
    """What a function does, without decorators, annotations of its own, and docstring; ``None`` without a source."""
    try:
        found = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, SyntaxError, TypeError, IndexError):  # written in a shell, or in the middle of an expression
        return None
    if not isinstance(found, ast.FunctionDef):
        lambdas = [node for node in ast.walk(found) if isinstance(node, ast.Lambda)]
        return lambdas[0] if len(lambdas) == 1 else found
    body = found.body[1:] if ast.get_docstring(found, clean=False) is not None else found.body
    arguments = ast.arguments(
        posonlyargs=[ast.arg(one.arg) for one in found.args.posonlyargs],
        args=[ast.arg(one.arg) for one in found.args.args],
        kwonlyargs=[ast.arg(one.arg) for one in found.args.kwonlyargs],
        kw_defaults=found.args.kw_defaults,
        defaults=found.args.defaults,
    )
    return ast.FunctionDef(name="", args=arguments, body=body, decorator_list=[])


def _root(function: Any) -> str:
    """The project that a function is of: the first part of its module's name."""
    return str(getattr(function, "__module__", "")).partition(".")[0]
