"""What a computed table is computed by, as plain values: what the ledger keeps with each of its verdicts."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import FunctionType
from typing import Any

from readiness_pipelines.contracts import Computed, DerivedTable, Kpi, Table
from readiness_pipelines.gates.versions.fingerprint import fingerprint, plain

_PLAIN = (str, bytes, int, float, bool, tuple, list, dict, set, frozenset)


def transform_facts(table: Table) -> Mapping[str, Any]:
    """What decides about the rows that a table is computed to have, beside its inputs and its gate; JSON-like.

    ``code`` is a fingerprint of the transform: of what it does, not of its comments, docstring or layout; with the
    functions and constants of the same project that it names. ``language`` and ``key`` are as declared, and of a KPI
    also ``unit``, ``target`` and ``targets``. Empty for a table that a source feeds.
    """
    return _facts(table) if isinstance(table, DerivedTable | Kpi) else {}


@lru_cache(maxsize=1_024)
def _facts(table: Computed) -> Mapping[str, Any]:
    facts: dict[str, Any] = {
        "code": fingerprint(_code(table.transform)),
        "language": table.language,
        "key": list(table.key),
    }
    if isinstance(table, Kpi):
        facts["unit"] = table.unit
        facts["target"] = str(table.target) if table.target else None
        facts["targets"] = {", ".join(values): str(target) for values, target in sorted(table.targets.items())}
        if table.suppress_below is not None:
            facts["suppress_below"] = [table.suppress_below, table.persons]
    return facts


def _code(function: Any) -> list[str]:
    """The transform, and what it names of its own project, each once."""
    seen: dict[Any, list[str]] = {}
    _collect(function, seen, root=_root(function))
    return [line for lines in seen.values() for line in lines]


def _collect(function: Any, seen: dict[Any, list[str]], *, root: str) -> None:
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
    for name, value in _named(function, names):
        value = value.transform if isinstance(value, DerivedTable | Kpi) else value  # noqa: PLW2901  # its function
        if isinstance(value, FunctionType):
            if _root(value) == root:
                _collect(value, seen, root=root)
        elif value is None or isinstance(value, _PLAIN):
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
        return found
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
