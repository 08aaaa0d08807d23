"""A project for the command line."""

import json
from pathlib import Path

import pytest

from readiness_pipelines_tests.cli.calling import call
from readiness_pipelines_tests.orchestration.samples import make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Orders that landed and did not run yet."""
    folder = make_project(tmp_path)
    module = next(folder.glob("order_project_*.py")).stem
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("READINESS_LANDING", str(folder / "landing"))
    monkeypatch.setenv("READINESS_WAREHOUSE", str(folder / "warehouse"))
    monkeypatch.setenv("READINESS_PATHS", json.dumps([f"{module}:path"]))
    monkeypatch.setenv("COLUMNS", "160")
    return folder


@pytest.fixture
def delivered(project: Path) -> Path:
    """The orders ran: day_1 is published in part, day_2 whole, day_3 is held."""
    call("run")
    return project
