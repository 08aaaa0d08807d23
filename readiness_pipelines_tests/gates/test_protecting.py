"""What is published of a protected column: in its type, the same for the same value, and nothing that gives it away."""

import hmac
from datetime import date
from decimal import Decimal
from hashlib import sha256
from math import inf, isnan, nan
from random import Random
from typing import Any

import duckdb
import pandera.pyarrow as pp
import pyarrow as pa
import pytest

from readiness_pipelines import (
    Bucket,
    FormatPreserving,
    Gate,
    GateBuildError,
    KeepFirst,
    KeepLast,
    NotInOtherBatches,
    Pseudonym,
    Route,
    SetNull,
    Token,
    WithinUsualRange,
    YearOnly,
    protect,
)
from readiness_pipelines.contracts.protections import Protection
from readiness_pipelines.engines.tokens import value_of_token
from readiness_pipelines.gates import DuckDbEngine
from readiness_pipelines.testing import batch, judge

KEY, OTHER = b"k" * 32, b"o" * 80
KEYS = {"people": KEY, "others": OTHER}


def gate(kind: Any, protection: Protection | None, as_: str = "pii.id", **options: Any) -> Gate:
    columns = {
        "v": pp.Column(kind, nullable=True, metadata=protect(as_, protection)),
        "w": pp.Column(pa.string(), nullable=True),
    }
    return Gate(pp.DataFrameSchema(columns), **options)


def hashed(text: str, key: bytes = KEY) -> str:
    return hmac.digest(key, text.encode(), sha256).hex()


def published(kind: Any, protection: Protection | None, *values: Any, as_: str = "pii.id", **options: Any) -> list[Any]:
    rows = [{"v": value, "w": "x"} for value in values]
    judged = judge(gate(kind, protection, as_), *rows, types={"v": kind}, keys=KEYS, **options)
    assert judged.verdict.schema.field("v").type == kind, "types stay"
    return [row["v"] for row in judged.published]


@pytest.mark.parametrize(
    ("kind", "protection", "given", "seen"),
    [
        (pa.string(), Pseudonym(key="people"), ["a", "Müller ", ""], [hashed(v)[:32] for v in ("a", "Müller ", "")]),
        (pa.string(), Pseudonym(key="others", length=64), ["a", "a"], [hashed("a", OTHER)] * 2),
        (pa.int64(), Pseudonym(key="people"), [-7, 2**62], [int(hashed(v)[:16], 16) >> 1 for v in ("-7", str(2**62))]),
        (pa.string(), KeepFirst(3), ["10115", "abc", "", "日本語です"], ["101*", "*", "*", "日本語*"]),
        (pa.string(), KeepLast(4), ["4111 1111 1111 1234", "1234"], ["*1234", "*"]),
        (pa.date32(), YearOnly(), [date(1955, 7, 3), date(1, 1, 1)], [date(1955, 1, 1), date(1, 1, 1)]),
        (pa.int8(), Bucket(10, at_most=90), [-1, 0, 9, 10, 127], [-10, 0, 0, 10, 90]),
        (pa.int64(), Bucket(10), [2**53 + 1], [2**53 + 1 - (2**53 + 1) % 10]),
        (pa.int64(), Bucket(1, at_most=1_234_567), [9_999_999, 5], [1_234_567, 5]),
        (pa.int64(), Bucket(1000, at_most=1_234_567), [9_999_999], [1_234_567]),
        (pa.float64(), Bucket(0.5), [-0.1, 1.26], [-0.5, 1.0]),
        (pa.decimal128(9, 2), Bucket(2.5), [Decimal("7.49")], [Decimal("5.00")]),
        (pa.string(), SetNull(), ["a"], [None]),
    ],
)
def test_a_protection_publishes_what_it_says_in_the_column_s_type_and_null_for_null(
    kind: Any, protection: Protection, given: list[Any], seen: list[Any]
) -> None:
    assert published(kind, protection, *given, None) == [*seen, None]


def test_values_are_counted_where_two_estimates_of_how_many_there_are_differ_by_chance() -> None:
    draw = Random(21)  # DuckDB estimates 1,612 values, and 1,444 pseudonyms of them; there are 1,500 of both
    values = [str(draw.randrange(10**9)) for _ in range(1_500)]
    assert len(published(pa.string(), Pseudonym(key="people"), *values)) == len(values)


def test_free_text_is_withheld_by_default_and_its_absence_is_not() -> None:
    assert published(pa.string(), None, "saw Mr Miller", None, as_="phi.free_text") == ["[withheld]", None]


def test_a_token_is_turned_back_by_its_key_alone() -> None:
    first, again, other = published(pa.string(), Token(key="people"), "Zoë", "Zoë", "zoë")
    assert first == again != other
    assert value_of_token(first, KEY) == "Zoë"
    with pytest.raises(Exception, match="not a token of this key"):
        value_of_token(first, OTHER)


def test_a_format_preserving_token_keeps_length_alphabet_and_what_is_not_of_it() -> None:
    cards = published(pa.string(), FormatPreserving(key="people"), "4111-1111-1111-1111", "4111111111111112", "12345")
    assert cards[0] != "4111-1111-1111-1111"
    assert [len(part) for part in cards[0].split("-")] == [4, 4, 4, 4]
    assert cards[1].isdigit()
    assert cards[2] == "[withheld]", "a number of five digits could be guessed"


def test_a_number_that_the_cipher_maps_to_itself_is_withheld_and_holds_no_batch() -> None:
    itself, other = published(pa.string(), FormatPreserving(key="others"), "0937185", "0937186")
    assert (itself, len(other), other != "0937186") == ("[withheld]", 7, True)


@pytest.mark.parametrize(("at_most", "large"), [(None, [95.0, inf]), (90, [90.0, 90.0])])
def test_what_is_no_number_is_in_no_interval(at_most: float | None, large: list[float]) -> None:
    seen = published(pa.float64(), Bucket(5, at_most=at_most), nan, -inf, 97.0, inf)
    assert isnan(seen[0])
    assert seen[1:] == [-inf, *large]


def test_without_its_key_a_batch_is_held_and_the_reason_names_the_key_and_the_way_out() -> None:
    judged = judge(gate(pa.string(), Pseudonym(key="patients")), {"v": "a", "w": "x"}, keys=KEYS)
    judged.assert_held("masking_verified: the key 'patients' is not there: name its place in [settings.keys]")
    assert judged.published == []
    assert judged.quarantined == {0}


def test_a_key_is_in_no_plan_and_no_error() -> None:
    with duckdb.connect() as connection:
        verdict = gate(pa.string(), Pseudonym(key="people")).judge(
            batch({"v": "a", "w": "x"}), DuckDbEngine(connection), keys=KEYS.__getitem__
        )
        inner = bytes(byte ^ 0x36 for byte in KEY)
        for text in (verdict.published.explain(), verdict.published.sql_query(), repr(verdict)):
            assert "kkkk" not in text
            assert inner.decode() not in text
            assert inner.hex().lower() not in text.lower()


@pytest.mark.parametrize(
    ("kind", "protection"),
    [
        (pa.int32(), Pseudonym(key="people")),
        (pa.int64(), Token(key="people")),
        (pa.int64(), KeepFirst(2)),
        (pa.string(), YearOnly()),
        (pa.string(), Bucket(10)),
        (pa.int64(), Bucket(2.5)),
        (None, Pseudonym(key="people")),
    ],
)
def test_a_protection_that_would_change_the_type_is_refused(kind: Any, protection: Protection) -> None:
    with pytest.raises(GateBuildError, match="the protection"):
        gate(kind, protection)


def test_rules_that_cannot_look_through_a_protection_are_refused() -> None:
    with pytest.raises(GateBuildError, match="compares with what was published"):
        gate(pa.int64(), Bucket(10), rules=[NotInOtherBatches(["v"])])
    with pytest.raises(GateBuildError, match="compares with what was published"):
        gate(pa.int64(), Pseudonym(key="people"), rules=[WithinUsualRange(["v"])])
    with pytest.raises(GateBuildError, match="cannot be published with a warning"):
        gate(pa.string(), Pseudonym(key="people"), routes={"masking_verified": Route.WARN})


def test_values_are_compared_with_other_batches_by_what_was_published_of_them() -> None:
    others = pa.table({"v": [hashed("a")[:32]], "_batch": ["b"], "_row": [0]})
    strict = gate(pa.string(), Pseudonym(key="people"), rules=[NotInOtherBatches(["v"])])
    judged = judge(strict, {"v": "a", "w": "x"}, {"v": "b", "w": "x"}, other_batches=others, keys=KEYS)
    judged.assert_breaks({0: "v_not_in_other_batches"})


def test_the_version_is_of_the_protection_and_not_of_the_class() -> None:
    plain, classed = gate(pa.string(), None, "pii.direct"), gate(pa.string(), None, "phi.direct")
    assert plain.version == classed.version
    assert gate(pa.string(), Pseudonym(key="people")).version != plain.version


# What gives a value away.


def row(v: str, w: str | None = "x", **more: Any) -> dict[str, Any]:
    return {"v": v, "w": w, **more}


@pytest.mark.parametrize("copy", ["patient-0001", "PATIENT-0001", "see patient-0001!"])
def test_a_copy_in_another_column_holds_the_batch(copy: str) -> None:
    rows = [row("patient-0001", copy), *(row(f"patient-{n:04}") for n in range(2, 500))]
    judged = judge(gate(pa.string(), Pseudonym(key="people")), *rows, keys=KEYS)
    judged.assert_held("masking_verified: w repeats v in 1 rows")
    assert "patient-0001" not in str(judged.outcome)


def test_a_name_of_a_file_that_names_a_person_holds_the_batch() -> None:
    judged = judge(gate(pa.string(), Pseudonym(key="people")), row("patient-0001", _file="patient-0001.csv"), keys=KEYS)
    judged.assert_held("masking_verified: _file repeats v")


def test_a_surname_that_is_a_town_too_does_not() -> None:
    rows = [row("Houston", "Houston"), *(row(f"Surname{n}", "Dallas") for n in range(300))]
    judge(gate(pa.string(), Pseudonym(key="people"), "pii.direct"), *rows, keys=KEYS).assert_publishes(
        {"w": "Houston"}, *({"w": "Dallas"} for _ in range(300))
    )


def test_what_still_looks_personal_when_it_is_cut_down_holds_the_batch() -> None:
    rows = [row(f"{n:03} someone{n}@mail.example") for n in range(300)]
    judged = judge(gate(pa.string(), KeepLast(25), "pii.direct"), *rows, keys=KEYS)
    judged.assert_held("masking_verified: v: ")
    assert "@" not in str(judged.outcome)


def test_a_short_value_is_in_other_columns_by_chance() -> None:
    rows = [row(str(n), str(n)) for n in range(50)]
    assert len(judge(gate(pa.string(), Pseudonym(key="people")), *rows, keys=KEYS).published) == 50


def test_a_value_that_arrived_as_another_s_pseudonym_holds_the_batch() -> None:
    judged = judge(gate(pa.string(), Pseudonym(key="people")), row(hashed("a")[:32]), row("a"), keys=KEYS)
    judged.assert_held("masking_verified: v: 1 values are published as some arrived")
    assert judged.published == []
    assert judged.quarantined == {0, 1}


def test_a_column_that_is_called_like_what_is_joined_is_published_as_it_is() -> None:
    columns = {
        "v": pp.Column(pa.string(), metadata=protect("pii.id", Token(key="people"))),
        "_plain": pp.Column(pa.string()),
        "m": pp.Column(pa.string()),
    }
    judged = judge(Gate(pp.DataFrameSchema(columns)), {"v": "a", "_plain": "b", "m": "c"}, keys=KEYS)
    judged.assert_publishes({"_plain": "b", "m": "c"})
