"""Whatever arrives, the gate gives a verdict that adds up, and every reason names its rule and column."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readiness_pipelines import Deduplicate, FillMissing, Gate, NullTokens, SchemaChange, Trim, cleanse, null_share
from readiness_pipelines.gates import DuckDbEngine, Hold
from readiness_pipelines.testing import batch


class Order(pa.DataFrameModel):
    """A bit of everything."""

    id: arrow.int64() = pa.Field(unique=True, gt=0)
    price: arrow.float64() = pa.Field(ge=0, nullable=True)
    small: arrow.int8() = pa.Field(le=9, nullable=True, default=3)
    status: arrow.string() = pa.Field(isin=["a", "b"], metadata=cleanse(Trim(), NullTokens("?"), FillMissing("a")))
    day: arrow.date32() = pa.Field(ge=date(2024, 1, 1), nullable=True)
    at: arrow.timestamp("us") = pa.Field(nullable=True, required=False)
    sensors: arrow.float32() = pa.Field(alias=r"^s\d$", regex=True, nullable=True, required=False)

    class Config:
        """One row for each order."""

        metadata = cleanse(Deduplicate("id", order_by="price"))


GATES = {
    change: Gate(Order, missing=("N/A",), schema_change=change, rules=[null_share("price", at_most=0.9)])
    for change in SchemaChange
}
NAMES = ["id", "price", "small", "status", "day", "at", "s1", "s2", "extra", "we'ird \"na.me"]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(
        ["", " a ", "?", "N/A", "1", "-1", "2.5", "nan", "2024-01-31", "x", "1e400", "999999999999999999999"]
    ),
    "whole": st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 12),
    "number": st.floats(width=64) | st.sampled_from([1.0, -1.0]),
    "truth": st.booleans(),
    "day": st.dates(),
    "time": st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001  # as a file may have them
    "decimal": st.decimals(-100, 100, places=3).map(Decimal),
    "bytes": st.binary(max_size=3),
    "list": st.lists(st.integers(-3, 3), max_size=2),
    "record": st.fixed_dictionaries({"a": st.integers(-3, 3)}),
    "null": st.none(),
}


@st.composite
def arrivals(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows with some of the schema's columns, each of any type."""
    kinds = draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(VALUES)), max_size=6))
    likely = {"id": "whole", "price": "number", "small": "whole", "status": "text", "day": "text"}
    columns = (likely if draw(st.booleans()) else {}) | kinds
    rows = draw(st.integers(0, 6))
    return [{name: draw(VALUES[kind] | st.none()) for name, kind in columns.items()} for _ in range(rows)]


@pytest.mark.slow
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(arrivals(), st.sampled_from(list(SchemaChange)))
def test_every_shape_gets_a_verdict_that_adds_up(rows: list[dict[str, Any]], change: SchemaChange) -> None:
    gate = GATES[change]
    connection = duckdb.connect()
    try:
        verdict = gate.judge(connection.from_arrow(batch(*rows)), DuckDbEngine(connection))
        published = verdict.published.to_arrow_table()
        waiting = verdict.quarantined.to_arrow_table().to_pylist()
    finally:
        connection.close()
    discarded = [row for row in waiting if row["_discarded"]]
    assert verdict.ingested_rows == len(rows)
    assert published.num_rows == verdict.published_rows
    assert len(discarded) == verdict.discarded_rows
    assert len(waiting) - len(discarded) == verdict.quarantined_rows
    places = [*published.column("_row").to_pylist(), *(row["_row"] for row in waiting)]
    assert sorted(places) == list(range(len(rows)))
    if isinstance(verdict.outcome, Hold):
        assert any(rule.name in verdict.outcome.reason for rule in gate.rules) or "fail" in verdict.outcome.reason
    for row in waiting:
        for error in row["_errors"]:
            assert error["rule"]
            assert error["reason"]
