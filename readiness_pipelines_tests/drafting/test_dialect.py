"""A line below the header is skipped as one of units only where it cannot be a row: what is skipped is lost."""

import pytest

from readiness_pipelines.drafting.dialect import guess_dialect


@pytest.mark.parametrize(
    ("header", "line", "row", "skipped"),
    [
        ("email,age", "ann@x.example,", "p{}@x.example,{}", False),
        ("email,age", "ann@x.example,N/A", "p{}@x.example,{}", False),
        ("email,age", "ann@x.example,not said", "p{}@x.example,{}", False),
        ("site,load,heat", "main hall,kW,°C", "hall {},{},20", True),
        ("id;load", ";kW", "1{};{},5", True),
    ],
)
def test_a_first_row_that_lacks_its_number_is_a_row(header: str, line: str, row: str, skipped: bool) -> None:
    guesses = guess_dialect("\n".join([header, line, *(row.format(n, n + 20) for n in range(30))]))
    assert ("skip_after_header" in guesses.options) is skipped
    assert "hall" not in " ".join(guesses.notes.values()), "what a line has may be somebody's"
