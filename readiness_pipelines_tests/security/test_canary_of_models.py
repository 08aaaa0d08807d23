"""No value of a classified column leaves by a stream, a feature, a training set or a model."""

import shutil
import tempfile
import traceback
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterRunStatus

from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration import launching
from readiness_pipelines.settings import Settings
from readiness_pipelines.streaming import Monitor
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.alerts.endpoint import listening
from readiness_pipelines_tests.brokers import Broker, broker
from readiness_pipelines_tests.conftest import ROOT
from readiness_pipelines_tests.security.lab import (
    TOPIC,
    WINDOW_OVER,
    lab,
    land_visits,
    messages,
    samples,
)
from readiness_pipelines_tests.security.searching import Searched, browser_of, call, search
from readiness_pipelines_tests.streaming.payments import Clock, read_until

SETTINGS = """
[[alerts.channels]]
name = "oncall"
url_variable = "ONCALL_URL"

[[alerts.rules]]
channels = ["oncall"]

[settings.keys]
ward = "env:WARD_KEY"
"""
WINDOW = "2026-11-02-10:00"


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    with broker("noida", tmp_path / "brokers") as one:
        yield one


@pytest.fixture
def project(tmp_path: Path, noida: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The lab's folder: its landing files, settings, and everything that is written while it runs."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "readiness.toml").write_text(SETTINGS)
    shutil.copy(ROOT / "dagster.yaml", tmp_path / "dagster.yaml")
    (tmp_path / "workspace.yaml").write_text(
        "load_from:\n  - python_module:\n      module_name: readiness_pipelines_tests.security.lab\n"
    )
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DAGSTER_HOME": "",
        "LAB_BROKERS": noida.address,
        "READINESS_LANDING": str(tmp_path / "landing"),
        "READINESS_WAREHOUSE": str(tmp_path / "warehouse"),
        "READINESS_CATALOG_URL": f"sqlite:///{tmp_path / 'ledger.db'}",
        "READINESS_MLFLOW_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
        "READINESS_DOMAINS": "readiness_pipelines_tests.security.lab:lab",
        "READINESS_OPENLINEAGE": '{"archive": "file:lineage.jsonl"}',
        "TMPDIR": str(tmp_path / "tmp"),
        "COLUMNS": "250",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    tempfile.tempdir = None


def deliver_day(project: Path, searched: Searched, day: str) -> None:
    """Deliver all of a day, without Dagster, which takes longer, and whose doors the other search goes through."""
    land_visits(project / "landing", day)
    deliver_what_is_due(searched)


def deliver_what_is_due(searched: Searched) -> None:
    try:
        run_domains(lab, installation=Installation.open(Settings()))
    except ReadinessError as error:
        searched.look("errors", "".join(traceback.format_exception(error)))


def train(searched: Searched) -> None:
    """Train: well, with a function that raises over rows, and with a model that does."""
    assert "v1" in call(searched, "model", "train", "lab.comes_back", "--who", "ann")
    for way in ("breaks=true", "most=1"):
        said = call(searched, "model", "train", "lab.comes_back", "--param", way)
        assert "error" in said, said
        assert "lab.py" in said, said


def stream(searched: Searched, noida: Broker) -> None:
    """Read, with windows open and sealed."""
    noida.make_topic(TOPIC)
    sent = messages()
    noida.send(TOPIC, sent)
    installation = Installation.open(Settings())
    clock = Clock()
    run = Run(clock=clock)
    progress = read_until(samples, noida, installation, records=len(sent), run=run)
    monitor = Monitor(progress, port=0)
    with urllib.request.urlopen(f"http://127.0.0.1:{monitor.port}/metrics") as answer:
        searched.look("pages: /metrics", answer.read())
    monitor.close()
    look_at_window(searched)
    clock.now = WINDOW_OVER
    ingest(samples, batch=WINDOW, installation=installation, run=run)
    deliver(samples, batch=WINDOW, installation=installation, run=run)
    look_at_window(searched)


def look_at_window(searched: Searched) -> None:
    of = ("lab.samples", "--batch", WINDOW)
    for command in (
        ("streams",),
        ("quarantine", "show", *of),
        ("quarantine", "rows", *of),
        ("history", *of),
        ("status", "lab"),
    ):
        call(searched, *command)
        call(searched, *command, "--json")


def look_around(searched: Searched) -> None:
    commands: list[tuple[str, ...]] = [
        ("training", "list"),
        ("training", "show", "lab.returns"),
        ("model", "list"),
        ("model", "show", "lab.comes_back"),
        ("model", "show", "lab.comes_back", "1"),
        ("model", "history", "lab.comes_back"),
        ("model", "affected", "lab.visits", "--batch", "day_1"),
        ("model", "drift", "lab.comes_back"),
        ("model", "retrainings"),
        ("model", "explain-prediction", "lab.scores/day_1/1"),
        ("status", "lab"),
        ("history", "lab.stays", "--batch", "day_1"),
        ("incidents", "list"),
        ("features", "list"),
        ("features", "show", "lab.stays"),
        ("features", "get", "lab.stays", "1"),
        ("features", "check", "lab.stays"),
        ("catalog", "show", "lab.stays"),
        ("catalog", "show", "lab.comes_back"),
        ("lineage", "upstream", "lab.scores"),
        ("domain", "show", "lab"),
        ("audit", "verify"),
        ("reconcile", "lab"),
        ("watch",),
        ("scorecard",),
        ("doctor",),
        ("check",),
    ]
    for command in commands:
        call(searched, *command)
        call(searched, *command, "--json")
    for kind in ("html", "md", "json"):
        call(searched, "model", "card", "lab.comes_back", "--format", kind)
        call(searched, "model", "card", "lab.comes_back", "--format", kind, "--to", f"card.{kind}")
    said = call(searched, "training", "show", "lab.returns", "--export", "exported")
    assert "without name" in said, said
    for shown in ("name", "phone", "town"):
        said = call(
            searched, "labels", "export", "stays", "--batch", "day_1", "--show", shown, "--to", f"tasks_{shown}.json"
        )
        assert "error" in said, said
    call(searched, "labels", "export", "stays", "--batch", "day_1", "--show", "nights", "--to", "tasks.json")
    said = call(searched, "features", "export", "lab.stays", "--feast", "feast")
    assert "feature_repo.py" in said, said
    call(searched, "report", "lab", "--to", "pages")
    call(searched, "plan", "lab.visits", "--evaluate", "--all", "--out", "changes.plan")
    call(searched, "plan", "lab.visits", "--evaluate", "--all", "--env", "dev")
    call(searched, "contract", "export", "lab", "--out", "contracts")
    call(searched, "lineage", "send")


def look_at_pages(searched: Searched) -> None:
    browser = browser_of(lab)
    paths = ["", "inbox", "map", "catalog", "scorecard", "models", "models/lab/comes_back", "models/lab/comes_back/1"]
    for table in ("visits", "samples", "stays", "outcomes", "scores"):
        paths += [f"tables/lab/{table}", f"batches/lab/{table}/{WINDOW if table == 'samples' else 'day_1'}"]
    seen = 0
    for path in paths:
        answer = browser.get(f"/{path}")
        seen += answer.status_code == 200
        searched.look(f"pages: /{path} {answer.status_code}", answer.text)
    assert seen >= 10, seen


def test_no_value_of_a_classified_column_leaves_by_a_stream_or_a_model(
    project: Path, noida: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Searched()
    with listening() as endpoint:
        monkeypatch.setenv("ONCALL_URL", endpoint.url)
        deliver_day(project, searched, "day_1")
        train(searched)
        call(searched, "model", "promote", "lab.comes_back", "1", "--reason", "the first", "--who", "ann")
        deliver_what_is_due(searched)
        assert "champion" in call(searched, "model", "explain-prediction", "lab.scores/day_1/1")
        deliver_day(project, searched, "day_2")
        with launching.open_instance(project) as instance:
            job = launching.find_job("lab_static", project=project)
            ran = launching.run_batch(job, "day_2", instance=instance, tags={}, tables=[TableId("lab", "scores")])
        assert ran.status is DagsterRunStatus.FAILURE
        stream(searched, noida)
        look_around(searched)
        look_at_pages(searched)
        search(project, searched, endpoint)
        assert endpoint.received
    assert searched.found == {}
    assert set(searched.doors) == {"command line", "errors", "messages", "pages", "ledger", "files"}
    assert {"exported/rows.parquet", "mlflow.db", "card.html", "tasks.json", "lineage.jsonl"} <= {
        str(file.relative_to(project)) for file in project.rglob("*")
    }
