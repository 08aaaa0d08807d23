"""Drafts as a form has them."""

import pytest

from readiness_pipelines.decisions import CellCorrection, Waiver
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.sources.messages import row_number
from readiness_pipelines.web.drafting import decisions_of
from readiness_pipelines.web.guard import Form


@pytest.mark.parametrize(
    ("day", "end"),
    [("2026-11-30", "2026-12-01T00:00:00+00:00"), ("9999-12-31", "9999-12-31T23:59:59.999999+00:00"), ("", None)],
)
def test_a_waiver_ends_with_its_day_also_with_the_last_one_of_the_calendar(day: str, end: str | None) -> None:
    (waiver,) = decisions_of(Form({"kind.0": ["waive"], "rule.0": ["tolerance"], "until.0": [day]}))
    assert isinstance(waiver, Waiver)
    assert waiver.to_json()["until"] == end


def test_a_cell_of_any_row_of_a_stream_can_be_corrected() -> None:
    last = row_number(2**19 - 1, 2**44 - 1)
    (correction,) = decisions_of(Form({f"cell.{last}.status": ["paid"]}))
    assert isinstance(correction, CellCorrection)


@pytest.mark.parametrize("number", ["9" * 5_000, str(2**63), "²", "-1", ""])
def test_what_is_no_number_of_a_decision_or_a_row_is_refused_in_words(number: str) -> None:
    for fields in ({"kind.0": ["undo"], "decision.0": [number]}, {f"cell.{number}.status": ["paid"]}):
        with pytest.raises(DeclarationError, match="load the page again"):
            decisions_of(Form(fields))
