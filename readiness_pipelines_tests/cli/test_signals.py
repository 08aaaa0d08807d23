"""Ctrl-C and SIGTERM: the first ends a run after the batch under way, a second one at once; both clean."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.cli.calling import as_json, call, start_process
from readiness_pipelines_tests.cli.conftest import MakeProject

SLOW = """order_domain()

import os, time
from readiness_pipelines_tests.samples import Paid

open("loaded", "a").close()

@domain.derived(schema=Paid)
def slow(paid):
    if paid.limit(1).fetchall():  # where its columns come from is looked up on no rows
        with open("began", "a") as file:
            file.write("x\\n")
        time.sleep(float(os.environ.get("SLOW", "0")))
    return paid
"""
WAITS_AT_MOST = 60


@pytest.fixture
def slow_project(make: MakeProject) -> Path:
    """Three batches landed, and one of their tables takes as long as the variable SLOW says."""
    return make(SLOW)


def wait_for(path: Path, running: subprocess.Popen[str]) -> None:
    """Wait until a file is there."""
    ends = time.monotonic() + WAITS_AT_MOST
    while not path.exists():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_first_signal_ends_a_run_after_the_batch_under_way(
    slow_project: Path, number: signal.Signals, code: int
) -> None:
    running = start_process("run", SLOW="2")
    wait_for(slow_project / "began", running)
    running.send_signal(number)
    out, error = running.communicate(timeout=WAITS_AT_MOST)
    assert running.returncode == code, out + error
    assert "Traceback" not in out + error
    assert "ending after this batch; again to stop at once" in error
    assert "ended after 1 batch; what is due is run by the next: readiness run" in " ".join(out.split())
    assert (slow_project / "began").read_text() == "x\n"
    assert "everything adds up" in call("reconcile")
    if number is signal.SIGINT:  # what is left is the same, whichever signal it was
        assert [work["batch"] for work in as_json("run")["ran"]] == ["day_2", "day_3"]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_stops_at_once_and_the_next_run_finishes(
    slow_project: Path, number: signal.Signals, code: int
) -> None:
    running = start_process("run", SLOW="300")
    wait_for(slow_project / "began", running)
    running.send_signal(number)
    time.sleep(0.5)
    running.send_signal(number)
    out, error = running.communicate(timeout=WAITS_AT_MOST)
    assert running.returncode == code, out + error
    assert "Traceback" not in out + error
    assert "stopped; what is half done is finished by the next run, or by: readiness reconcile --repair" in error
    attempts = Installation.open(Settings()).ledger.open_attempts()
    assert [str(attempt.ref) for attempt in attempts] == ["shop.slow[day_1]"]
    if number is signal.SIGINT:
        call("reconcile", "--repair")
        assert "everything adds up" in call("reconcile")
    assert {work["batch"] for work in as_json("run")["ran"]} >= {"day_2", "day_3"}
    assert Installation.open(Settings()).ledger.open_attempts() == ()
    assert "everything adds up" in call("reconcile")
    assert "nothing new landed" in call("run")


@pytest.mark.slow
def test_a_signal_while_dagster_is_imported_leaves_no_traceback(
    slow_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Says that the import of Dagster has begun.
    hook = "import sys, pathlib\nclass Hook:\n    def find_spec(self, name, path=None, target=None):\n"
    hook += "        if name == 'dagster': pathlib.Path('began_dagster').touch()\nsys.meta_path.insert(0, Hook())\n"
    (slow_project / "sitecustomize.py").write_text(hook)
    running = start_process("run")
    wait_for(slow_project / "began_dagster", running)
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=WAITS_AT_MOST)
    assert running.returncode == 130, out + error
    assert "Traceback" not in out + error
    assert not (slow_project / "began").exists()


@pytest.mark.slow
def test_other_commands_end_at_a_signal_without_a_traceback(slow_project: Path) -> None:
    (slow_project / "loaded").unlink(missing_ok=True)
    running = start_process("reconcile")
    wait_for(slow_project / "loaded", running)
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=WAITS_AT_MOST)
    assert running.returncode in (0, 130)
    assert "Traceback" not in out + error
