"""What code would do to past batches; a plan that is kept, held against what there is, and carried out or refused."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import Domain, Ratio
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.decisions import Waiver
from readiness_pipelines.delivery import Level, decide, evaluate, reconcile, replay_batch
from readiness_pipelines.delivery.recompute import OTHER_TRANSFORM
from readiness_pipelines.domains import tables_of
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import (
    Plan,
    PlannedBatch,
    PlanProgress,
    freeze,
    otherwise_than_foretold,
    plan_changes,
    plan_progress,
    read_plan,
    sample,
    undeclared_tables,
    write_plan,
)
from readiness_pipelines_tests.overview.delivering import bring, compute
from readiness_pipelines_tests.samples import GOOD, ONE_BAD, Order, Paid, gated, order_domain

RUN = Run(run_id="r1", who="me")
NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Small(Order):
    """An order of at most 35."""

    amount: arrow.float64() = pa.Field(ge=0, le=35)


class Wordy(Order):
    """An order of which the table cannot hold the amount."""

    order_id: arrow.int32() = pa.Field(unique=True)
    amount: arrow.string()


class Described(Order):
    """An order with other words about its amount."""

    amount: arrow.float64() = pa.Field(ge=0, description="in euro")


def with_transform(condition: str, *, target: str = "<= 0.5") -> Domain:
    """The orders, with a transform and a KPI that may differ."""
    shop = order_domain()
    changed = Domain("shop", owner="shop@shop.example")
    orders = gated(shop)
    changed.gated(
        "orders",
        source=orders.source,
        schema=Order,
        batches=orders.batches,
        tolerance=orders.gating.tolerance,
    )

    @changed.derived(schema=Paid)
    def paid(orders: Relation) -> Relation:
        return orders.filter(condition).project("order_id, amount, _row")

    @changed.kpi(question="How many orders are refunded?", unit="ratio", target=target)
    def refund_rate(orders: Relation) -> Ratio:
        return Ratio("count(*) FILTER (status = 'refunded')", "count(*)")

    return changed


def lived(shop: Domain, installation: Installation) -> None:
    for batch, rows in {"day_1": GOOD, "day_2": ONE_BAD}.items():
        bring(shop, installation, batch, rows)
        compute(shop, installation, batch, "paid", "refund_rate")


def planned(shop: Domain, installation: Installation) -> Plan:
    return plan_changes(shop.tables, installation=installation, run=RUN)


def refs(batches: tuple[PlannedBatch, ...]) -> list[str]:
    return [str(one.ref) for one in batches]


def test_what_differs_is_told_by_rule_and_words_alone_judge_nothing_again(installation: Installation) -> None:
    shop = order_domain()
    assert not planned(shop, installation).decides
    lived(shop, installation)
    assert planned(shop, installation).tables == ()
    found = planned(order_domain(schema=Small), installation)
    (orders,) = found.tables
    ((change,),) = [gate.changes for gate in orders.gates]
    assert (change.kind, change.what) == ("tightened", "rule less_than_or_equal_to on amount")
    assert refs(found.batches) == ["shop.orders[day_1]", "shop.orders[day_2]"]
    assert sorted(refs(found.downstream)) == [
        f"shop.{table}[{batch}]" for table in ("paid", "refund_rate") for batch in ("day_1", "day_2")
    ]
    assert [str(one) for one in found.products] == ["shop.refund_rate"]
    assert found.decides

    (other,) = [one for table in planned(order_domain(schema=Wordy), installation).tables for one in table.refused]
    assert (other.column, other.there, other.given) == ("amount", "double", "string")  # order_id becomes narrower

    fewer = Domain("shop", owner="shop@shop.example")
    assert undeclared_tables([shop], installation=installation) == {}
    fewer.gated("orders", source=gated(shop).source, schema=Order, batches=gated(shop).batches)
    gone = undeclared_tables([fewer], installation=installation)
    assert {str(table): count for table, count in gone.items()} == {"shop.paid": 2, "shop.refund_rate": 2}

    described = order_domain(schema=Described)
    words = planned(described, installation)
    assert [[one.kind.value for one in gate.changes] for gate in words.tables[0].gates] == [["cosmetic"]]
    assert (words.decides, words.batches) == (False, ())
    replay_batch(gated(described), batch="day_1", installation=installation, run=RUN)
    assert planned(described, installation).tables == ()  # the words are known now


def test_a_changed_transform_or_target_computes_its_own_batches_again(installation: Installation) -> None:
    lived(with_transform("status = 'paid'"), installation)
    assert planned(with_transform("status = 'paid'"), installation).tables == ()
    changed = with_transform("amount > 10", target="<= 0.1")
    found = planned(changed, installation)
    paid, rate = found.tables
    assert [one.what for one in paid.transforms] == ["code"]
    assert [(one.what, one.before, one.after) for one in rate.transforms] == [("target", "<= 0.5", "<= 0.1")]
    assert refs(paid.batches) == ["shop.paid[day_1]", "shop.paid[day_2]"]
    seen = evaluate(
        changed.tables,
        [one.ref for one in found.batches],
        [],
        installation=installation,
        run=RUN,
    )
    assert [one.differs for one in seen.judged] == [True, False, True, True]  # day_2 has no refunded row published
    proof = reconcile([changed], installation=installation, level=Level.RECOMPUTE)
    assert (proof.problems, proof.skipped) == ((), {OTHER_TRANSFORM: 4})


def test_a_sample_is_the_newest_and_some_spread_over_the_rest(installation: Installation) -> None:
    lived(order_domain(), installation)
    found = planned(order_domain(schema=Small), installation)
    (one, _) = found.batches
    many = tuple(replace(one, ref=BatchRef(one.ref.table, f"{number:03d}")) for number in range(100))
    plan = replace(found, tables=(replace(found.tables[0], batches=many),))
    assert [each.ref.batch for each in sample(plan, 5)] == ["000", "048", "097", "098", "099"]
    assert sample(plan, None) == sample(plan, 100) == many


def test_a_plan_goes_on_where_it_ended_and_is_refused_when_it_is_not_true_any_more(
    installation: Installation, tmp_path: Path
) -> None:
    lived(order_domain(), installation)
    tight = order_domain(schema=Small)
    found = planned(tight, installation)
    seen = evaluate(
        tight.tables,
        [one.ref for one in found.batches],
        [one.ref for one in found.downstream],
        installation=installation,
        run=RUN,
    )
    file = tmp_path / "plan.json"
    frozen = freeze(found, what="shop", made_at=NOW, made_by="me", evaluation=seen)
    write_plan(frozen, file)
    assert read_plan(file) == frozen

    def progress(shop: Domain, plan: Any = frozen) -> PlanProgress:
        return plan_progress(plan, tables_of([shop]), installation=installation, run=RUN)

    first, second = (one.ref for one in frozen.batches)
    assert (progress(tight).left, progress(tight).differs) == ((first, second), ())
    replay_batch(gated(tight), batch="day_1", installation=installation, run=RUN)
    halfway = progress(tight)
    assert (halfway.left, halfway.done, halfway.differs) == ((second,), (first,), ())

    assert "has the gate" in progress(order_domain()).differs[0]
    empty = Domain("shop", owner="shop@shop.example")
    assert "shop.orders is not declared any more" in progress(empty).differs
    decide(
        gated(tight),
        Waiver(rule="amount_greater_than_or_equal_to"),
        batch="day_2",
        why="known",
        installation=installation,
        run=RUN,
    )
    assert progress(tight).differs == (f"{second} has other rows, inputs or decisions than the plan saw",)
    replay_batch(gated(tight), batch="day_2", installation=installation, run=RUN)
    (otherwise,) = otherwise_than_foretold(frozen, installation=installation)
    assert str(second) in otherwise

    again = freeze(planned(order_domain(), installation), what=None, made_at=NOW, made_by="me", evaluation=None)
    other = order_domain(ratio=0.9)
    replay_batch(gated(other), batch="day_1", installation=installation, run=RUN)
    assert progress(order_domain(), again).differs == (f"{first} was judged since by other code than the plan's",)

    file.write_text(file.read_text().replace('"day_1"', '"day_3"'))
    with pytest.raises(DeclarationError, match="was changed after it was written"):
        read_plan(file)
    file.write_text("{}")
    with pytest.raises(DeclarationError, match="is not a plan"):
        read_plan(file)
