"""Shapes: the first one is accepted by itself, later ones by people; all of them stay."""

import pytest

from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger import AUTOMATIC, Ledger, Shape
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, PAID

FIRST = {"b": "int64", "a": "string"}


def accept(ledger: Ledger, columns: dict[str, str], *, who: str = AUTOMATIC, why: str = "first seen") -> Shape:
    return ledger.accept_shape(ORDERS, columns, who=who, why=why, at=NOW, batch="day_1")


def test_the_shape_accepted_last_holds_and_all_are_kept(ledger: Ledger) -> None:
    assert ledger.accepted_shape(ORDERS) is None
    first = accept(ledger, FIRST)
    assert ledger.accepted_shape(ORDERS) == first
    assert list(first.columns) == ["b", "a"]
    second = accept(ledger, {**FIRST, "c": "date"}, who="ann", why="announced")
    assert ledger.accepted_shape(ORDERS) == second
    assert ledger.shapes(ORDERS) == (first, second)
    assert ledger.shapes(PAID) == ()


def test_only_people_accept_another_shape(ledger: Ledger) -> None:
    first = accept(ledger, FIRST)
    assert accept(ledger, {"x": "int64"}) == first
    assert ledger.shapes(ORDERS) == (first,)


def test_the_same_columns_are_not_accepted_twice(ledger: Ledger) -> None:
    first = accept(ledger, FIRST)
    assert accept(ledger, dict(reversed(FIRST.items())), who="ann", why="again") == first
    with pytest.raises(LedgerError, match="has no reason"):
        accept(ledger, {}, who="ann", why=" ")
    assert ledger.shapes(ORDERS) == (first,)
