"""A project on disk, and its Dagster instance."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from readiness_pipelines.orchestration import launching
from readiness_pipelines_tests.orchestration.samples import make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three landed batches, and no instance of somebody else's; `open_instance` sets the variable anew."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    return make_project(tmp_path)


@pytest.fixture
def instance(project: Path) -> Iterator[dg.DagsterInstance]:
    with launching.open_instance(project) as opened:
        yield opened
