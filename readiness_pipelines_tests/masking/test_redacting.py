"""What is left of a value that is redacted: its kind, length and characters; of a message, what quotes nothing."""

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from readiness_pipelines.contracts.classification import Classification, Classified, PersonalKind
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.masking import (
    PLAIN,
    UNKNOWN,
    Classes,
    Listing,
    Viewer,
    handling,
    quoted,
    redact,
    redact_expression,
    redact_samples,
    show,
)
from readiness_pipelines.masking.messages import MaskedError
from readiness_pipelines.masking.rows import MOST_BYTES
from readiness_pipelines.observability import ColumnKind, profile_of, redact_profile

PII = Classified(level=Classification.PII, kind=PersonalKind.DIRECT)
INTERNAL = Classified(level=Classification.INTERNAL)
CLASSES = Classes(lambda name: INTERNAL if name == "ward" else PII, PII, frozenset({"Name", "ward"}))


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (None, None),
        ("Ann Meier", "«text, 9 characters, letters»"),
        (" 4711", "«text, 5 characters, digits, blanks around it»"),
        ("", "«text, 0 characters»"),
        ("  ", "«text, 2 characters, blanks only»"),
        ("a@b.example", "«text, 11 characters, letters and others»"),
        (-4711, "«whole number, 4 digits»"),
        (True, "«true or false»"),
        (Decimal("1.5"), "«number»"),
        (b"abc", "«3 bytes»"),
        (date(1907, 1, 1), "«date»"),
        (["x", "y"], "«list of 2»"),
        ({"a": "x"}, "«record of 1»"),
    ],
)
def test_a_redacted_value_says_what_kind_it_is(value: Any, left: Any) -> None:
    assert redact(value, PII) == left
    assert redact(value, INTERNAL) == value
    assert show(value, PII, Viewer("ann", reveals=True)) == value


def test_equal_values_of_a_listing_have_the_same_letter_and_samples_are_bounded() -> None:
    rows = [{"_row": n, "ward": "A1", "name": name} for n, name in enumerate(["Ann", "Bob", "Ann", None])]
    shown = [Listing(CLASSES).row(row) for row in rows]
    assert shown[1]["name"] == "«text, 3 characters, letters, A»", "each listing begins anew"
    listing = Listing(CLASSES)
    assert [listing.row(row)["name"] for row in rows] == [
        "«text, 3 characters, letters, A»",
        "«text, 3 characters, letters, B»",
        "«text, 3 characters, letters, A»",
        None,
    ]
    assert {row["ward"] for row in shown} == {"A1"}
    assert listing.row({"_unreadable": "Ann,1,2", "_unreadable_reason": "Ann: line 3"}) == {
        "_unreadable": "«text, 7 characters, letters and digits and others, C»",
        "_unreadable_reason": "«…»: line «…»",
    }
    assert len(redact_samples([{"ward": "é" * 5_000}] * 10, CLASSES)) == MOST_BYTES // 10_000
    assert Listing(PLAIN).row({"name": "Ann"}) == {"name": "Ann"}


@pytest.mark.parametrize(
    ("expression", "left"),
    [
        ("ward = 'A1' AND _row IN (1, 2)", "ward = 'A1' AND _row IN (1, 2)"),
        ("upper(ward) = 'A1'", "upper(ward) = 'A1'"),
        ("name = 'O''Brien'", "name = «text, 7 characters, letters and others»"),
        (
            "NAME = 'x' OR ward = 'A1'",
            "NAME = «text, 1 character, letters» OR ward = «text, 2 characters, letters and digits»",
        ),
        (
            '"ward" = \'A1\' AND "extra" > 4711.5',
            '"ward" = «text, 2 characters, letters and digits» AND "extra" > «number»',
        ),
        ("name = $$Ann$$ -- Ann", "name = «…» «…»"),
        ("phone = 491 + 1e5", "phone = «number» + «number»"),
        ("name = 'unclosed", "name = «text, 8 characters, letters»"),
    ],
)
def test_an_expression_keeps_its_columns_and_loses_its_values(expression: str, left: str) -> None:
    assert redact_expression(expression, CLASSES) == left
    assert redact_expression(expression, PLAIN) == expression


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("SELECT CAST('Meier Anna' AS INT)", "Conversion Error: Could not convert string «…» to INT32"),
        (
            "SELECT 'O''Brien'::DATE",
            "Conversion Error: invalid date field format: «…», expected format is (YYYY-MM-DD)",
        ),
        ("SELECT error('Meier Anna 4711')", "Invalid Input Error: «…»"),
        (
            "SELECT 4711::TINYINT",
            "Conversion Error: Type INT32 with value «…» can't be cast because the value is out of",
        ),
    ],
)
def test_of_what_duckdb_says_the_words_stay_and_the_values_go(sql: str, left: str) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as caught:
        connection.sql(sql).fetchall()
    for classes in (CLASSES, UNKNOWN):
        with handling(classes):
            assert quoted(caught.value).startswith(left)
    assert quoted(caught.value).startswith(left), "where nobody said whose rows are handled, nothing is repeated"
    with handling(PLAIN):
        assert quoted(caught.value) == str(caught.value).splitlines()[0]


def test_what_is_raised_over_classified_rows_goes_on_without_its_causes() -> None:
    with (
        pytest.raises(MaskedError, match=r"^LookupError: «…» \(at test_redacting.py:\d+\)$") as masked,
        handling(CLASSES),
    ):
        raise LookupError("Meier Anna")
    assert masked.value.__cause__ is None
    assert masked.value.__suppress_context__
    with pytest.raises(DeclarationError) as ours, handling(CLASSES):
        raise DeclarationError("it breaks") from LookupError("Meier Anna")
    assert (ours.value.__cause__, ours.value.__context__) == (None, None)
    with pytest.raises(LookupError, match="Meier"), handling(PLAIN):
        raise LookupError("Meier Anna")


def test_a_profile_keeps_no_value_of_a_classified_column() -> None:
    import pyarrow as pa  # noqa: PLC0415  # for this alone

    table = pa.table({"name": ["Ann"] * 2_000, "ward": ["A1"] * 2_000, "born": [date(1907, 1, 1)] * 2_000})
    numbers = pa.table({"age": list(range(1_001, 3_001)), "ward": ["A1"] * 2_000})
    kept = redact_profile(profile_of("a", table), CLASSES)
    assert (kept.columns["name"].kind, kept.columns["name"].top) == (ColumnKind.TEXT, {})
    assert kept.columns["ward"].top == {"A1": 2_000}
    assert (kept.columns["born"].minimum, kept.columns["born"].maximum) == (None, None)
    named = redact_profile(profile_of("a", numbers), CLASSES).columns["age"]
    assert (named.minimum, named.mean, named.quantiles) == (None, None, ())
    quasi = Classified(level=Classification.PII, kind=PersonalKind.QUASI)
    many = redact_profile(profile_of("a", numbers), Classes(lambda _: quasi, quasi)).columns["age"]
    assert {one % 100 for one in many.quantiles} == {0}, "two digits are left"
    few = redact_profile(profile_of("a", numbers.slice(0, 900)), Classes(lambda _: quasi, quasi)).columns["age"]
    assert few.quantiles == ()
