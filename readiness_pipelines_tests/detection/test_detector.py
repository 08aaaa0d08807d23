"""Which columns are about persons: values and names together, in any spelling, and never a value in what is said."""

import gzip
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readiness_pipelines.detection import Certainty, detect, personal_by_name
from readiness_pipelines_tests.benchmarks.detection import file_columns, measure
from readiness_pipelines_tests.benchmarks.detection_held_out import held_out
from readiness_pipelines_tests.benchmarks.detection_own import own_columns
from readiness_pipelines_tests.conftest import LANDING

MAILS = [f"person{n}@mail.example" for n in range(50)]
DIGITS = [str(random.Random(n).randrange(10**9, 10**10)) for n in range(200)]


def said(**columns: Any) -> dict[str, tuple[str, str]]:
    """The class and certainty of each column that looks personal."""
    return {one.path: (str(one.classified), one.certainty.value) for one in detect(pa.table(columns))}


@pytest.mark.parametrize(
    "name",
    ["email", "E-Mail", "eMailAddress", "EMAIL", "customerEmail", "contact_e_mail", "correo", "Почта", "メール", "x"],
)
def test_values_that_say_it_are_found_under_any_name(name: str) -> None:
    assert said(**{name: MAILS}) == {name: ("pii.direct", "sure")}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("email_sent", [True, False] * 9),
        ("email", [1, 2, 3] * 9),
        ("phone_count", [3, 4, 5] * 9),
        ("address_type", ["home", "work"] * 9),
        ("first_seen", ["2026-01-01"] * 9),
        ("last", [0.5, 1.5] * 9),
        ("name_length", [3, 9] * 9),
        ("email_hash", ["5d41402abc4b2a76b9719d911017c592"] * 9),
        ("file_name", ["a.csv", "b.csv"] * 9),
        ("c", DIGITS),
        ("c", [float(one) for one in DIGITS]),
        ("c", [int(one) for one in DIGITS]),
        ("c", [f"{one[:3]}-{one[3:6]}-{one[6:9]}" for one in DIGITS]),
        ("c", [f"{one[0]}.{one[1]}.{one[2]}.{one[3]}" for one in DIGITS]),
        ("c", ["2026-11-01T10:00:00", "2026-11-02T10:00:00"] * 9),
    ],
)
def test_what_only_sounds_or_looks_like_it_is_not_flagged(name: str, values: list[Any]) -> None:
    assert said(**{name: values}) == {}


def test_plain_numbers_are_phones_only_where_the_name_says_so() -> None:
    numbers = [f"30{n:07d}" for n in range(50)]
    assert said(c=numbers) == {}
    assert said(Telefonnummer=numbers)["Telefonnummer"][0] == "pii.direct"


def test_no_column_of_the_wafers_is_flagged() -> None:
    files = sorted((LANDING / "first_pass_yield" / "wafers").rglob("*.gz"))[:12]
    tables = [file_columns(file.parent.name, gzip.decompress(file.read_bytes()), set()) for file in files]
    assert len(tables) == 12
    for columns in tables:
        assert len(columns) >= 592
        assert measure(columns, least=Certainty.LIKELY).wrong == []


def test_a_city_is_personal_beside_persons_and_not_beside_machines() -> None:
    city = ["Kiel", "Graz"] * 25
    assert said(city=city, email=MAILS)["city"] == ("pii.quasi", "likely")
    assert said(city=city, pressure=[1.5] * 50) == {}


def test_a_table_about_patients_is_about_their_health() -> None:
    found = said(patient_nbr=list(range(1_000, 1_050)), gender=["F", "M"] * 25, diag_1=["250.1"] * 50)
    assert found == {
        "patient_nbr": ("phi.id", "sure"),
        "gender": ("phi.quasi", "sure"),
        "diag_1": ("phi.quasi", "likely"),
    }


def test_free_text_is_known_by_its_name_or_by_what_stands_in_it() -> None:
    plain = ["the parcel came late and was wet"] * 50
    assert said(c=plain) == {}
    assert said(remarks=plain) == {"remarks": ("pii.free_text", "likely")}
    assert said(c=[*plain, *(f"please write to {mail} about it" for mail in MAILS)]) == {"c": ("pii.free_text", "sure")}
    assert said(c=[f'{{"to": "{mail}"}}' for mail in MAILS]) == {"c": ("pii.free_text", "sure")}
    numbers = [f"order {one} {one}0 came late and wet" for one in DIGITS]
    assert said(c=numbers) == {}, "a check digit is right by chance in one of ten"


def test_what_lies_within_records_lists_and_bytes_is_found_by_its_path() -> None:
    nested = pa.array([{"contact": {"mails": [mail]}, "n.": mail} for mail in MAILS])
    assert said(customer=nested) == {
        "customer.contact.mails": ("pii.direct", "sure"),
        "customer.n.": ("pii.direct", "sure"),
    }
    assert said(c=pa.array([mail.encode() for mail in MAILS])) == {"c": ("pii.direct", "sure")}
    assert said(c=pa.array([b"\xff\xfe" + mail.encode() for mail in MAILS])) == {}
    assert said(c=pa.array(MAILS).dictionary_encode()) == {"c": ("pii.direct", "sure")}


def test_an_empty_column_is_likely_by_its_name_and_missing_values_are_no_values() -> None:
    assert said(**{"Date of Birth": pa.nulls(5), "name": pa.nulls(5), "x": pa.nulls(5)}) == {
        "Date of Birth": ("pii.quasi", "likely")
    }
    assert said(email=[*["?", "", None] * 200, *MAILS]) == {"email": ("pii.direct", "sure")}
    assert detect(pa.table({})) == ()
    assert personal_by_name(["first", "last", "Vorname", "amount", "city"]) == {"first", "last", "Vorname"}


def test_a_proposal_says_what_it_rests_on_and_no_value() -> None:
    (found,) = detect(pa.table({"Kontakt": [*MAILS[:49], "n.n."]}))
    assert str(found) == "column Kontakt looks like e-mail addresses (98 % of 50 sampled, by their syntax)"
    assert not any("mail.example" in str(value) for value in found.to_json().values())


def test_types_and_huge_cells_do_not_matter() -> None:
    day = date(1970, 1, 1)
    found = said(
        dob=[day] * 9,
        birth_date=[datetime(1970, 1, 1, 5, tzinfo=UTC)] * 9,
        age=pa.array([Decimal(41)] * 9),
        card_no=[4111111111111111] * 9,
        blob=["x" * 10_000_000] * 9,
        odd=pa.array([float("nan"), float("inf"), None] * 3),
    )
    assert set(found) == {"dob", "birth_date", "age", "card_no"}


VALUES = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.from_regex(r"[-+() .@/\d]{0,30}", fullmatch=True),
    st.sampled_from(MAILS + DIGITS),
)


@given(values=st.lists(VALUES, max_size=20), name=st.text(max_size=12))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_that_arrives_breaks_it_or_is_repeated(values: list[str | None], name: str) -> None:
    rows = pa.table({name: pa.array(values, pa.string())})
    for found in detect(rows):
        assert 0 <= found.evidence.matched <= found.evidence.sampled
        shown = str({key: value for key, value in found.to_json().items() if key not in ("column", "path")})
        assert not any(text in shown for text in MAILS + DIGITS)


def test_what_is_sure_is_right_on_columns_of_another_generator() -> None:
    columns = [*own_columns(rows=100), *held_out("fr_FR", rows=60), *held_out("hu_HU", rows=60)]
    sure, likely = measure(columns, least=Certainty.SURE), measure(columns, least=Certainty.LIKELY)
    assert sure.wrong == []
    assert sure.recall > 0.7
    assert likely.recall > 0.9
