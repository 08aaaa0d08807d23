"""The on-call story on the command line: see, decide, replay, prove."""

from pathlib import Path

import pytest

from readiness_pipelines_tests.cli.calling import as_json, call
from readiness_pipelines_tests.samples import ONE_BAD, land

DAY_1 = ("--batch", "day_1", "--reason", "x")
AMOUNT = "amount_greater_than_or_equal_to"


def test_a_row_is_seen_corrected_replayed_and_proved(delivered: Path) -> None:
    waiting = as_json("quarantine", "list")
    assert [(batch["batch"], batch["state"], batch["quarantined"]) for batch in waiting] == [
        ("day_3", "held", 4),
        ("day_1", "partly_published", 1),
    ]
    assert [batch["batch"] for batch in as_json("quarantine", "list", "--held")] == ["day_3"]
    assert "next: readiness quarantine show shop.orders --batch day_3" in call("quarantine", "list")
    assert [batch["batch"] for batch in as_json("status", "--held")] == ["day_3"]
    assert call("status").index("day_3]: held") < call("status").index("shop (static)")
    shown = call("quarantine", "show", "--batch", "day_1")
    assert f"{AMOUNT}: 1 row breaks greater_than_or_equal_to(0) (quarantine)" in shown
    assert "who answers: Shop team <shop@shop.example>" in shown
    assert f"readiness quarantine waive shop.orders --batch day_1 --rule {AMOUNT}" in shown
    assert as_json("quarantine", "show", "--batch", "day_1")["rules"][0]["samples"][0]["amount"] == "-20"
    assert as_json("quarantine", "rows", "--batch", "day_1") == [
        {"_row": 1, "order_id": "2", "amount": "-20", "status": "refunded", "note": "?", "broken": AMOUNT}
    ]
    told = call(
        *("quarantine", "correct", "--batch", "day_1", "--reason", "sign lost", "--who", "ann"),
        *("--set", "amount = ltrim(amount, '-')", "--where", "amount LIKE '-%'"),
    )
    assert "decision 1: correct amount = ltrim(amount, '-') where amount LIKE '-%' (1 row)" in told
    planned = as_json("replay", "--batch", "day_1", "--dry-run")
    assert planned["moved_rows"] == 1
    assert planned["steps"][0]["would_be"] == "published"
    assert "1 row would move from quarantine to published" in call("replay", "--batch", "day_1", "--dry-run")
    done = call("replay", "--batch", "day_1", "--reason", "sign put back")
    assert "shop.orders[day_1]: partly_published → published, 3 → 4 rows published, 0 quarantined" in done
    assert "everything adds up" in call("reconcile")
    past = as_json("history", "--batch", "day_1")
    orders = next(table for table in past["steps"] if table["table"] == "shop.orders")
    assert [(d["kind"], d["who"], d["why"]) for d in orders["decisions"]] == [
        ("correct", "ann (unproved)", "sign lost")
    ]
    assert [entry["what"] for entry in orders["trail"]] == [
        "partly_published",
        "decided to correct",
        "replay requested",
        "published",
    ]
    assert "decision 1" in call("history", "--batch", "day_1")


def test_rows_may_be_exported_mended_and_given_back(delivered: Path) -> None:
    call("quarantine", "export", "--batch", "day_1", "--to", "waiting.csv")
    file = delivered / "waiting.csv"
    assert file.read_text().splitlines()[0] == "_row,order_id,amount,status,note,broken"
    (delivered / "fix.csv").write_text("_row,amount\n1,20\n")
    call("quarantine", "correct", "--batch", "day_1", "--file", "fix.csv", "--reason", "looked up")
    assert as_json("replay", "--batch", "day_1")["steps"][0]["now"] == "published"


def test_three_corrections_are_looked_at_kept_and_replayed_in_one_command(delivered: Path) -> None:
    (delivered / "fix.csv").write_text("_row,status\n2,paid\n")
    given: tuple[str, ...] = ("quarantine", "correct", "shop", "--batch", "day_3", "--file", "fix.csv")
    given += ("--set", "amount = ltrim(amount, '-')", "--set", "amount = CASE amount WHEN 'x' THEN '1' ELSE amount END")
    foretold = as_json(*given, "--dry-run")
    assert (foretold["would_be"], foretold["changed"], foretold["corrected"]) == ("published", 4, 3)
    assert foretold["changed_rows"][1]["cells"] == [{"column": "amount", "before": "-20", "after": "20"}]
    told = call(*given, "--dry-run")
    assert "shop.orders[day_3]: held → published, 0 → 4 rows published, 4 → 0 waiting" in told
    assert "1 quarantined published amount -20 → 20" in told
    assert [one["batches"][0]["before"] for one in foretold["kpis"]] == [None]
    assert f"{foretold['kpis'][0]['kpi']} day_3: no value → " in told
    done = as_json(*given, "--reason", "known export", "--replay")
    assert [(one["decision"], one["rows"]) for one in done["decisions"]] == [(1, 4), (2, 4), (3, 1)]
    assert [(step["now"], step["now_rows"]) for step in done["steps"]] == [("published", foretold["would_be_rows"])]
    assert [entry["what"] for entry in as_json("history", "--batch", "day_3")["steps"][1]["trail"]][-2:] == [
        "replay requested",
        "published",
    ]


def test_a_held_batch_may_be_published_in_part_and_put_back(delivered: Path) -> None:
    call("quarantine", "waive", "--batch", "day_3", "--rule", "tolerance", "--reason", "known export")
    step = as_json("replay", "--held")["steps"][0]
    assert (step["batch"], step["now"], step["now_rows"]["published"]) == ("day_3", "partly_published", 1)
    call("quarantine", "undo", "--batch", "day_3", "--decision", "1", "--reason", "no")
    again = as_json("replay", "--batch", "day_3")
    assert again["steps"][0]["now"] == "held"
    assert list(again["held"]) == ["shop.orders[day_3]"]
    assert "over the tolerance" in again["held"]["shop.orders[day_3]"]


def test_a_batch_may_be_discarded(delivered: Path) -> None:
    call("quarantine", "discard", "--batch", "day_2", "--all", "--reason", "sent by mistake")
    assert as_json("replay", "--batch", "day_2")["steps"][0]["now"] == "discarded"
    assert "everything adds up" in call("reconcile")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("quarantine", "show", "--batch", "day_11"), "did you mean 'day_1'"),
        (("quarantine", "show"), "2 batches wait, and none is named → readiness quarantine show shop.orders --batch"),
        (("quarantine", "correct", *DAY_1), "what is to be corrected?"),
        (("quarantine", "correct", *DAY_1, "--set", "amount"), "sets nothing"),
        (("quarantine", "correct", *DAY_1, "--set", "amuont = 1"), "did you mean 'amount'"),
        (("quarantine", "correct", *DAY_1, "--set", "amount = 1", "--where", "amount > 1"), "TRY_CAST(amount AS"),
        (("quarantine", "waive", *DAY_1, "--rule", "amount_great"), "did you mean"),
        (("quarantine", "discard", *DAY_1), "which rows are to be discarded?"),
        (("quarantine", "discard", "--batch", "day_1", "--all"), "has no reason"),
        (("quarantine", "undo", *DAY_1, "--decision", "9"), "has no decision 9"),
        (("quarantine", "show", "shop.order", "--batch", "day_1"), "did you mean 'shop.orders'"),
        (("quarantine", "export", "--batch", "day_1", "--to", "nowhere/at/all.csv"), "cannot be written"),
        (("quarantine", "export", "--batch", "day_1", "--to", "waiting.xlsx"), "name a .csv or .parquet file"),
        (("replay",), "which batches?"),
        (("replay", "--batch", "day_11"), "did you mean 'day_1'"),
        (("history", "--batch", "day_11"), "did you mean 'day_1'"),
    ],
)
def test_wrong_input_is_refused_with_the_way_out(delivered: Path, arguments: tuple[str, ...], told: str) -> None:
    assert told in call(*arguments, code=2)


def test_a_decision_that_nobody_replayed_is_named_until_somebody_does(delivered: Path) -> None:
    call("quarantine", "waive", "--batch", "day_1", "--rule", AMOUNT, "--reason", "a test")
    assert as_json("status", "shop")["awaiting_replay"] == [{"table": "shop.orders", "batch": "day_1"}]
    shown = call("status")
    assert "shop.orders[day_1]: decided since its last verdict, not replayed" in shown
    call("replay", "shop.orders", "--batch", "day_1")
    assert "decided since" not in call("status")


def test_reconcile_names_what_is_due_though_all_that_is_there_adds_up(delivered: Path) -> None:
    land(delivered / "landing", "day_2", *ONE_BAD)
    told = call("reconcile")
    assert "everything adds up" in told
    assert "due: 1 batch, shop day_2 first (shop.orders: arrived)" in told
    assert "next: readiness run" in told


def test_reconcile_exits_with_one_where_something_does_not_add_up(delivered: Path) -> None:
    from readiness_pipelines.installation import Installation  # noqa: PLC0415  # only here
    from readiness_pipelines.names import TableId  # noqa: PLC0415
    from readiness_pipelines.settings import Settings  # noqa: PLC0415

    lakehouse = Installation.open(Settings()).lakehouse
    table = TableId("shop", "orders")
    schema = lakehouse.schema(table)
    import duckdb  # noqa: PLC0415

    with duckdb.connect() as connection:
        nothing = lakehouse.stage(table, connection.from_arrow(schema.empty_table()), batch="day_2", schema=schema)
    lakehouse.replace(table, nothing, properties={"readiness.attempt": "stray"})
    told = call("reconcile", code=1)
    assert "shop.orders[day_2]: 4 ingested rows are neither published nor in quarantine" in told
    assert "everything adds up" in call("reconcile", "--repair")
    proved = as_json("reconcile", "shop", "--level", "recompute")
    assert (proved["recomputed"], proved["skipped"], proved["problems"]) == (proved["batches"], {}, [])
    assert "0 judged again: everything adds up" in call("reconcile", "--level", "recompute", "--share", "999/1000")
    assert "write 3/30: the third of thirty" in call("reconcile", "--share", "3", code=2)
