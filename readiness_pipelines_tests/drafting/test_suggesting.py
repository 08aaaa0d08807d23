"""What is suggested says of past batches what the gate says of them, and is checked on batches it has not seen."""

from typing import Any

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import null_share, row_count
from readiness_pipelines.drafting import Suggestion, suggest_rules
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.gates import DuckDbEngine, Gate
from readiness_pipelines.observability import BatchProfile, profile_of
from readiness_pipelines.sql import locked_connection
from readiness_pipelines.testing import batch

TYPES = {"id": "int64", "amount": "float64", "status": "string", "note": "string", "email": "string"}


def day(number: int) -> list[dict[str, Any]]:
    """Orders of a day; on the fifth one is much larger, on the twelfth a new status comes up."""
    return [
        {
            "id": n,
            "amount": 900.0 if (number, n) == (5, 3) else float((n * 7 + number) % 30 * 3),
            "status": "lost" if (number, n) == (12, 0) else ("paid", "sent", "refunded")[n % 3],
            "note": None if n % 4 == 0 else f"note {n}",
            "email": f"{n % 2}@shop.example",
        }
        for n in range(40 + number % 5)
    ]


DAYS = {f"2026-01-{number:02}": batch(*day(number)) for number in range(1, 17)}


def profiles(days: int = 16) -> list[BatchProfile]:
    return [profile_of(key, rows.select(list(TYPES))) for key, rows in list(DAYS.items())[:days]]


def gate_of(suggestion: Suggestion) -> Gate:
    """A gate that has a suggestion alone, as its text reads when it is pasted."""
    column = suggestion.column or "id"
    scope = {"pa": pa, "arrow": arrow, "nw": nw, "row_count": row_count, "null_share": null_share}
    arguments = suggestion.text if suggestion.into == "schema" else "nullable=True"
    nullable = "" if "nullable" in arguments else "nullable=True, "
    field = f"{column}: arrow.{TYPES[column]}() = pa.Field({nullable}{arguments})"
    exec(f"class Row(pa.DataFrameModel):\n    {field}", scope)  # noqa: S102  # as whoever pastes it
    rules = [eval(suggestion.text, scope)] if suggestion.into == "rules" else []  # noqa: S307  # as above
    return Gate(scope["Row"], rules=rules)


def broken_days(gate: Gate) -> int:
    with locked_connection() as connection:
        engine = DuckDbEngine(connection)
        return sum(bool(gate.judge(rows, engine).broken) for rows in DAYS.values())


def test_each_suggestion_is_broken_by_the_batches_by_which_the_gate_says_so() -> None:
    found = suggest_rules(profiles())
    by_text = {(one.column, one.text.split("=")[0].split("(")[0]): one for one in found}
    assert set(by_text) == {
        (None, "row_count"), ("id", "unique"), ("id", "ge"), ("id", "nullable"), ("amount", "ge"),
        ("amount", "nullable"), ("status", "isin"), ("status", "nullable"), ("status", "pa.Check"),
        ("note", "null_share"), ("note", "pa.Check"), ("email", "nullable"),
    }  # fmt: skip
    assert by_text["amount", "ge"].text == "ge=0, le=87"
    assert by_text["status", "isin"].text == 'isin=["paid", "refunded", "sent"]'
    assert by_text["status", "isin"].seen == "3 values, and 'lost' in single batches"
    assert by_text["note", "null_share"].text == 'null_share("note", at_most=0.3)'
    for one in found:
        assert (one.broken, one.batches, one.ahead) == (broken_days(gate_of(one)), 16, 8), one
    assert {one.text: one.broken for one in found if one.broken} == {
        "ge=0, le=87": 1,
        'isin=["paid", "refunded", "sent"]': 1,
    }
    assert by_text["status", "isin"].broken_ahead == 1
    assert by_text["status", "isin"].false_alarms == 1 / 16


def test_what_the_gate_has_already_is_not_suggested_and_few_batches_suggest_nothing() -> None:
    known = ["id_unique", "row_count", "status_isin", "status_not_nullable"]
    found = {(one.column, one.text.split("=")[0].split("(")[0]) for one in suggest_rules(profiles(), known=known)}
    assert not found & {(None, "row_count"), ("id", "unique"), ("status", "isin"), ("status", "nullable")}
    (above,) = [
        one for one in suggest_rules(profiles(), known=["amount_greater_than_or_equal_to"]) if "le=87" in one.text
    ]
    assert (above.text, above.broken) == ("le=87", 1)
    with pytest.raises(DeclarationError, match="7 batches have a profile"):
        suggest_rules(profiles(7))
