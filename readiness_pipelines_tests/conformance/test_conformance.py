"""Random schemas and data: the gate fails the rows that Pandera fails, rule by rule."""

import pytest
from hypothesis import HealthCheck, given, settings

from readiness_pipelines.gates import Gate
from readiness_pipelines_tests.conformance.adapter import gate_failures, pandera_failures
from readiness_pipelines_tests.conformance.strategies import Case, cases


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_the_gate_fails_the_rows_that_pandera_fails(case: Case) -> None:
    assert gate_failures(Gate(case.schema), case.table) == pandera_failures(case.schema, case.table)
