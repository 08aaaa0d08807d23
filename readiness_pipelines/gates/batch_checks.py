"""Pandera checks that speak of the whole batch, ready-made: for a table's ``rules``, or a schema's ``checks``."""

import narwhals.stable.v1 as nw
from pandera.api.checks import Check

from readiness_pipelines.errors import DeclarationError


def row_count(*, at_least: int | None = None, at_most: int | None = None) -> Check:
    """The batch has between so many rows; unreadable rows are not counted.

    Raises:
        DeclarationError: No bound, or bounds the wrong way round.
    """
    _check_bounds("row_count", at_least, at_most)
    statistics = {"at_least": at_least, "at_most": at_most}

    def count_within(_frame: object) -> nw.Expr:
        return nw.len().is_between(at_least or 0, 2**62 if at_most is None else at_most)

    return Check(count_within, native=False, name="row_count", error=_text("row_count", statistics), **_meant(statistics))


def null_share(column: str, *, at_most: float) -> Check:
    """At most this share of a column's values is missing, 0 to 1.

    Raises:
        DeclarationError: A share outside 0 to 1.
    """
    if not 0 <= at_most <= 1:
        raise DeclarationError(f"null_share of {column!r} is at most {at_most}", way_out="give a share from 0 to 1")
    statistics = {"column": column, "at_most": at_most}

    def share_within(_frame: object) -> nw.Expr:
        return nw.col(column).is_null().mean() <= at_most

    name = f"{column}_null_share"
    return Check(share_within, native=False, name=name, error=_text("null_share", statistics), **_meant(statistics))


def _check_bounds(name: str, at_least: int | None, at_most: int | None) -> None:
    if at_least is None and at_most is None:
        raise DeclarationError(f"{name} has no bound", way_out="give at_least or at_most")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise DeclarationError(f"{name} is at least {at_least} and at most {at_most}", way_out="swap them")


def _text(name: str, statistics: dict[str, object]) -> str:
    return f"{name}({', '.join(f'{k}={v!r}' for k, v in statistics.items() if v is not None)})"


def _meant(statistics: dict[str, object]) -> dict[str, dict[str, object]]:
    return {"statistics": statistics}
