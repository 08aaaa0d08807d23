"""`readiness model`: trained, promoted, explained and carded from the command line; told what changed since."""

import json
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.domains import load_domains
from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.cli.calling import as_json, call
from readiness_pipelines_tests.cli.conftest import MakeProject
from readiness_pipelines_tests.models.clinic import land

CLINIC = "readiness_pipelines_tests.models.clinic"
PAGE = f"(lambda page: page.clinic(training=page.set_of_stays))(__import__('importlib').import_module('{CLINIC}'))"


@pytest.fixture
def project(make: MakeProject, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A clinic with one batch of stays, scored by nobody yet."""
    monkeypatch.setenv("READINESS_MLFLOW_URI", "off")
    make(PAGE)
    installation = Installation.open(Settings())
    land(installation.landing.path, "b1")
    run_all()
    return installation


def run_all() -> None:
    """Do all that is due, without Dagster, which takes longer."""
    settings = Settings()
    run_domains(*load_domains(settings), installation=Installation.open(settings))


def model_incidents() -> list[dict[str, Any]]:
    """The incidents about models, after a look."""
    call("watch")
    return [one for one in as_json("incidents", "list")["incidents"] if one["kind"] == "model"]


def test_a_model_is_trained_promoted_watched_explained_and_told_that_its_data_changed(
    project: Installation, tmp_path: Path
) -> None:
    assert "readiness model promote clinic.readmission 1" in call("model", "train", "readmission", "--who", "ann")
    shown = call("model", "promote", "readmission", "1", "--reason", "the first", "--who", "ann")
    assert shown == "clinic.readmission: champion v1"
    run_all()
    assert "v1: none drift, nothing · the newest batch is as usual" in call("model", "drift", "readmission", "--act")
    found = as_json("model", "drift", "readmission")
    assert (found["tier"], found["retraining"], [one["batch"] for one in found["batches"]]) == ("none", None, ["b1"])
    tasks = tmp_path / "tasks.json"
    shown = call("labels", "export", "stays", "--batch", "b1", "--show", "ward", "--to", str(tasks), "--most", "5")
    assert shown == f"{tasks}: 5 tasks"
    assert json.loads(tasks.read_text())[0]["data"]["of_batch"] == "b1"
    (listed,) = as_json("model", "list")
    assert (listed["champion"], listed["scores"], listed["delivered"]) == (1, ["clinic.scores"], True)
    found = as_json("model", "explain-prediction", "clinic.scores/b1/7")
    assert (found["version"], found["role"], found["row"]["file"]) == (1, "champion", "stays/b1.csv")
    (learned,) = found["learned_from"]
    assert learned["files"][0]["name"] == "stays/b1.csv"
    assert learned["stewards"] == ["Clinic <clinic@clinic.example>"]
    assert found["superseded"] == []
    assert "the row arrived in stays/b1.csv" in call("model", "explain-prediction", "clinic.scores/b1/7")
    assert "is not a prediction" in call("model", "explain-prediction", "clinic.scores", code=2)
    assert model_incidents() == []

    land(project.landing.path, "b1", age=20)
    run_all()
    (incident,) = model_incidents()
    assert incident["table"] == "clinic.readmission"
    assert "version 1, the champion, was trained on superseded data: clinic.stays[b1] was replayed" in incident["seen"]
    (one,) = as_json("model", "affected", "clinic.stays", "--batch", "b1")
    assert (one["version"], one["role"], one["superseded"][0]["what"]) == (1, "champion", "replayed")
    assert "superseded: clinic.stays[b1]" in call("model", "affected", "clinic.stays", "--batch", "b1")
    assert "no model learned from clinic.stays[b2]" in call("model", "affected", "clinic.stays", "--batch", "b2")
    assert "1 changed" in call("model", "show", "readmission")
    card = as_json("model", "card", "readmission", "1")
    assert card["tables"]["superseded"][0]["what"] == "replayed"

    call("model", "train", "readmission", "--who", "ann")
    call("model", "promote", "readmission", "2", "--reason", "the data was corrected", "--who", "bob")
    assert model_incidents() == []
    entries = as_json("model", "history", "readmission", "2")
    assert [entry["what"] for entry in entries] == ["training", "trained", "registered", "validated", "promoted"]
    assert entries[-1]["who"] == "bob (unproved)"
    assert entries[-1]["evidence"]["validation"]["passed"] is True
    assert call("model", "rollback", "readmission", "--reason", "no") == "clinic.readmission: champion v1"
    call("reconcile", "clinic")


def test_a_card_says_what_is_recorded_and_invents_nothing(project: Installation, tmp_path: Path) -> None:
    assert project.ledger.models.versions() == ()
    assert "none was trained" in call("model", "card", "readmission", code=2)
    call("model", "train", "readmission", "--who", "ann", "--param", "steps=80")
    card = as_json("model", "card", "readmission")
    form = {one["key"]: one for one in card["form"]}
    assert form["purpose"]["answer"].startswith("Whom to call after a stay. Version 1;")
    assert form["standards"]["answer"] == form["declaration"]["answer"] == "no evidence"
    assert form["standards"]["evidence"] == []
    assert form["human_oversight"]["answer"] == "A nurse calls; docs/oversight.md"
    assert card["tables"]["batches"][0]["files"] == "stays/b1.csv"
    assert {row["slice"] for row in card["tables"]["slices"]} == {"A", "B", "small"}
    told = {row["what"]: row["as recorded"] for row in card["tables"]["model"]}
    assert told["parameters"] == "steps 80, flip False"
    page = tmp_path / "card.html"
    call("model", "card", "readmission", "--format", "html", "--to", str(page))
    assert "Technical documentation (EU AI Act, Annex IV)" in page.read_text()
    assert "| auc |" in call("model", "card", "readmission", "--format", "md")
    assert "did you mean 'steps'" in call("model", "train", "readmission", "--param", "step=1", code=2)
