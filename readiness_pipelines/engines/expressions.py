"""What a Narwhals expression is made of: the one file that reads its nodes, which Narwhals keeps private."""

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import narwhals.stable.v1 as nw


def nodes_of(lifted: nw.Expr) -> tuple[Any, ...]:
    """The operations of an expression, each applied to what the ones before it gave."""
    return tuple(lifted._nodes)


def columns_of(lifted: nw.Expr) -> tuple[str, ...]:
    """The columns that an expression reads, in order; none where it does not name them."""
    return tuple(dict.fromkeys(_names(lifted)))


def is_elementwise(lifted: nw.Expr) -> bool:
    """Whether an expression's answer for a row depends on that row alone."""
    return all(node.is_elementwise() for node in lifted._nodes)


def _names(part: Any) -> Iterator[str]:
    if isinstance(part, nw.Expr):
        for node in part._nodes:
            if node.name == "col":
                yield from node.kwargs["names"]
            for inner in (*node.exprs, *node.kwargs.values()):
                yield from _names(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _names(inner)


def operations_of(lifted: nw.Expr) -> tuple[str, ...]:
    """The names of all operations of an expression, those of its operands among them."""
    return tuple(_operations(lifted))


def with_patterns(lifted: nw.Expr, write: Callable[[str], str]) -> nw.Expr:
    """The expression with every regular expression in it written anew."""
    return nw.Expr(*(_with_patterns(node, write) for node in lifted._nodes))


def _operations(part: Any) -> Iterator[str]:
    if isinstance(part, nw.Expr):
        for node in part._nodes:
            yield node.name
            for inner in (*node.exprs, *node.kwargs.values()):
                yield from _operations(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _operations(inner)


def _with_patterns(node: Any, write: Callable[[str], str]) -> Any:
    written = copy(node)
    written.exprs = tuple(with_patterns(e, write) if isinstance(e, nw.Expr) else e for e in node.exprs)
    written.kwargs = {
        name: with_patterns(value, write) if isinstance(value, nw.Expr) else value
        for name, value in node.kwargs.items()
    }
    if node.name == "str.contains" and not node.kwargs.get("literal"):
        written.exprs = tuple(write(e) if isinstance(e, str) else e for e in written.exprs)
        if isinstance(pattern := written.kwargs.get("pattern"), str):
            written.kwargs["pattern"] = write(pattern)
    return written
