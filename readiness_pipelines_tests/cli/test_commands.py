"""The command line: tables for people, JSON for programs, errors with a way out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from readiness_pipelines_tests.cli.calling import as_json, call
from readiness_pipelines_tests.conftest import LANDING
from readiness_pipelines_tests.samples import GOOD, land


def test_run_takes_every_landed_batch_and_says_what_is_held(project: Path) -> None:
    text = call("run")
    assert "held day_3: 3 of 4 rows (75.00%) fail, over the tolerance of 50.00%" in " ".join(text.split())
    assert "next: readiness status refund_rate" in text
    again = call("run")
    assert "nothing new landed" in again


def test_run_and_status_as_json_account_for_every_row(project: Path) -> None:
    ran = as_json("run", "--all")
    assert ran["ran"] == ["day_1", "day_2", "day_3"]
    assert ran["broken"] == {}
    told = as_json("status")
    assert [(b["batch"], b["ingested"], b["published"], b["quarantined"], b["held"]) for b in told["batches"]] == [
        ("day_1", 4, 3, 1, False),
        ("day_2", 4, 4, 0, False),
        ("day_3", 4, 0, 4, True),
    ]
    assert told["total"] == {"ingested": 12, "published": 7, "quarantined": 5, "discarded": 0}
    assert told["batches"][1]["kpi"] == {
        "name": "refund_rate",
        "value": 0.25,
        "numerator": 1.0,
        "denominator": 4.0,
        "target": "<= 0.5",
        "met": True,
    }
    assert told["batches"][2]["tables"]["orders"]["state"] == "held"


def test_run_takes_only_the_batches_that_are_named(project: Path) -> None:
    assert as_json("run", "--batch", "day_2", "--batch", "day_2")["ran"] == ["day_2"]
    assert as_json("run")["ran"] == ["day_1", "day_3"]


def test_a_batch_that_cannot_be_judged_is_broken_and_the_others_run(project: Path) -> None:
    land(project / "landing", "day_1", "1,2", header="order_id,,amount")
    ran = as_json("run", "--all", code=1)
    assert list(ran["broken"]) == ["day_1"]
    assert "column 2 has no name" in ran["broken"]["day_1"]
    assert ran["next"] == "readiness run refund_rate --batch day_1"
    assert [batch["published"] for batch in ran["batches"]] == [0, 4, 0]


def test_status_before_any_run_says_what_to_type(project: Path) -> None:
    assert "next: readiness run refund_rate (3 batches have not run)" in call("status")


def test_path_show_prints_the_map(project: Path) -> None:
    text = " ".join(call("path", "show", "refund_rate", "--rules").split())
    assert "Shop export" in text
    assert "order_id_unique" in text
    steps = as_json("path", "show")["steps"]
    assert [step["kind"] for step in steps] == ["raw", "gated", "derived", "kpi"]
    assert steps[1]["tolerance"] == {"quarantined_ratio": 0.5, "quarantined_rows": None, "rules": {}}
    assert as_json("path", "list") == [{"name": "refund_rate", "question": "How many orders are refunded?"}]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["status", "refund_rat"], "did you mean 'refund_rate'"),
        (["run", "--batch", "day_11"], "did you mean 'day_1'"),
        (["run", "--batch", "day_1", "--all"], "exclude each other"),
    ],
)
def test_wrong_input_is_refused_with_the_nearest_right_one(project: Path, arguments: list[str], says: str) -> None:
    assert says in " ".join(call(*arguments, code=2).split())


def test_a_path_that_cannot_be_loaded_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_PATHS", '["no_such_module:path"]')
    assert "no_such_module:path" in call("status", code=2)


def test_nothing_landed_says_where_to_put_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_LANDING", str(project / "elsewhere"))
    assert "READINESS_LANDING" in " ".join(call("run", code=2).split())


def test_the_installed_command_runs_without_importing_dagster_for_status(project: Path) -> None:
    land(project / "landing", "day_1", *GOOD)
    code = (
        "import sys; sys.argv = ['readiness', 'status', '--json']\n"
        "from readiness_pipelines.cli.main import app\n"
        "try: app()\nexcept SystemExit as done: print(done.code, 'dagster' in sys.modules, file=sys.stderr)"
    )
    # The user's own module imports Dagster; the reference paths do not.
    environment = {**os.environ, "READINESS_PATHS": '["readiness_pipelines.examples.readmission_rate:path"]'}
    environment["READINESS_LANDING"] = str(LANDING)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr.split()[-2:] == ["0", "False"]
    assert json.loads(done.stdout)["path"] == "readmission_rate_30d"


def test_path_diff_tells_what_changed_since_a_gate_last_judged(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "shop.orders has judged no batch yet" in call("path", "diff")
    call("run", "--all")
    assert "shop.orders asks what it asked before" in call("path", "diff")
    module = next(project.glob("order_project_*.py"))
    changed = project / "changed_paths.py"
    changed.write_text("from readiness_pipelines_tests.samples import order_path\npath = order_path(ratio=0.25)\n")
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setenv("READINESS_PATHS", json.dumps(["changed_paths:path"]))
    text = " ".join(call("path", "diff", "--table", "orders").split())
    assert "tightened" in text
    assert "quarantined_ratio" in text
    (orders,) = as_json("path", "diff", "--table", "orders")
    assert orders["changes"] == [
        {"kind": "tightened", "what": "tolerance: quarantined_ratio", "before": "0.5", "after": "0.25"}
    ]
    assert module.exists()
