"""Tables of what waits, in a terminal."""

import pytest

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.cli.narrow import broken_between_words, short_redacted
from readiness_pipelines.cli.output import OUT
from readiness_pipelines.cli.waiting import SHOWN_COLUMNS, rows_table, waiting_tables
from readiness_pipelines.installation import utc_now
from readiness_pipelines.ledger import BatchRecord, Snapshots
from readiness_pipelines.names import TableId


def printed(table: object, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(OUT, "width", width)
    with OUT.capture() as capture:
        OUT.print(table)
    return capture.get().splitlines()


def test_the_columns_that_broken_rules_look_at_are_shown_first() -> None:
    names = ["_row", *(f"plain_{number}" for number in range(9)), "dewp", "time_hour", "broken"]
    rules = ["dewp_greater_than_or_equal_to", "dewp_isin, unique_plain_8_time_hour"]
    rows = [{name: rule if name == "broken" else 1 for name in names} for rule in rules]
    shown = [str(column.header) for column in rows_table("day_1", names, rows).columns]
    assert shown[:5] == ["_row", "broken", "plain_8", "dewp", "time_hour"]
    assert len(shown) == SHOWN_COLUMNS + 2


def test_a_terminal_of_80_columns_breaks_no_word_and_no_redacted_value(monkeypatch: pytest.MonkeyPatch) -> None:
    redacted = "«text, 9 characters, letters and digits, AB»"
    names = ["_row", *(f"a_long_name_of_a_column_{number}" for number in range(9)), "broken"]
    rule = "a_long_name_of_a_column_7_greater_than_or_equal_to_zero"
    rows = [{"_row": 7, **dict.fromkeys(names[1:], redacted), "broken": rule}]
    monkeypatch.setattr(OUT, "width", 80)
    lines = printed(rows_table("day_1", names, rows), 80, monkeypatch)
    assert max(map(len, lines)) <= 80
    shown = "\n".join(lines)
    assert "«9 characters AB»" in shown
    assert "greater_than_or_" in shown.replace("\n", "")
    assert "…" not in shown


def test_one_table_lists_what_waits_of_each_table_with_whole_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OUT, "width", 80)
    reason = "504 rows wait in quarantine (diag_1_str_matches 183, diag_3_str_matches 180)"
    records = [
        BatchRecord(
            ref=BatchRef(TableId("clinic", table), f"extract_{number:02d}"),
            state=state,
            counts=Counts(ingested=10_177, quarantined=504, published=9_673),
            reason=reason,
            gate_version="v",
            run_id="r",
            snapshots=Snapshots(),
            updated_at=utc_now(),
        )
        for number, (table, state) in enumerate(
            [("visits", BatchState.HELD), ("visits", BatchState.PARTLY_PUBLISHED), ("stays", BatchState.HELD)]
        )
    ]
    tables = [printed(table, 80, monkeypatch) for table in waiting_tables(records)]
    assert [table[0].strip() for table in tables] == ["clinic.visits", "clinic.stays"]
    assert all(len(line) <= 80 for table in tables for line in table)
    words = {word for table in tables for line in table for word in line.split()}
    assert {"(diag_1_str_matches", "diag_3_str_matches", "quarantine"} <= words


def test_texts_are_broken_where_a_reader_would_and_redacted_values_said_in_short() -> None:
    assert broken_between_words("amount_greater_than", 8) == "amount_\ngreater_\nthan"
    assert broken_between_words("abcdefghij kl", 4) == "abcd\nefgh\nij\nkl"
    assert broken_between_words("", 4) == ""
    assert short_redacted("«text, 9 characters, digits, A»") == "«9 digits A»"
    assert short_redacted("«whole number, 3 digits, B»") == "«whole number, 3 digits, B»"
    assert short_redacted("Ann") == "Ann"
