"""A search by text finds a value whatever its case, its Unicode form and how a file writes it, and no longer number."""

import json
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from readiness_pipelines.delivery.erasure.needles import Needle, is_told_by_text, needles_of
from readiness_pipelines.delivery.erasure.persons import ValueKind

MUELLER = "Müller Öztürk"


def needle(value: str) -> Needle:
    (one,) = needles_of([value])
    return one


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (MUELLER, "x MÜLLER ÖZTÜRK y"),
        (MUELLER, "Müller ÖZTÜRK"),
        (MUELLER, unicodedata.normalize("NFD", MUELLER.upper())),
        (unicodedata.normalize("NFD", MUELLER), MUELLER),
        ("Weißmann", "WEISSMANN"),
        ("WEISSMANN", "Weißmann"),
        ("Παπαδόπουλος", "ΠΑΠΑΔΌΠΟΥΛΟΣ"),
        ("Иванов", "ИВАНОВ"),
        ('Dwayne "The Rock" & Co\'s', '"DWAYNE ""THE ROCK"" &amp; CO\'\'S"'),
        ("P-17 (*.[a] +1)", "p-17 (*.[A] +1)"),
        ("P-1001", "P-1001,17"),
    ],
)
def test_a_value_is_found_however_it_is_written(value: str, written: str) -> None:
    one = needle(value)
    assert one.in_text(written)
    assert pc.match_substring_regex(pa.array([written]), one.pattern, ignore_case=True).to_pylist() == [True]
    assert one.in_bytes(written.encode().lower())
    assert one.in_bytes(written.encode("utf-16-le").lower())


def test_a_value_is_found_in_latin_1_and_in_json_of_ascii() -> None:
    for written in (MUELLER.upper().encode("latin-1"), json.dumps(MUELLER.upper()).encode()):
        assert needle(MUELLER).in_bytes(written.lower())
    assert needle(MUELLER).in_text(json.dumps(MUELLER))


@pytest.mark.parametrize(
    "written", [json.dumps("手机号13812345678"), "q=%2213812345678%22&tel=%2013812345678", '"手机号13812345678"']
)
def test_the_end_of_an_escape_is_no_digit_of_the_number_behind_it(written: str) -> None:
    one = needle("13812345678")
    assert one.in_text(written)
    assert pc.match_substring_regex(pa.array([written]), one.pattern, ignore_case=True).to_pylist() == [True]
    assert one.in_bytes(written.encode().lower())
    assert not one.in_bytes(b"913812345678")


@pytest.mark.parametrize(("value", "other"), [("P-1001", "P-10011"), ("123456789", "0123456789"), (MUELLER, "Muller")])
def test_what_is_another_value_is_not_found(value: str, other: str) -> None:
    one = needle(value)
    assert not one.in_text(other)
    assert pc.match_substring_regex(pa.array([other]), one.pattern, ignore_case=True).to_pylist() == [False]
    for coding in ("utf-8", "utf-16-le"):
        assert not one.in_bytes(other.encode(coding).lower())
        assert one.in_bytes(other.encode(coding).lower(), run_on=True) == (value in other)


def test_short_values_and_numbers_of_few_digits_are_told_by_columns_alone() -> None:
    for value in ("P-17", "सीता", "10500", "10500.00", "-4711000", "2026-01-02"):
        assert not is_told_by_text(value)
    for value in ("P-170", "123456789", "(555) 12", "2026-01-02T03:04:05"):
        assert is_told_by_text(value)
    assert len(needles_of(["000123456789"])) == 1
    assert len(needles_of(["000123456789"], [ValueKind.NUMBER])) == 2
