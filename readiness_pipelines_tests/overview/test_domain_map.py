"""The map says at every step what is read, who answers, and what is at risk; a data path follows from a product."""

from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import Value
from readiness_pipelines.contracts import answers_for
from readiness_pipelines.overview import data_path, domain_map
from readiness_pipelines_tests.samples import Order, order_domain


def test_each_step_says_what_it_reads_and_who_answers() -> None:
    shop = order_domain()
    steps = domain_map(shop)
    assert [(str(step.table), step.kind, step.reads) for step in steps] == [
        ("shop_raw.orders", "raw", ("files orders/{batch}.csv",)),
        ("shop.orders", "gated", ("shop_raw.orders",)),
        ("shop.paid", "derived", ("shop.orders",)),
        ("shop.refund_rate", "kpi", ("shop.orders",)),
    ]
    assert [step.answers for step in steps] == ["Shop team <shop@shop.example>"] * 2 + ["shop@shop.example"] * 2
    assert [step.answers for step in steps[1:]] == [answers_for(table) for table in shop.tables]
    assert [step.at_risk for step in steps] == [("shop.refund_rate",), ("shop.refund_rate",), (), ("shop.refund_rate",)]
    assert {step.batches for step in steps} == {"static"}
    assert all(step.gate_version for step in steps[1:])


def test_inputs_say_which_of_their_batches_are_read() -> None:
    shop = order_domain()
    orders = shop.table("orders")

    @shop.derived(schema=Order, reads={"now": orders, "before": orders.before(), "week": orders.last(7)})
    def changes(now: Relation, before: Relation, week: Relation) -> Relation:
        """Orders that were not there the day before."""
        return now.join(before, "order_id", how="anti")

    (step,) = (step for step in domain_map(shop) if step.table == changes.id)
    assert step.reads == ("shop.orders", "shop.orders (the batch before)", "shop.orders (the last 7 batches)")


def test_a_data_path_is_all_between_the_sources_and_a_product() -> None:
    shop, other = order_domain(), order_domain("other")

    @shop.kpi(question="How many?", unit="count", reads={"paid": shop.table("paid"), "more": other.table("orders")})
    def paid_count(paid: Relation, more: Relation) -> Value:
        """Orders that were paid."""
        return Value("count(*)", of=paid)

    path = [str(table.id) for table in data_path(paid_count)]
    assert path == ["shop.orders", "shop.paid", "other.orders", "shop.paid_count"]
