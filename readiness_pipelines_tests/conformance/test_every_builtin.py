"""Every built-in check on every type it applies to, null or not: the gate fails the rows that Pandera fails."""

from collections.abc import Iterator
from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines.gates import Gate
from readiness_pipelines_tests.conformance.adapter import gate_failures, pandera_failures
from readiness_pipelines_tests.conformance.strategies import KINDS, values_of

C = pa.Check
COMPARISONS = (
    "equal_to",
    "not_equal_to",
    "greater_than",
    "greater_than_or_equal_to",
    "less_than",
    "less_than_or_equal_to",
)


def checks_for(kind: arrow.DataType) -> Iterator[tuple[str, Any]]:
    """Each built-in check with arguments from the middle of the type's values."""
    values = values_of(kind)
    low, middle, high = values[0], values[len(values) // 2], values[-2]
    comparisons = COMPARISONS[:2] if arrow.types.is_boolean(kind) else COMPARISONS
    for name in comparisons:
        yield name, getattr(C, name)(middle)
    yield "isin", C.isin([low, middle])
    yield "notin", C.notin([low, middle])
    if arrow.types.is_string(kind):
        yield "str_matches", C.str_matches("^a.*")
        yield "str_contains", C.str_contains("b|é")
        yield "str_startswith", C.str_startswith("a")
        yield "str_endswith", C.str_endswith("b")
        yield "str_length", C.str_length(1, 2)
        yield "str_length exactly", C.str_length(exact_value=2)
    elif not arrow.types.is_boolean(kind):
        low, high = sorted([low, high])
        yield "in_range", C.in_range(low, high)
        yield "in_range without its ends", C.in_range(low, high, include_min=False, include_max=False)


CASES = [(kind, name, check) for kind in KINDS for name, check in checks_for(kind)]


@pytest.mark.parametrize(("kind", "name", "check"), CASES, ids=[f"{name} {kind}" for kind, name, _ in CASES])
def test_the_gate_fails_the_rows_that_pandera_fails(kind: arrow.DataType, name: str, check: Any) -> None:
    values = [*values_of(kind), None, *([float("nan")] if arrow.types.is_floating(kind) else [])]
    table = arrow.table({"a": arrow.array(values, kind, from_pandas=False)})
    for nullable in (True, False):
        for ignore_na in (True, False):
            check.ignore_na = ignore_na
            schema = pa.DataFrameSchema({"a": pa.Column(kind, check, nullable=nullable, unique=True)})
            assert gate_failures(Gate(schema), table) == pandera_failures(schema, table)


def test_no_built_in_check_is_forgotten() -> None:
    """A check that Pandera learns for Arrow has to be added above; ``unique_values_eq`` it does not know there."""
    named = {check._check_fn.__name__ for _, _, check in CASES}
    assert named == {name for name, check in C.CHECK_FUNCTION_REGISTRY.items() if nw.Expr in check._function_registry}
