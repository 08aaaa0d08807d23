"""A lifted expression as a Python function of one record, for rules that are evaluated one record at a time.

Three-valued, as in the query: null in, null out. What is not known here is left to Pandera, over a table of one row.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

import narwhals.stable.v1 as nw
import re2
from narwhals import Expr

from readiness_pipelines.engines.expressions import nodes_of
from readiness_pipelines.gates.record.instants import instant

Evaluate = Callable[[Mapping[str, Any]], Any]
"""From a record's typed values to what an expression says of them."""


class NotCompiledError(Exception):
    """An operation that has no counterpart here; its message names it."""


def compile_expression(lifted: Expr) -> Evaluate:
    """Make a function of one record out of an expression.

    Raises:
        NotCompiledError: The expression uses an operation that is not known here.
    """
    evaluate: Evaluate | None = None
    for node in nodes_of(lifted):
        evaluate = _compile_node(node, evaluate)
    if evaluate is None:
        raise NotCompiledError("an empty expression")
    return evaluate


def of_instants(evaluate: Evaluate, zoned: Sequence[str]) -> Evaluate:
    """A compiled expression for records whose times, in some columns, may be in any zone.

    Args:
        evaluate: The expression; its constants are instants.
        zoned: The columns of times with a zone.

    Returns:
        A function that raises OverflowError for a time that UTC does not have.
    """
    return lambda record: evaluate({**record, **{name: instant(record[name]) for name in zoned}})


def _compile_node(node: Any, inner: Evaluate | None) -> Evaluate:
    if node.name == "col":
        (name,) = node.kwargs["names"]
        return lambda record: record[name]
    if node.name == "lit":
        return _constant(_plain(node.kwargs["value"]))
    if not node.str_as_lit and any(isinstance(operand, str) for operand in node.exprs):
        raise NotCompiledError(f"{node.name} of columns named by text")
    if inner is None:
        raise NotCompiledError(node.name)
    if node.name in _KLEENE:
        return _KLEENE[node.name](inner, _operand(node.exprs[0]))
    if node.name in _BINARY:
        return _binary(_BINARY[node.name], inner, _operand(node.exprs[0]))
    if node.name in _UNARY:
        return _UNARY[node.name](inner)
    if node.name in _WITH_ARGUMENTS:
        return _WITH_ARGUMENTS[node.name](inner, node)
    raise NotCompiledError(node.name)


def _operand(value: Any) -> Evaluate:
    return compile_expression(value) if isinstance(value, Expr) else _constant(_plain(value))


def _plain(value: Any) -> Any:
    """A constant that compares like the query's; what might not is left to Pandera."""
    if isinstance(value, Expr | nw.Series) or value != value:  # noqa: PLR0124  # NaN differs from itself
        raise NotCompiledError(f"constant {value!r}")
    try:
        return instant(value)
    except OverflowError as error:
        raise NotCompiledError(f"constant {value!r}") from error


def _constant(value: Any) -> Evaluate:
    return lambda _record: value


def _binary(operation: Callable[[Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(record: Mapping[str, Any]) -> Any:
        a, b = left(record), right(record)
        return None if a is None or b is None else operation(a, b)

    return evaluate


def _compared(operation: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison in which whole numbers are floats beside a float, as in the query: Python compares exactly."""

    def compare(a: Any, b: Any) -> bool:
        if type(a) is int and type(b) is float:
            a = float(a)
        elif type(a) is float and type(b) is int:
            b = float(b)
        return operation(a, b)

    return compare


def _computed(operation: Callable[[Any, Any], Any], exact: Callable[[Any, Any], Decimal]) -> Callable[[Any, Any], Any]:
    """An operation that keeps all digits of decimals, as the query does: Python's own rounds to 28."""
    return lambda a, b: (exact if isinstance(a, Decimal) or isinstance(b, Decimal) else operation)(a, b)


_EXACT_WHOLE = 2**53
"""Whole numbers up to this one are floats, too."""
_EXACT = Context(prec=76)
"""Digits enough for the product of two decimals of 38 digits."""
_lt, _le = _compared(operator.lt), _compared(operator.le)


def _and(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(record: Mapping[str, Any]) -> Any:
        a, b = left(record), right(record)
        if a is False or b is False:
            return False
        return None if a is None or b is None else True

    return evaluate


def _or(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(record: Mapping[str, Any]) -> Any:
        a, b = left(record), right(record)
        if a is True or b is True:
            return True
        return None if a is None or b is None else False

    return evaluate


def _valued(operation: Callable[[Any], Any]) -> Callable[[Evaluate], Evaluate]:
    def compiled(inner: Evaluate) -> Evaluate:
        def evaluate(record: Mapping[str, Any]) -> Any:
            value = inner(record)
            return None if value is None else operation(value)

        return evaluate

    return compiled


def _is_null(inner: Evaluate) -> Evaluate:
    return lambda record: inner(record) is None


def _is_in(inner: Evaluate, node: Any) -> Evaluate:
    values = [_plain(value) for value in node.kwargs["other"]]
    if None in values:
        raise NotCompiledError("is_in with null")
    known = frozenset(values)
    if not any(type(value) is int and abs(value) > _EXACT_WHOLE for value in known):
        return _valued(known.__contains__)(inner)
    as_floats = frozenset(float(value) if type(value) is int else value for value in known)
    return _valued(lambda value: value in (as_floats if type(value) is float else known))(inner)


def _is_between(inner: Evaluate, node: Any) -> Evaluate:
    low, high = (_operand(bound) for bound in node.exprs)
    closed = node.kwargs["closed"]
    includes_low, includes_high = closed in ("both", "left"), closed in ("both", "right")

    def evaluate(record: Mapping[str, Any]) -> Any:
        value, a, b = inner(record), low(record), high(record)
        if value is None or a is None or b is None:
            return None
        return (_le if includes_low else _lt)(a, value) and (_le if includes_high else _lt)(value, b)

    return evaluate


def _fill_null(inner: Evaluate, node: Any) -> Evaluate:
    if node.kwargs.get("strategy") is not None:
        raise NotCompiledError("fill_null by strategy")
    other = _operand(node.exprs[0])

    def evaluate(record: Mapping[str, Any]) -> Any:
        value = inner(record)
        return other(record) if value is None else value

    return evaluate


def _contains(inner: Evaluate, node: Any) -> Evaluate:
    pattern = _argument(node, "pattern")
    if node.kwargs.get("literal"):
        return _valued(lambda text: pattern in text)(inner)
    search, found = re2.compile(pattern).search, _set_of(pattern).Match
    # A set answers in a quarter of the time, for it tells no places; out of memory it says no, so that is asked again.
    return _valued(lambda text: found(text) is not None or search(text) is not None)(inner)


def _set_of(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    one = re2.Set.SearchSet(options)
    one.Add(pattern)
    one.Compile()
    return one


def _starts_with(inner: Evaluate, node: Any) -> Evaluate:
    prefix = _argument(node, "prefix")
    return _valued(lambda text: text.startswith(prefix))(inner)


def _ends_with(inner: Evaluate, node: Any) -> Evaluate:
    suffix = _argument(node, "suffix")
    return _valued(lambda text: text.endswith(suffix))(inner)


def _argument(node: Any, name: str) -> str:
    value = node.exprs[0] if node.exprs else node.kwargs[name]
    if not isinstance(value, str):
        raise NotCompiledError(f"{node.name} with {type(value).__name__}")
    return value


_KLEENE: Mapping[str, Callable[[Evaluate, Evaluate], Evaluate]] = {"__and__": _and, "__or__": _or}
_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "__eq__": _compared(operator.eq),
    "__ne__": _compared(operator.ne),
    "__gt__": _compared(operator.gt),
    "__ge__": _compared(operator.ge),
    "__lt__": _lt,
    "__le__": _le,
    "__add__": _computed(operator.add, _EXACT.add),
    "__sub__": _computed(operator.sub, _EXACT.subtract),
    "__mul__": _computed(operator.mul, _EXACT.multiply),
}
_UNARY: Mapping[str, Callable[[Evaluate], Evaluate]] = {
    "__invert__": _valued(lambda value: not value),
    "is_null": _is_null,
    "abs": _valued(lambda value: value.copy_abs() if isinstance(value, Decimal) else abs(value)),
    "str.len_chars": _valued(len),
    "str.to_lowercase": _valued(str.lower),
    "str.to_uppercase": _valued(str.upper),
}
_WITH_ARGUMENTS: Mapping[str, Callable[[Evaluate, Any], Evaluate]] = {
    "is_in": _is_in,
    "is_between": _is_between,
    "fill_null": _fill_null,
    "str.contains": _contains,
    "str.starts_with": _starts_with,
    "str.ends_with": _ends_with,
}
