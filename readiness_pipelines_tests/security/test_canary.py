"""No value of a classified column leaves the lakehouse: planted values are searched wherever one could have gone."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from readiness_pipelines.cli.main import app
from readiness_pipelines.ledger import Ledger
from readiness_pipelines.masking import messages, rows, values
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration import launching
from readiness_pipelines_tests.alerts.endpoint import listening
from readiness_pipelines_tests.cli.calling import RUNNER
from readiness_pipelines_tests.conftest import ROOT
from readiness_pipelines_tests.databases import Kind, new_postgres_database
from readiness_pipelines_tests.security.searching import Searched, browser_of, call, search
from readiness_pipelines_tests.security.ward import BREAKS, KILLED, SPLIT, canary, land_ward, ward
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

ALERTS = """
[[alerts.channels]]
name = "oncall"
url_variable = "ONCALL_URL"

[[alerts.rules]]
channels = ["oncall"]

[settings.keys]
ward = "env:WARD_KEY"
"""


@pytest.fixture(params=["sqlite", "postgres"])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The ward's folder: its landing files, settings, and everything that is written while it runs."""
    kind: Kind = request.param
    land_ward(tmp_path / "landing")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "readiness.toml").write_text(ALERTS)
    shutil.copy(ROOT / "dagster.yaml", tmp_path / "dagster.yaml")
    (tmp_path / "workspace.yaml").write_text(
        "load_from:\n  - python_module:\n      module_name: readiness_pipelines_tests.security.ward\n"
    )
    database = new_postgres_database() if kind == "postgres" else f"sqlite:///{tmp_path / 'ledger.db'}"
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DAGSTER_HOME": "",
        "READINESS_LANDING": str(tmp_path / "landing"),
        "READINESS_WAREHOUSE": str(tmp_path / "warehouse"),
        "READINESS_CATALOG_URL": database,
        "READINESS_DOMAINS": "readiness_pipelines_tests.security.ward:ward",
        "READINESS_OPENLINEAGE": '{"archive": "file:lineage.jsonl"}',
        "TMPDIR": str(tmp_path / "tmp"),
        "COLUMNS": "250",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    tempfile.tempdir = None


def run_in_dagster(project: Path, day: str, *tables: str) -> dg.DagsterRunStatus:
    """Run a batch of some tables, or of all."""
    with launching.open_instance(project) as instance:
        job = launching.find_job("ward", project=project)
        chosen = [TableId("ward", name) for name in tables] or None
        return launching.run_batch(job, day, instance=instance, tags={}, tables=chosen).status


def kill_in_the_middle(project: Path, searched: Searched, *arguments: str, of: str) -> None:
    """Call a command, of another version of the code, in a process that is killed between two of its commits."""
    code = (
        "import os, signal\n"
        "from readiness_pipelines.cli.main import main\n"
        "from readiness_pipelines_tests.faults.crashes import struck\n"
        f"with struck('replace', 1, 'after', lambda: os.kill(os.getpid(), signal.SIGKILL), of={of!r}): main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        cwd=project, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LEAST": "-4"},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    searched.look("command line: killed", done.stdout + done.stderr)


def decide(project: Path, searched: Searched) -> None:
    """Correct, waive and discard by values, by a file, and by what cannot be."""
    name, patient, note = (canary(3, column) for column in ("name", "patient", "note"))
    of = ("ward.visits_csv", "--batch", SPLIT)
    correct = ("quarantine", "correct", *of, "--reason", "known")
    (project / "landing" / "fix.csv").write_text(f"_row,nights,name\n13,1,{canary(13, 'name')}\n")
    said = call(searched, *correct, "--set", f"note = '{note} seen'", "--where", f"patient = '{patient}'")
    assert "decision 1" in said, said
    assert "decision 2" in call(searched, *correct, "--file", "landing/fix.csv")
    where = f"name = '{name}' AND phone = {canary(3, 'phone')}"
    rule = "nights_greater_than_or_equal_to"
    waive = ("quarantine", "waive", *of, "--rule", rule, "--reason", "known", "--where", where)
    said = call(searched, *waive)
    assert "decision 3" in said, said
    born = f"born = DATE '{canary(23, 'born')}'"
    discard = ("quarantine", "discard", *of, "--reason", "known", "--where", born)
    assert "decision 4" in call(searched, *discard)
    for wrong in (
        (*correct, "--set", "phone = CAST(name AS BIGINT)"),
        (*correct, "--set", f"nights = '{name}'::BIGINT"),
        (*correct, "--set", f"name = upper('{name}' || '{note}')", "--where", "name = 'nobody'"),
        (*correct, "--set", f"name = nowhere('{name}')"),
    ):
        assert "error" in call(searched, *wrong), wrong
    looked = call(
        searched, *correct, "--set", f"note = '{note} again'", "--where", f"patient = '{patient}'", "--dry-run"
    )
    assert "would correct" in looked, looked
    assert "partly" in call(searched, "replay", "ward.visits_csv", "--batch", SPLIT, "--dry-run")
    call(searched, "replay", "ward.visits_csv", "--batch", SPLIT)
    call(searched, "quarantine", "undo", *of, "--decision", "4", "--reason", "no")


def look_around(searched: Searched) -> None:
    """Every command that shows something, for people and for programs."""
    of, held = ("ward.visits_csv", "--batch", SPLIT), ("ward.visits_jsonl", "--batch", BREAKS)
    for shown in ("show", "rows"):
        assert "«1" in call(searched, "quarantine", shown, *held)
    commands: list[tuple[str, ...]] = [
        ("quarantine", "list"),
        ("quarantine", "show", *of),
        ("quarantine", "show", *held),
        ("quarantine", "rows", *held),
        ("history", *of),
        ("status", "ward"),
        ("reconcile", "ward"),
        ("watch",),
        ("incidents", "list"),
        ("incidents", "show", "1"),
        ("schema", "show", "ward.visits_csv"),
        ("domain", "show", "ward"),
        ("scan", "ward"),
        ("audit", "verify"),
        ("catalog", "show", "ward.visits_csv"),
        ("catalog", "search", "visits"),
        ("scorecard",),
        ("lineage", "upstream", "ward.stay_rate"),
        ("lineage", "impact", "ward.visits_csv.patient"),
        ("lineage", "row", "ward.visits_csv", SPLIT, "3"),
    ]
    for command in commands:
        assert not call(searched, *command).startswith("error"), command
        call(searched, *command, "--json")
    call(searched, "quarantine", "export", *held, "--to", "waiting.csv")
    call(searched, "suggest", "ward.visits_csv")
    assert "contracts/ has" in call(searched, "contract", "export", "ward", "--out", "contracts")
    assert "sent" in call(searched, "lineage", "send")
    pages = ("--to", "pages")
    assert ".html" in call(searched, "report", "ward", *pages)
    of_batch = ("ward.visits_jsonl", "--batch", BREAKS, "--no-browser")
    assert ".html" in call(searched, "open", *of_batch, *pages)
    call(searched, "check")
    call(searched, "doctor")


def look_at_pages(searched: Searched) -> None:
    """Every page that shows something of a batch, its rows or its table, and the same as JSON."""
    browser = browser_of(ward)
    csv, jsonl = f"ward/visits_csv/{SPLIT}", f"ward/visits_jsonl/{BREAKS}"
    paths = ["", "inbox", "map", "catalog", "scorecard", "tables/ward/visits_csv", "products/ward/stay_rate"]
    paths += ["incidents/1", *(f"{page}/{batch}" for page in ("batches", "decide") for batch in (csv, jsonl))]
    for path in paths:
        answer = browser.get(f"/{path}")
        assert answer.status_code == 200, path
        searched.look(f"pages: /{path}", answer.text)
    assert "«text, 1" in browser.get(f"/batches/{jsonl}").text


def redacted_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the identity in place of what redacts."""
    monkeypatch.setattr(values, "show", lambda value, *_: value)
    for module in (messages, rows):
        monkeypatch.setattr(module, "redact_message", lambda message, _names: message)


@pytest.mark.parametrize("project", ["sqlite"], indirect=True)
def test_the_search_finds_what_is_not_redacted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    redacted_by_nothing(monkeypatch)
    searched = Searched()
    with listening() as endpoint:
        run_in_dagster(project, BREAKS, "visits_jsonl", "visits_parquet")
        call(searched, "quarantine", "show", "ward.visits_jsonl", "--batch", BREAKS)
        search(project, searched, endpoint)
    doors = {door.partition(":")[0] for door in searched.found}
    assert {"command line", "ledger", "files"} <= doors, searched.found
    assert len(set().union(*searched.found.values())) > 5


def test_no_value_of_a_classified_column_leaves_the_lakehouse(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searched = Searched()
    with listening() as endpoint:
        monkeypatch.setenv("ONCALL_URL", endpoint.url)
        ran = run_in_dagster(project, SPLIT, "visits_csv", "stays", "stay_rate")
        assert ran is dg.DagsterRunStatus.SUCCESS
        assert run_in_dagster(project, BREAKS) is dg.DagsterRunStatus.FAILURE
        run = ("run", "ward.visits_csv", "--batch", KILLED)
        kill_in_the_middle(project, searched, *run, of="ward_quarantine.visits_csv")
        call(searched, *run)
        evaluate = ("plan", "ward.visits_csv", "--evaluate", "--all")
        kill_in_the_middle(project, searched, *evaluate, of="ward_quarantine.visits_csv")
        decide(project, searched)
        look_around(searched)
        look_at_pages(searched)
        search(project, searched, endpoint)
        assert endpoint.received
    assert searched.found == {}
    assert set(searched.doors) == {"command line", "messages", "pages", "ledger", "files"}
    revealed = RUNNER.invoke(
        app, ["quarantine", "rows", "ward.visits_jsonl", "--batch", BREAKS, "--reveal", "--reason", "a phone call"]
    )
    assert canary(0, "patient") in revealed.output
    ledger = Ledger.open(os.environ["READINESS_CATALOG_URL"])
    look = ledger.trail(limit=1)[0]
    assert (look.what, look.why) == ("classified values read", "a phone call")
    assert {"patient", "name", "phone", "born", "town", "note", "extra"} == set(look.details["columns"])
    refused = RUNNER.invoke(app, ["quarantine", "rows", "ward.visits_jsonl", "--batch", BREAKS, "--reveal"])
    assert "has no reason" in refused.output
