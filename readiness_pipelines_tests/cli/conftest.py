"""A project for the command line."""

import shutil
import sys
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
        return _work_in(make_project(tmp_path, domain), monkeypatch)

    return make


def _work_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = next(folder.glob("order_project_*.py")).stem
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("READINESS_LANDING", str(folder / "landing"))
    monkeypatch.setenv("READINESS_WAREHOUSE", str(folder / "warehouse"))
    monkeypatch.setenv("READINESS_DOMAINS", f"{module}:domain")
    monkeypatch.setenv("COLUMNS", "160")
    return folder


@pytest.fixture
def project(make: MakeProject) -> Path:
    """Orders that landed and did not run yet."""
    return make("order_domain()")


@pytest.fixture(scope="session")
def ran_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose orders ran; a copy of it is put in its place for each test, because tables name their folder."""
    folder = tmp_path_factory.mktemp("delivered") / "here"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch:
        _work_in(make_project(folder), monkeypatch)
        call("run")
    folder.rename(folder.with_name("copy"))
    return folder


@pytest.fixture
def delivered(ran_once: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The orders ran: day_1 is published in part, day_2 whole, day_3 is held."""
    shutil.rmtree(ran_once, ignore_errors=True)
    shutil.copytree(ran_once.with_name("copy"), ran_once)
    for module in ran_once.glob("order_project_*.py"):
        sys.modules.pop(module.stem, None)  # a test may have changed its code
    return _work_in(ran_once, monkeypatch)
