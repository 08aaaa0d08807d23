"""A run whose process is gone is found; one whose process is there, or may be, is left alone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.launcher.base import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster_shared.yaml_utils import load_yaml_from_path

from readiness_pipelines.orchestration import run_launcher
from readiness_pipelines.orchestration.run_launcher import PROCESS_TAG, WatchedRunLauncher
from readiness_pipelines.processes import is_alive

PROJECT = Path(__file__).parents[2]
SLEEPER = """
from readiness_pipelines.processes import this_process
print(this_process(), flush=True)
input()
"""


def health(**tags: str) -> WorkerStatus:
    return WatchedRunLauncher().check_run_worker_health(dg.DagsterRun("job", tags=tags)).status


def test_a_process_is_alive_until_it_is_killed() -> None:
    sleeper = subprocess.Popen(
        [sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert sleeper.stdout is not None
    process = sleeper.stdout.readline().strip()
    assert is_alive(process)
    assert health(**{PROCESS_TAG: process}) is WorkerStatus.RUNNING
    sleeper.kill()
    sleeper.communicate()
    assert not is_alive(process)
    assert health(**{PROCESS_TAG: process}) is WorkerStatus.NOT_FOUND


def test_a_code_server_that_does_not_answer_is_given_some_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    launcher = WatchedRunLauncher()
    server = json.dumps({"host": "localhost", "socket": str(tmp_path / "s")})
    run = dg.DagsterRun("job", tags={GRPC_INFO_TAG: server})
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    monkeypatch.setattr(run_launcher, "GRACE_SECONDS", 0.0)
    gone = launcher.check_run_worker_health(run)
    assert gone.status is WorkerStatus.NOT_FOUND
    assert "does not answer" in str(gone)


@pytest.mark.parametrize("name", ["dagster.yaml", "dagster.postgres.yaml"])
def test_the_shipped_instances_end_lost_runs_within_a_minute(name: str) -> None:
    settings: Any = load_yaml_from_path(str(PROJECT / name))
    assert settings["run_launcher"]["class"] == WatchedRunLauncher.__name__
    assert settings["run_launcher"]["module"] == WatchedRunLauncher.__module__
    assert settings["run_monitoring"]["enabled"]
    assert settings["run_monitoring"]["poll_interval_seconds"] + run_launcher.GRACE_SECONDS < 60
