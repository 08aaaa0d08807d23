"""Ranges learned from earlier batches: wide enough for what is usual, silent where too little is known."""

from typing import Any

import duckdb
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Route, WithinUsualRange
from readiness_pipelines.errors import GateBuildError, UnknownNameError
from readiness_pipelines.gates import DuckDbEngine, Gate, OtherRows, RuleKind, UsualRange
from readiness_pipelines.testing import batch


class Reading(pa.DataFrameModel):
    sensors: arrow.float64() = pa.Field(alias=r"^s\d$", regex=True, nullable=True)
    name: arrow.string() = pa.Field(nullable=True)


PATTERN = r"^s\d$"
TYPES = {"name": arrow.string()}


def gate(**options: Any) -> Gate:
    return Gate(Reading, rules=(WithinUsualRange((PATTERN,), **options),))


def broken(checked: Gate, values: list[float | None], usual: UsualRange, connection: Any) -> list[int]:
    rows = connection.from_arrow(batch(*({"s1": value} for value in values), types=TYPES))
    verdict = checked.judge(rows, DuckDbEngine(connection), others=OtherRows(ranges={"s1": usual}))
    return [row["_row"] for row in verdict.quarantined.to_arrow_table().to_pylist()]


@pytest.mark.parametrize(("widened_by", "low", "high"), [(0, 10, 20), (1, 0, 30), (0.5, 5, 25)])
def test_what_lies_beyond_the_widened_range_breaks_the_rule(
    connection: duckdb.DuckDBPyConnection, widened_by: float, low: float, high: float
) -> None:
    values = [low - 0.01, low, 15, high, high + 0.01, None, float("nan")]
    usual = UsualRange(low=10, high=20, batches=8)
    assert broken(gate(widened_by=widened_by), values, usual, connection) == [0, 4]


@pytest.mark.parametrize("usual", [UsualRange(low=10, high=20, batches=7), UsualRange(low=10, high=10, batches=50)])
def test_nothing_is_said_with_too_few_batches_or_of_what_never_varied(
    connection: duckdb.DuckDBPyConnection, usual: UsualRange
) -> None:
    assert broken(gate(), [-1e9, 1e9], usual, connection) == []


def test_a_column_without_a_range_is_not_decided(connection: duckdb.DuckDBPyConnection) -> None:
    verdict = gate().judge(connection.from_arrow(batch({"s1": 1e9}, types=TYPES)), DuckDbEngine(connection))
    assert verdict.published_rows == 1


def test_one_rule_speaks_of_all_columns_and_says_which_broke(connection: duckdb.DuckDBPyConnection) -> None:
    checked = Gate(Reading, rules=(WithinUsualRange((PATTERN,)),), routes={_name(gate()): Route.WARN})
    rows = connection.from_arrow(batch({"s1": 0.0, "s2": 99.0}, {"s1": 99.0, "s2": 99.0}, types=TYPES))
    ranges = {name: UsualRange(low=0, high=1, batches=9) for name in ("s1", "s2")}
    verdict = checked.judge(rows, DuckDbEngine(connection), others=OtherRows(ranges=ranges))
    (count,) = verdict.broken
    assert (count.rule.kind, count.broken_rows, dict(count.columns)) == (RuleKind.REFERENCE, 2, {"s1": 1, "s2": 2})
    assert verdict.published_rows == 2


def test_its_settings_are_part_of_the_version() -> None:
    assert len({gate().version, gate(widened_by=2).version, gate(least_batches=3).version}) == 3


def test_a_single_record_leaves_it_undecided() -> None:
    assert _name(gate()) in gate().check_record({"s1": 1e9, "name": "x"}).undecided


def test_a_column_that_is_not_there_or_no_number_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="column in WithinUsualRange"):
        Gate(Reading, rules=(WithinUsualRange(("s1",)),))
    with pytest.raises(GateBuildError, match="'name', which is string, not a number"):
        Gate(Reading, rules=(WithinUsualRange(("name",)),))


def _name(checked: Gate) -> str:
    return next(rule.name for rule in checked.rules if rule.kind is RuleKind.REFERENCE)


class Dated(pa.DataFrameModel):
    day: arrow.string()

    @pa.dataframe_check(native=False)
    def in_its_batch(cls, _frame: Any) -> Any:
        import narwhals.stable.v1 as nw  # noqa: PLC0415  # Pandera evaluates the model's annotations

        return nw.col("day") == nw.col("_batch")


def test_a_check_may_ask_which_batch_a_row_is_of(connection: duckdb.DuckDBPyConnection) -> None:
    checked = Gate(Dated)
    rows = connection.from_arrow(batch(*({"day": day, "_batch": "2026-01-01"} for day in ("2026-01-01", "2026-01-02"))))
    waiting = checked.judge(rows, DuckDbEngine(connection)).quarantined.to_arrow_table()
    assert waiting["day"].to_pylist() == ["2026-01-02"]
    assert checked.check_record({"day": "2026-01-02"}).undecided == ("in_its_batch",)
