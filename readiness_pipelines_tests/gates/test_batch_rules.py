"""Rules over the whole batch, routes, and tolerances."""

from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Gate, Route, Tolerance, null_share, row_count
from readiness_pipelines.errors import DeclarationError, GateBuildError, UnknownNameError
from readiness_pipelines.gates import Empty, Publish, RuleKind, Split
from readiness_pipelines.testing import judge

AMOUNT = pa.DataFrameSchema({"amount": pa.Column(arrow.float64(), pa.Check.ge(0), nullable=True)})
NEGATIVE = "amount_greater_than_or_equal_to"


def rows(*amounts: float | None) -> list[dict[str, Any]]:
    return [{"amount": amount} for amount in amounts]


@pytest.mark.parametrize(("amounts", "held"), [((1.0,), True), ((1.0, 2.0), False), ((1.0, 2.0, 3.0, 4.0), True)])
def test_a_batch_with_too_few_or_too_many_rows_is_held(amounts: tuple[float, ...], held: bool) -> None:
    judged = judge(Gate(AMOUNT, rules=[row_count(at_least=2, at_most=3)]), *rows(*amounts))
    if held:
        judged.assert_held("row_count(at_least=2, at_most=3)")
    else:
        assert isinstance(judged.outcome, Publish)


def test_rows_that_cannot_be_read_are_not_counted() -> None:
    unreadable = {"_unreadable": "x", "_unreadable_reason": "no number"}
    judge(Gate(AMOUNT, rules=[row_count(at_least=2)]), *rows(1.0), unreadable).assert_held("row_count")


@pytest.mark.parametrize(("amounts", "held"), [((1.0, None), False), ((1.0, None, None), True)])
def test_a_batch_with_too_large_a_share_of_nulls_is_held(amounts: tuple[Any, ...], held: bool) -> None:
    judged = judge(Gate(AMOUNT, rules=[null_share("amount", at_most=0.5)]), *rows(*amounts))
    assert isinstance(judged.outcome, Publish) is not held
    if held:
        judged.assert_held("amount_null_share")


def test_any_aggregate_may_be_a_rule() -> None:
    mean = pa.Check(lambda _: nw.col("amount").mean().is_between(1, 10), native=False, name="mean_amount")
    gate = Gate(AMOUNT, rules=[mean])
    assert {rule.name: rule.kind for rule in gate.rules}["mean_amount"] is RuleKind.BATCH
    judge(gate, *rows(20.0, 30.0)).assert_held("mean_amount")
    assert isinstance(judge(gate, *rows(2.0, 3.0)).outcome, Publish)


def test_a_batch_rule_on_an_empty_batch_is_decided_too() -> None:
    judge(Gate(AMOUNT, rules=[row_count(at_least=1)]), types={"amount": arrow.float64()}).assert_held("row_count")


def test_a_warned_batch_rule_publishes_and_is_seen() -> None:
    gate = Gate(AMOUNT, rules=[row_count(at_least=9)], routes={"row_count": Route.WARN})
    judged = judge(gate, *rows(1.0))
    assert isinstance(judged.outcome, Publish)
    assert [count.detail for count in judged.verdict.broken] == ["row_count(at_least=9)"]


def test_a_rule_over_the_batch_has_no_rows_to_quarantine() -> None:
    with pytest.raises(GateBuildError, match="no rows to quarantine"):
        Gate(AMOUNT, rules=[row_count(at_least=9)], routes={"row_count": Route.QUARANTINE})


@pytest.mark.parametrize("bad", [{}, {"at_least": 2, "at_most": 1}])
def test_row_counts_without_sense_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(DeclarationError):
        row_count(**bad)


def test_a_null_share_that_is_no_share_is_refused() -> None:
    with pytest.raises(DeclarationError, match="from 0 to 1"):
        null_share("amount", at_most=50)


def test_what_is_no_rule_is_refused() -> None:
    with pytest.raises(GateBuildError, match="neither a Pandera check nor a reference"):
        Gate(AMOUNT, rules=["amount > 0"])


def test_a_rule_over_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(GateBuildError, match="names a column that the schema does not"):
        Gate(AMOUNT, rules=[null_share("amuont", at_most=0.5)])


def test_the_default_route_holds_for_every_rule_but_those_of_shape_and_those_named() -> None:
    gate = Gate(AMOUNT, default_route=Route.WARN, rules=[row_count(at_least=1)], routes={"row_count": Route.HOLD})
    assert {rule.name: rule.route for rule in gate.rules} == {
        "readable": Route.QUARANTINE,
        "columns_present": Route.HOLD,
        "schema_unchanged": Route.WARN,
        "amount_dtype": Route.WARN,
        NEGATIVE: Route.WARN,
        "row_count": Route.HOLD,
    }
    judged = judge(gate, *rows(-1.0))
    judged.assert_publishes({"amount": -1.0})


def test_no_default_lets_nothing_be_published_of_a_row_and_none_lowers_a_route_of_its_own() -> None:
    must = pa.DataFrameSchema({"a": pa.Column(arrow.int64())})
    torn = {"_unreadable": "1,2,3", "_unreadable_reason": "3 fields"}
    judged = judge(Gate(must, default_route=Route.WARN), {"a": "1"}, torn, {"a": "x"})
    judged.assert_publishes({"a": 1})
    judged.assert_breaks({1: "readable", 2: "a_dtype"})
    with pytest.raises(GateBuildError, match="'readable' cannot only warn"):
        Gate(must, routes={"readable": Route.WARN})
    held = Gate(must, unclassified=Route.HOLD, default_route=Route.WARN)
    assert {rule.name: rule.route for rule in held.rules}["columns_classified"] is Route.HOLD


def test_a_rule_called_tolerance_is_another_than_the_gates_tolerance() -> None:
    near = pa.Check(lambda _: nw.col("amount") <= 1, native=False, name="tolerance")
    gate = Gate(AMOUNT, rules=[near], tolerance=Tolerance(quarantined_rows=0))
    assert "tolerance_2" in {rule.name for rule in gate.rules}


@pytest.mark.parametrize(
    "given",
    [
        {"routes": {"amount_dtype": "warn"}},
        {"default_route": "hold"},
        {"schema_change": "evolve"},
        {"tolerance": 0.05},
        {"rules": row_count(at_least=1)},
    ],
)
def test_what_a_gate_cannot_be_given_is_named(given: dict[str, Any]) -> None:
    with pytest.raises((DeclarationError, UnknownNameError), match="the gate"):
        Gate(AMOUNT, **given)


def test_one_text_that_means_no_value_is_one() -> None:
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(str, nullable=True)}), missing="N/A")
    judge(gate, {"a": "N/A"}, {"a": "A"}).assert_publishes({"a": None}, {"a": "A"})


def test_a_check_that_only_warns_in_pandera_only_warns_here() -> None:
    schema = pa.DataFrameSchema({"amount": pa.Column(arrow.float64(), pa.Check.ge(0, raise_warning=True))})
    judged = judge(Gate(schema), *rows(-1.0, 1.0))
    judged.assert_publishes({"amount": -1.0}, {"amount": 1.0})
    assert [(count.rule.name, count.broken_rows) for count in judged.verdict.broken] == [(NEGATIVE, 1)]


@pytest.mark.parametrize(
    ("tolerance", "held"),
    [
        (Tolerance(quarantined_rows=1), True),
        (Tolerance(quarantined_rows=2), False),
        (Tolerance(quarantined_ratio=0.4), True),
        (Tolerance(quarantined_ratio=0.5), False),
    ],
)
@pytest.mark.parametrize("route", [Route.QUARANTINE, Route.WARN])
def test_one_rule_may_have_a_tolerance_of_its_own(tolerance: Tolerance, held: bool, route: Route) -> None:
    gate = Gate(AMOUNT, tolerance=Tolerance(rules={NEGATIVE: tolerance}), routes={NEGATIVE: route})
    judged = judge(gate, *rows(-1.0, -2.0, 1.0, 2.0))
    if held:
        judged.assert_held(f"{NEGATIVE} is broken in 2 of 4 rows (50.00%), over its tolerance of")
    else:
        assert isinstance(judged.outcome, Split if route is Route.QUARANTINE else Publish)


def test_a_tolerance_for_an_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=f"did you mean '{NEGATIVE}'"):
        Gate(AMOUNT, tolerance=Tolerance(rules={"amount_greater_than": Tolerance(quarantined_rows=1)}))


def test_a_tolerance_has_one_level() -> None:
    inner = Tolerance(rules={"a": Tolerance(quarantined_rows=1)})
    with pytest.raises(DeclarationError, match="no tolerances by rule of its own"):
        Tolerance(rules={"b": inner})


def test_an_empty_batch_replaces_nothing_unless_that_is_allowed() -> None:
    types = {"amount": arrow.float64()}
    assert isinstance(judge(Gate(AMOUNT), types=types).outcome, Empty)
    assert isinstance(judge(Gate(AMOUNT, allow_empty=True), types=types).outcome, Publish)
