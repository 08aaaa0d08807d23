"""A project for the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from readiness_pipelines_tests.cli.calling import call
from readiness_pipelines_tests.orchestration.samples import make_project

MakeProject = Callable[[str], Path]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeProject:
    """Makes a project of Python text that gives its domain, and works in its folder."""

    def make(domain: str) -> Path:
        folder = make_project(tmp_path, domain)
        module = next(folder.glob("order_project_*.py")).stem
        monkeypatch.chdir(folder)
        monkeypatch.setenv("DAGSTER_HOME", "")
        monkeypatch.setenv("READINESS_LANDING", str(folder / "landing"))
        monkeypatch.setenv("READINESS_WAREHOUSE", str(folder / "warehouse"))
        monkeypatch.setenv("READINESS_DOMAINS", f"{module}:domain")
        monkeypatch.setenv("COLUMNS", "160")
        return folder

    return make


@pytest.fixture
def project(make: MakeProject) -> Path:
    """Orders that landed and did not run yet."""
    return make("order_domain()")


@pytest.fixture
def delivered(project: Path) -> Path:
    """The orders ran: day_1 is published in part, day_2 whole, day_3 is held."""
    call("run")
    return project
