"""What a Narwhals expression is made of: the one file that reads its nodes, which Narwhals keeps private."""

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import narwhals.stable.v1 as nw
from narwhals import Expr  # what Narwhals makes itself, inside of `when`, is not of the stable class


def nodes_of(lifted: Expr) -> tuple[Any, ...]:
    """The operations of an expression, each applied to what the ones before it gave."""
    return tuple(lifted._nodes)


def columns_of(lifted: Expr) -> tuple[str, ...]:
    """The columns that an expression reads, in order; none where it does not name all of them."""
    names = tuple(dict.fromkeys(_names(lifted)))
    return () if None in names else tuple(name for name in names if name is not None)


def is_elementwise(lifted: Expr) -> bool:
    """Whether an expression's answer for a row depends on that row alone."""
    return all(node.is_elementwise() for node in lifted._nodes)


def is_scalar(lifted: Expr) -> bool:
    """Whether an expression answers once for the batch, not for each row."""
    scalar = False
    for node in lifted._nodes:
        if node.kind.is_scalar_like:
            scalar = True
        elif node.kind.is_elementwise and node.kind.name == "ELEMENTWISE":
            # The first operation of `nw.coalesce(…)` has operands alone.
            own = scalar or node is lifted._nodes[0]
            scalar = own and all(is_scalar(e) if isinstance(e, Expr) else _is_constant(node, e) for e in node.exprs)
        else:
            scalar = False
    return scalar


def _is_constant(node: Any, operand: Any) -> bool:
    return bool(node.str_as_lit or not isinstance(operand, str))


def _names(part: Any) -> Iterator[str | None]:
    """The names of columns; ``None`` for those that are meant by their place or type."""
    if isinstance(part, Expr):
        for node in part._nodes:
            if node.name == "col":
                yield from node.kwargs["names"]
            elif node.kind.name in _UNNAMED:
                yield None
            for inner in node.exprs:
                yield from (inner,) if isinstance(inner, str) and not node.str_as_lit else _names(inner)
            for argument, inner in node.kwargs.items():
                named = argument in ("partition_by", "order_by")
                yield from (i for i in inner if isinstance(i, str)) if named else ()
                yield from _names(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _names(inner)


_UNNAMED = frozenset({"ALL", "NTH", "EXCLUDE", "SELECTOR"})


def operations_of(lifted: Expr) -> tuple[str, ...]:
    """The names of all operations of an expression, those of its operands among them."""
    return tuple(_operations(lifted))


def with_patterns(lifted: Expr, write: Callable[[str], str]) -> nw.Expr:
    """The expression with every regular expression in it written anew."""
    return nw.Expr(*(_with_patterns(node, write) for node in lifted._nodes))


def _operations(part: Any) -> Iterator[str]:
    if isinstance(part, Expr):
        for node in part._nodes:
            yield node.name
            for inner in (*node.exprs, *node.kwargs.values()):
                yield from _operations(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _operations(inner)


def _with_patterns(node: Any, write: Callable[[str], str]) -> Any:
    written = copy(node)
    written.exprs = tuple(with_patterns(e, write) if isinstance(e, Expr) else e for e in node.exprs)
    written.kwargs = {
        name: with_patterns(value, write) if isinstance(value, Expr) else value for name, value in node.kwargs.items()
    }
    if node.name == "str.contains" and not node.kwargs.get("literal"):
        written.exprs = tuple(write(e) if isinstance(e, str) else e for e in written.exprs)
        if isinstance(pattern := written.kwargs.get("pattern"), str):
            written.kwargs["pattern"] = write(pattern)
    return written
