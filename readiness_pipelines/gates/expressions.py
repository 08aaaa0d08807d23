"""What a Narwhals expression is made of: the one file that reads its nodes, which Narwhals keeps private."""

from collections.abc import Iterator
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
