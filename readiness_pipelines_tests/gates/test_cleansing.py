"""Cleansing declared on the schema: what each step does, in which order, and what is counted."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import (
    Case,
    Categories,
    Dates,
    Deduplicate,
    FillMissing,
    FlagMissing,
    Gate,
    NullTokens,
    Numbers,
    RejectMissing,
    RemovePrefix,
    Route,
    Trim,
    ZeroPad,
    cleanse,
)
from readiness_pipelines.errors import DeclarationError, GateBuildError, UnknownNameError
from readiness_pipelines.gates import Publish
from readiness_pipelines.testing import judge


def gate(*steps: Any, kind: arrow.DataType | None = None, **options: Any) -> Gate:
    options.setdefault("nullable", True)
    column = pa.Column(kind or arrow.string(), metadata=cleanse(*steps), **options)
    return Gate(pa.DataFrameSchema({"a": column}))


@pytest.mark.parametrize(
    ("step", "given", "wanted"),
    [
        (Trim(), "  a b\t\n", "a b"),
        (Trim(), "   ", ""),
        (Case("upper"), "aé", "AÉ"),
        (Case("lower"), "AÉ", "aé"),
        (NullTokens(["?", "N/A"]), "N/A", None),
        (NullTokens("?"), "?!", "?!"),
        (ZeroPad(3), "8", "008"),
        (ZeroPad(3), "1234", "1234"),
        (ZeroPad(3), "", ""),
        (RemovePrefix("é_"), "é_é_a", "é_a"),
        (RemovePrefix("é_"), "É_a", "É_a"),
        (RemovePrefix("ab"), "ab", ""),
        (Categories({"m": "male", "x": None}), "m", "male"),
        (Categories({"m": "male", "x": None}), "x", None),
        (Categories({"m": "male", "x": None}), "f", "f"),
        (Dates(["%d.%m.%Y", "%Y-%m-%d"]), "31.01.2026", "2026-01-31"),
        (Dates(["%d.%m.%Y", "%Y-%m-%d"]), "2026-01-31", "2026-01-31"),
        (Dates(["%d.%m.%Y", "%Y-%m-%d"]), "31/01/2026", "31/01/2026"),
        (Dates("%d.%m.%Y", canonical="%m/%d/%Y"), "31.01.2026", "01/31/2026"),
        (Dates("%d.%m.%Y"), "12.03.24", "12.03.24"),
        (Dates("%d.%m.%Y"), " 1.3.2024 ", "2024-03-01"),
        (Dates(["%d.%m.%Y", "%d.%m.%y"]), "12.03.24", "2024-03-12"),
        (Dates("%d.%m.%y"), "12.03.4", "12.03.4"),
        (Dates("%d%%(%Y)"), "12%(2024)", "2024-01-12"),
        (Numbers(decimal=",", thousands=".", currencies=["€", "EUR"]), "1.234.567,50 €", "1234567.50"),
        (Numbers(decimal=",", thousands=".", currencies=["€", "EUR"]), "EUR -12,5", "-12.5"),
        (Numbers(decimal=",", thousands=".", currencies=["€", "EUR"]), "1.23,5", "1.23,5"),
        (Numbers(thousands=",", currencies="$"), "-$1,234.5", "-1234.5"),
        (Numbers(thousands=","), "12,34", "12,34"),
        (Numbers(), "abc", "abc"),
        (FillMissing("none"), None, "none"),
        (FillMissing("none"), "", ""),
    ],
)
def test_a_step_makes_of_a_text(step: Any, given: str | None, wanted: str | None) -> None:
    judged = judge(gate(step), {"a": given}, types={"a": arrow.string()})
    judged.assert_publishes({"a": wanted})
    assert sum(judged.cleansed.values()) == (given != wanted)


def test_steps_run_in_the_order_in_which_they_are_written_and_each_counts_what_it_changed() -> None:
    both = gate(Trim(), NullTokens("?"), ZeroPad(3))
    judged = judge(both, {"a": " 8 "}, {"a": "?"}, {"a": " ?"}, {"a": "123"})
    judged.assert_publishes({"a": "008"}, {"a": None}, {"a": None}, {"a": "123"})
    assert judged.cleansed == {("a", "trim"): 2, ("a", "null tokens"): 2, ("a", "zero pad to 3"): 1}


def test_rules_see_the_cleansed_value_and_quarantine_keeps_what_arrived() -> None:
    coded = gate(Trim(), ZeroPad(3), checks=[pa.Check.str_matches(r"^\d{3}$")])
    judged = judge(coded, {"a": " 8 "}, {"a": " x "})
    judged.assert_publishes({"a": "008"})
    judged.assert_breaks({1: "a_str_matches"})
    (count,) = judged.verdict.broken
    assert count.samples[0]["a"] == " x "


def test_cleansing_comes_before_the_type() -> None:
    judge(gate(Numbers(decimal=","), kind=arrow.float64()), {"a": "1,5"}).assert_publishes({"a": 1.5})
    judge(gate(Dates("%d.%m.%y"), kind=arrow.date32()), {"a": "31.13.99"}, {"a": "01.02.26"}).assert_breaks(
        {0: "a_dtype"}
    )


def test_a_filled_value_must_obey_the_rules_too() -> None:
    judge(gate(FillMissing(-1), kind=arrow.int64(), checks=[pa.Check.ge(0)]), {"a": "1"}, {"a": None}).assert_breaks(
        {1: "a_greater_than_or_equal_to"}
    )


def test_a_value_that_does_not_convert_is_not_missing() -> None:
    filled = gate(FillMissing(0), FlagMissing("a_missing"), kind=arrow.int64())
    judged = judge(filled, {"a": "x"}, {"a": None}, {"a": "5"})
    judged.assert_breaks({0: "a_dtype"})
    judged.assert_publishes({"a": 0, "a_missing": True}, {"a": 5, "a_missing": False})
    assert judged.cleansed == {("a", "flag missing in a_missing"): 1, ("a", "fill missing with 0"): 1}


def test_a_flag_is_a_published_column() -> None:
    flagged = gate(NullTokens("?"), FlagMissing("a_missing"))
    assert flagged.schema.field("a_missing").type == arrow.bool_()
    judge(flagged, {"a": "?"}, {"a": "x"}).assert_publishes(
        {"a": None, "a_missing": True}, {"a": "x", "a_missing": False}
    )


def test_missing_may_be_rejected_where_the_schema_lets_it_be_null() -> None:
    judge(gate(NullTokens("?"), RejectMissing()), {"a": "?"}, {"a": "x"}).assert_breaks({0: "a_not_nullable"})


def test_the_schemas_own_default_is_a_step_that_is_counted() -> None:
    judged = judge(gate(kind=arrow.int64(), default=7, nullable=False), {"a": None}, {"a": 1})
    judged.assert_publishes({"a": 7}, {"a": 1})
    assert judged.cleansed == {("a", "fill missing with 7"): 1}


def test_text_steps_leave_typed_values_alone() -> None:
    judged = judge(gate(Trim(), ZeroPad(3), kind=arrow.int64()), {"a": 8})
    judged.assert_publishes({"a": 8})
    assert not judged.cleansed


def test_rows_that_cannot_be_read_are_not_counted_as_cleansed() -> None:
    judged = judge(gate(FillMissing("x")), {"a": "1"}, {"_unreadable": "…", "_unreadable_reason": "broken"})
    assert not judged.cleansed


class Order(pa.DataFrameModel):
    """An order, of which the last update counts."""

    order: arrow.int64() = pa.Field(unique=True)
    version: arrow.int64() = pa.Field(ge=0)

    class Config:
        """One row for each order."""

        metadata = cleanse(Deduplicate("order", order_by="version"))


def test_one_row_of_each_key_wins_and_the_others_are_discarded_and_counted() -> None:
    rows = [(1, 1), (2, 1), (1, 3), (1, 2), (3, 1), (3, 1)]
    judged = judge(Gate(Order), *({"order": order, "version": version} for order, version in rows))
    judged.assert_publishes({"order": 2, "version": 1}, {"order": 1, "version": 3}, {"order": 3, "version": 1})
    assert judged.discarded == {0, 3, 4}
    assert judged.cleansed == {("order", "deduplicate"): 3}
    assert isinstance(judged.outcome, Publish)
    verdict = judged.verdict
    assert (verdict.ingested_rows, verdict.published_rows, verdict.discarded_rows) == (6, 3, 3)


def test_nan_is_no_key_and_wins_over_no_number() -> None:
    nan = float("nan")
    schema = {"k": pa.Column(arrow.float64(), nullable=True), "score": pa.Column(arrow.float32(), nullable=True)}
    gate = Gate(pa.DataFrameSchema(schema, metadata=cleanse(Deduplicate("k", order_by="score"))))
    rows = [(nan, 1.0), (nan, 2.0), (1.0, nan), (1.0, 0.5), (1.0, None)]
    types = {"k": arrow.float64(), "score": arrow.float32()}
    assert judge(gate, *({"k": k, "score": score} for k, score in rows), types=types).discarded == {2, 4}


def test_the_first_may_win() -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(str), "b": pa.Column(str)}, metadata=cleanse(Deduplicate("a", "first")))
    judged = judge(Gate(schema), {"a": "x", "b": "1"}, {"a": "x", "b": "2"})
    judged.assert_publishes({"a": "x", "b": "1"})


def test_rows_without_a_key_are_all_kept() -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(str, nullable=True)}, metadata=cleanse(Deduplicate("a")))
    judge(Gate(schema), {"a": None}, {"a": None}, {"a": "x"}).assert_publishes({"a": None}, {"a": None}, {"a": "x"})


def test_a_discarded_row_breaks_no_rule_and_counts_for_no_tolerance() -> None:
    judged = judge(Gate(Order), {"order": 1, "version": -1}, {"order": 1, "version": 2})
    judged.assert_publishes({"order": 1, "version": 2})
    assert not judged.broken


def test_all_rows_of_a_held_batch_wait_the_repeated_ones_too() -> None:
    judge(Gate(Order), {"order": 1, "version": -1}, {"order": 1, "version": -2}).assert_held(
        "no row is left to publish"
    )
    rows = ({"order": 1, "version": 5}, {"order": 1, "version": -2}, {"order": 2, "version": -1})
    held = judge(Gate(Order, routes={"version_greater_than_or_equal_to": Route.HOLD}), *rows)
    held.assert_held()
    assert held.quarantined == {0, 1, 2}
    assert held.verdict.discarded_rows == 0
    assert held.verdict.quarantined_rows == 3


@pytest.mark.parametrize(
    ("metadata", "match"),
    [
        (cleanse(Deduplicate("b")), "unknown column in Deduplicate 'b'"),
        (cleanse(Trim()), "more, or something else, than one Deduplicate"),
    ],
)
def test_cleansing_of_rows_that_cannot_be_is_refused(metadata: Any, match: str) -> None:
    with pytest.raises((GateBuildError, UnknownNameError), match=match):
        Gate(pa.DataFrameSchema({"a": pa.Column(str)}, metadata=metadata))


@pytest.mark.parametrize("step", [Deduplicate("a"), FlagMissing("a"), FlagMissing("_row")])
def test_cleansing_of_a_column_that_cannot_be_is_refused(step: Any) -> None:
    with pytest.raises(GateBuildError):
        gate(step)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (arrow.int8(), 300),
        (arrow.uint8(), -1),
        (arrow.int64(), 1.5),
        (arrow.int64(), True),
        (arrow.int64(), "x"),
        (arrow.float64(), 2**53 + 1),
        (arrow.bool_(), "yes"),
        (arrow.string(), 1),
        (arrow.decimal128(4, 2), Decimal("1.234")),
        (arrow.date32(), datetime(2024, 1, 1, 5)),  # noqa: DTZ001  # as a schema may have it
        (arrow.timestamp("us"), datetime(2024, 1, 1, tzinfo=UTC)),
        (arrow.timestamp("us"), "2024-01-01 00:00:00+02:00"),
    ],
)
def test_a_value_that_the_column_does_not_hold_cannot_fill_it(kind: arrow.DataType, value: Any) -> None:
    with pytest.raises(GateBuildError, match=r"'a' would be filled with .*, which is not a value of"):
        gate(kind=kind, default=value)
    if isinstance(value, str | int | float):
        with pytest.raises(GateBuildError, match="'a' would be filled"):
            gate(FillMissing(value), kind=kind)


def test_a_format_of_dates_that_is_none_is_refused() -> None:
    with pytest.raises(GateBuildError, match="column 'a' has dates in the format '%Q'"):
        gate(Dates("%Q"))


@pytest.mark.parametrize(
    "columns",
    [
        {"a": "gone", "b": "gone"},
        {"a": "A"},
        {r"^s\d$": "gone"},
        {"a": "_Row"},
    ],
)
def test_a_flag_has_a_name_of_its_own(columns: dict[str, str]) -> None:
    schema = {
        name: pa.Column(str, nullable=True, regex=name.startswith("^"), metadata=cleanse(FlagMissing(flag)))
        for name, flag in columns.items()
    }
    with pytest.raises(GateBuildError, match="FlagMissing of "):
        Gate(pa.DataFrameSchema(schema))


def test_a_time_of_day_that_is_read_is_written_or_refused() -> None:
    with pytest.raises(GateBuildError, match=r"of whose time of day canonical='%Y-%m-%d' does not write all") as caught:
        gate(Dates(["%d.%m.%Y", "%d.%m.%Y %H:%M"]), kind=arrow.timestamp("us"))
    assert "%H:%M:%S" in caught.value.way_out
    whole = gate(Dates("%d.%m.%Y %H:%M", canonical="%Y-%m-%d %H:%M:%S"), kind=arrow.timestamp("us"))
    assert judge(whole, {"a": "31.12.2026 18:30"}).published == [{"a": datetime(2026, 12, 31, 18, 30)}]  # noqa: DTZ001
    day = gate(Dates("%d.%m.%Y %H:%M"), kind=arrow.date32())  # whose column says that there is no time of day
    assert judge(day, {"a": "31.12.2026 18:30"}).published == [{"a": date(2026, 12, 31)}]


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        ((RejectMissing(), FillMissing("x")), "RejectMissing would never find one"),
        ((FillMissing("x"), RejectMissing()), "RejectMissing would never find one"),
        ((FillMissing("x"), Case("upper")), "has Case after FillMissing"),
    ],
)
def test_steps_that_would_have_to_see_what_is_filled_in_are_refused(steps: tuple[Any, ...], what: str) -> None:
    with pytest.raises(GateBuildError, match=what):
        gate(*steps)


def test_what_is_no_step_is_refused() -> None:
    with pytest.raises(DeclarationError, match="is not a cleansing step"):
        cleanse("trim")  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="for decimals and for thousands"):
        Numbers(decimal=".", thousands=".")
    with pytest.raises(DeclarationError):
        ZeroPad(0)
