"""A value is among the parts of a line that could not be parsed, however the line writes it, and little else is."""

import json

import pytest

from readiness_pipelines.delivery.erasure.line_parts import MOST_WORDS, parts_of


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("+491701234567", "+491701234567,3,too,many"),
        ("(555) 123-4567", 'x;"(555) 123-4567";3'),
        ("Acme Inc.", "1,Acme Inc.,3"),
        ("सीता", "सीता,3,too,many"),
        ("Jose\u0301", "1,Jose\u0301,3"),
        ("😀 Bob", json.dumps({"name": "😀 Bob"})[:-1]),
        ("Jürgen Müller", json.dumps({"name": "Jürgen Müller"})[:-1]),
        ('Dwayne "The Rock" J', '1,"Dwayne ""The Rock"" J",4,x'),
        ("O'Brien", "name = 'O''Brien'"),
    ],
)
def test_a_value_is_a_part_of_a_line_with_its_signs_and_marks_and_without_escapes(value: str, line: str) -> None:
    assert value in set(parts_of(line))


def test_a_longer_word_is_not_taken_apart_and_each_part_comes_once() -> None:
    parts = list(parts_of("सीताराम,A-170,(x)"))
    assert len(parts) == len(set(parts))
    assert {"सीता", "A-17", "-170", ","}.isdisjoint(parts)


@pytest.mark.parametrize("piece", [",a", "((", "((a))", '""', "\\", "ü((( "])
def test_there_are_so_many_parts_for_each_word_and_no_more(piece: str) -> None:
    line = "".join(f"{piece}{number}" for number in range(500))
    assert len(list(parts_of(line))) <= 16 * MOST_WORDS * 1_000
