"""A kind of test that a part of the gate does not know is an error, never a count of zero."""

from dataclasses import dataclass

import duckdb
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Gate
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.engines.duckdb.engine import DuckDbEngine
from readiness_pipelines.gates.schema.rules import Rule, RuleKind
from readiness_pipelines.testing import batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """A kind of test that nobody evaluates."""

    rule: Rule


@pytest.fixture
def gate() -> Gate:
    gate = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.int64())}))
    rule = Rule(name="unheard", columns=(), kind=RuleKind.ROW, route=Route.QUARANTINE, reason="is heard")
    gate.tests = (*gate.tests, Unheard(rule=rule))  # type: ignore[arg-type]  # what a developer forgets
    gate.rules = (*gate.rules, rule)
    return gate


def test_a_batch_is_not_judged_without_it(gate: Gate) -> None:
    with duckdb.connect() as connection, pytest.raises(AssertionError, match="unreachable"):
        gate.judge(batch({"a": 1}), DuckDbEngine(connection))


def test_a_record_is_not_judged_without_it(gate: Gate) -> None:
    with pytest.raises(AssertionError, match="unreachable"):
        gate.check_record({"a": 1})
