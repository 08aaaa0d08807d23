"""A few seconds of what `make conform` does for hours: no case disagrees, and most are judged."""

from collections import Counter

import pytest

from readiness_pipelines_tests.conformance.conform import Outcome, run_case
from readiness_pipelines_tests.conformance.fuzzed import fuzzed_case


@pytest.mark.slow
def test_compound_expressions_over_all_types_say_what_pandera_says() -> None:
    counts: Counter[Outcome] = Counter()
    for number in range(60):
        case = fuzzed_case(f"sample:{number}")
        result = run_case(case)
        assert result.outcome is not Outcome.DISAGREES, f"{case}\n{result.why}"
        counts[result.outcome] += 1
    assert counts[Outcome.AGREES] >= 40
