"""Pandera checks that are about the whole batch, ready-made: for a table's ``rules``, or a schema's ``checks``."""

from collections.abc import Callable, Mapping

import narwhals.stable.v1 as nw
from pandera.api.checks import Check

from readiness_pipelines.errors import DeclarationError


def row_count(*, at_least: int | None = None, at_most: int | None = None) -> Check:
    """The batch has between so many rows; unreadable rows are not counted.

    Args:
        at_least: How many it has at least; by default no bound.
        at_most: How many it has at most; by default no bound.

    Raises:
        DeclarationError: No bound, or bounds the wrong way round.

    Example:
        rules = [row_count(at_least=1_000, at_most=1_000_000)]
    """
    _check_bounds("row_count", at_least, at_most)
    statistics = {"at_least": at_least, "at_most": at_most}

    def count_within(_frame: object) -> nw.Expr:
        return nw.len().is_between(at_least or 0, 2**62 if at_most is None else at_most)

    return _check(count_within, "row_count", "row_count", statistics)


def null_share(column: str, *, at_most: float) -> Check:
    """At most this share of a column's values is missing.

    Args:
        column: The column, as the schema names it.
        at_most: The share, 0 to 1.

    Raises:
        DeclarationError: A share outside 0 to 1.

    Example:
        rules = [null_share("payer", at_most=0.5)]
    """
    if not 0 <= at_most <= 1:
        raise DeclarationError(f"null_share of {column!r} is at most {at_most}", way_out="give a share from 0 to 1")
    statistics = {"column": column, "at_most": at_most}

    def share_within(_frame: object) -> nw.Expr:
        return (nw.len() == 0) | (nw.col(column).null_count() / nw.len() <= at_most)

    return _check(share_within, f"{column}_null_share", "null_share", statistics)


def _check_bounds(name: str, at_least: int | None, at_most: int | None) -> None:
    if at_least is None and at_most is None:
        raise DeclarationError(f"{name} has no bound", way_out="give at_least or at_most")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise DeclarationError(f"{name} is at least {at_least} and at most {at_most}", way_out="swap them")


def _check(function: Callable[[object], nw.Expr], name: str, kind: str, statistics: Mapping[str, object]) -> Check:
    """The check, which means what its arguments say: they, not its code, are what a gate's version is made of."""
    arguments = ", ".join(f"{argument}={value!r}" for argument, value in statistics.items() if value is not None)
    return Check(function, native=False, name=name, error=f"{kind}({arguments})", statistics=dict(statistics))
