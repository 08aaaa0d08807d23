"""Tables of what waits, in a terminal."""

from readiness_pipelines.cli.waiting import SHOWN_COLUMNS, rows_table


def test_the_columns_that_broken_rules_look_at_are_shown_first() -> None:
    names = ["_row", *(f"plain_{number}" for number in range(9)), "dewp", "time_hour", "broken"]
    rules = ["dewp_greater_than_or_equal_to", "dewp_isin, unique_plain_8_time_hour"]
    rows = [{name: rule if name == "broken" else 1 for name in names} for rule in rules]
    shown = [str(column.header) for column in rows_table("day_1", names, rows).columns]
    assert shown[:4] == ["_row", "plain_8", "dewp", "time_hour"]
    assert shown[-1] == "broken"
    assert len(shown) == SHOWN_COLUMNS + 2
