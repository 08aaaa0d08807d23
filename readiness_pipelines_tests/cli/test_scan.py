"""`readiness scan` names columns about persons, in files and tables, shows no value, and tells by its exit code."""

import csv
from pathlib import Path

from readiness_pipelines.cli.output import BROKEN_EXIT
from readiness_pipelines_tests.cli.calling import as_json, call

LINES: list[list[object]] = [
    ["id", "E-Mail Adresse", "betrag"],
    *([n, f"kunde{n}@firma.example", n * 1.5] for n in range(30)),
]


def test_a_file_is_looked_at_and_the_exit_code_says_that_a_column_is_not_classified(tmp_path: Path) -> None:
    file = tmp_path / "kunden.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows(LINES)
    shown = call("scan", str(file), code=BROKEN_EXIT)
    assert "e-mail addresses" in shown
    assert "pii.direct" in shown
    assert "firma.example" not in shown
    (scan,) = as_json("scan", str(file), code=BROKEN_EXIT)["scans"]
    (seen,) = scan["seen"]
    assert (scan["rows"], scan["columns"], seen["class"], seen["certainty"]) == (30, 3, "pii.direct", "sure")
    assert (seen["matched"], seen["sampled"], seen["hint"], seen["unclassified"]) == (30, 30, "emailadresse", True)


def test_tables_are_looked_at_where_no_file_is_named(delivered: Path) -> None:
    found = as_json("scan")
    assert [one["what"] for one in found["scans"]] == ["shop.orders"]
    assert found["unclassified"] == 0
    assert "shop.orders[day_1]" in call("scan", "shop.orders", "--batch", "day_1")
