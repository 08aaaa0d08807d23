"""The strategies keep their promise, as the gate itself says."""

from datetime import date
from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from hypothesis import HealthCheck, given, settings

from readiness_pipelines import Gate, row_count
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.testing import judge
from readiness_pipelines.testing.strategies import breaking_batches, breaking_rows, passing_batches, passing_rows


class Order(pa.DataFrameModel):
    """A bit of every kind of rule."""

    id: arrow.int64() = pa.Field(unique=True, gt=0)
    days: arrow.int8() = pa.Field(in_range={"min_value": 1, "max_value": 14})
    score: arrow.float64() = pa.Field(ge=0, le=1)
    status: arrow.string() = pa.Field(isin=["paid", "open"])
    code: arrow.string() = pa.Field(str_matches=r"^C\d{5}$")
    name: arrow.string() = pa.Field(str_length={"min_value": 2, "max_value": 5}, notin=["root"], nullable=True)
    mail: arrow.string() = pa.Field(str_contains="@", str_endswith=".example")
    day: arrow.date32() = pa.Field(ge=date(2024, 1, 1))
    flag: arrow.bool_()

    @pa.dataframe_check(native=False)
    def paid_is_scored(cls, _frame: Any) -> nw.Expr:
        """A rule over two columns."""
        return (nw.col("status") == "open") | (nw.col("score") > 0.5)


GATE = Gate(Order, rules=[row_count(at_least=1)])
SLOWLY = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much]}
RULES = [rule.name for rule in GATE.rules if rule.kind == "row" and rule.name != "readable"]


@settings(max_examples=25, **SLOWLY)  # type: ignore[arg-type]
@given(passing_batches(GATE))
def test_passing_batches_pass(rows: list[dict[str, Any]]) -> None:
    judge(GATE, *rows).assert_breaks({})


@pytest.mark.parametrize("rule", [*RULES, "id_unique"])
def test_breaking_batches_break_the_rule(rule: str) -> None:
    @settings(max_examples=5, **SLOWLY)  # type: ignore[arg-type]
    @given(breaking_batches(GATE, rule))
    def breaks(rows: list[dict[str, Any]]) -> None:
        judged = judge(GATE, *rows)
        assert any(rule in broken for broken in judged.broken.values())

    breaks()


@settings(max_examples=10, **SLOWLY)  # type: ignore[arg-type]
@given(passing_rows(GATE))
def test_passing_rows_pass_one_by_one(row: dict[str, Any]) -> None:
    assert not GATE.check_record(row).broken


def test_a_rule_that_no_row_breaks_alone_is_refused() -> None:
    with pytest.raises(DeclarationError, match="no row alone breaks the batch rule 'row_count'"):
        breaking_rows(GATE, "row_count")
    with pytest.raises(DeclarationError, match="no row alone"):
        breaking_batches(GATE, "columns_present")


def test_an_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'days_in_range'"):
        breaking_rows(GATE, "days_in_rnage")
