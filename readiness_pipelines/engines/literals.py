"""The plain values that an expression compares with."""

from collections.abc import Iterator
from typing import Any

from narwhals import Expr

from readiness_pipelines.engines.expressions import nodes_of


def literals_of(lifted: Expr) -> tuple[Any, ...]:
    """The values of Python in an expression, those in lists among them."""
    return tuple(_literals(lifted))


def _literals(part: Any) -> Iterator[Any]:
    match part:
        case Expr():
            for node in nodes_of(part):
                for inner in (*node.exprs, *node.kwargs.values()):
                    yield from _literals(inner)
        case list() | tuple() | set() | frozenset():
            for inner in part:
                yield from _literals(inner)
        case _:
            yield part
