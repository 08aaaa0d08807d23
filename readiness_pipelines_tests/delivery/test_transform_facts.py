"""What a computed table is computed by: another fingerprint where another row may come out, and only there."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import Domain, Ratio
from readiness_pipelines.delivery import transform_facts
from readiness_pipelines_tests.samples import Paid, order_domain

LIMIT = 10


def _condition() -> str:
    return f"amount > {LIMIT}"


def _derived(transform: Callable[..., Any]) -> str:
    shop = Domain("shop", owner="shop@shop.example")
    orders = order_domain().table("orders")
    shop.derived(name="paid", schema=Paid, reads={"orders": orders.same()})(transform)
    return str(transform_facts(shop.table("paid"))["code"])


def first(orders: Relation) -> Relation:
    """Some orders."""
    return orders.filter(_condition())


def reworded(orders: Relation) -> Any:
    """The orders that count, in other words."""
    # A comment, too.
    return orders.filter(_condition())


def other(orders: Relation) -> Relation:
    """Some orders."""
    return orders.filter("NOT " + _condition())


def closing_over(condition: str) -> Callable[..., Any]:
    def closed(orders: Relation) -> Relation:
        return orders.filter(condition)

    return closed


def test_a_transform_is_what_it_does_with_what_it_names_and_not_how_it_is_written() -> None:
    assert _derived(first) == _derived(reworded) != _derived(other)
    assert _derived(closing_over("true")) == _derived(closing_over("true")) != _derived(closing_over("false"))
    # The same text, in a module of this project where the constant that a function names is another one.
    elsewhere = {**_condition.__globals__, "LIMIT": 11}
    elsewhere["_condition"] = FunctionType(_condition.__code__, elsewhere)
    assert _derived(FunctionType(first.__code__, elsewhere)) != _derived(first)


def test_a_kpi_is_also_its_unit_and_target_and_a_source_is_computed_by_nothing() -> None:
    def kpi(unit: str, target: str | None) -> Any:
        shop = Domain("shop", owner="shop@shop.example")
        orders = order_domain().table("orders")

        @shop.kpi(question="?", unit=unit, target=target, reads={"orders": orders.same()})
        def rate(orders: Relation) -> Ratio:
            return Ratio("count(*)", "count(*)")

        return transform_facts(shop.table("rate"))

    assert kpi("ratio", None) == kpi("ratio", None)
    assert kpi("ratio", "<= 0.5")["target"] == "<= 0.5"
    assert kpi("ratio", None)["unit"] != kpi("percent", None)["unit"]
    assert transform_facts(order_domain().table("orders")) == {}
