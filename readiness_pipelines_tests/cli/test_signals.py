"""Ctrl-C and SIGTERM: the first ends a run after the batch under way, a second one at once; both clean."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.cli.calling import as_json, call, process_environment, start_process
from readiness_pipelines_tests.cli.conftest import MakeProject
from readiness_pipelines_tests.waiting import LONGEST_SECONDS, wait_until

SLOW = """order_domain()

import os, pathlib, time
from readiness_pipelines_tests.samples import Paid

open("loaded", "a").close()

@domain.derived(schema=Paid)
def slow(paid):
    if paid.limit(1).fetchall():  # where its columns come from is looked up on no rows
        with open("began", "a") as file:
            file.write("x\\n")
        for _ in range(20 * 600):
            if "SLOW" not in os.environ or pathlib.Path("go_on").exists():
                break
            time.sleep(0.05)
    return paid
"""
SAYS_THAT_DAGSTER_IS_IMPORTED = """
import pathlib, sys, time


class Hook:
    def find_spec(self, name, path=None, target=None):
        if name == "dagster":
            pathlib.Path("began_dagster").touch()
            for _ in range(100 * 600):
                if pathlib.Path("go_on").exists():
                    break
                time.sleep(0.01)


sys.meta_path.insert(0, Hook())
"""


@pytest.fixture
def slow_project(make: MakeProject) -> Path:
    """Three batches landed; with the variable SLOW, one of their tables waits until a file is there."""
    return make(SLOW)


def wait_for(path: Path, running: subprocess.Popen[str]) -> None:
    """Wait until a file is there."""

    def is_there() -> bool:
        assert running.poll() is None or path.exists(), running.communicate()
        return path.exists()

    wait_until(is_there)


def heard(running: subprocess.Popen[str]) -> str:
    """What a process says of its first signal, as soon as it has said so."""
    assert running.stderr is not None
    said = ""
    while "again to stop at once" not in said:
        line = running.stderr.readline()
        assert line, said
        said += line
    return said


def ended(running: subprocess.Popen[str]) -> tuple[str, str]:
    """What else it writes, when it has ended; unlike `communicate`, after what was read of it."""
    assert running.stdout is not None
    assert running.stderr is not None
    with ThreadPoolExecutor(2) as threads:
        out, error = threads.map(lambda stream: stream.read(), (running.stdout, running.stderr))
    running.wait(LONGEST_SECONDS)
    return out, error


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_first_signal_ends_a_run_after_the_batch_under_way(
    slow_project: Path, number: signal.Signals, code: int
) -> None:
    running = start_process("run", SLOW="1")
    wait_for(slow_project / "began", running)
    running.send_signal(number)
    said = heard(running)
    (slow_project / "go_on").touch()
    out, error = ended(running)
    assert running.returncode == code, out + said + error
    assert "Traceback" not in out + said + error
    assert "ending after this batch; again to stop at once" in said
    assert "ended after 1 batch; what is due is run by the next: readiness run" in " ".join(out.split())
    assert (slow_project / "began").read_text() == "x\n"
    assert "everything adds up" in call("reconcile")
    if number is signal.SIGINT:  # what is left is the same, whichever signal it was
        assert [work["batch"] for work in as_json("run")["ran"]] == ["day_2", "day_3"]


@pytest.mark.slow
def test_a_second_signal_stops_at_once_and_the_next_run_finishes(slow_project: Path) -> None:
    running = start_process("run", SLOW="1")  # nothing ever tells it to go on
    wait_for(slow_project / "began", running)
    running.send_signal(signal.SIGTERM)
    heard(running)
    running.send_signal(signal.SIGTERM)
    out, error = ended(running)
    assert running.returncode == 143, out + error
    assert "Traceback" not in out + error
    assert "stopped; what is half done is finished by the next run, or by: readiness reconcile --repair" in error
    attempts = Installation.open(Settings()).ledger.open_attempts()
    assert [str(attempt.ref) for attempt in attempts] == ["shop.slow[day_1]"]
    assert {work["batch"] for work in as_json("run")["ran"]} >= {"day_2", "day_3"}
    assert Installation.open(Settings()).ledger.open_attempts() == ()
    assert "everything adds up" in call("reconcile")
    assert "nothing new landed" in call("run")


@pytest.mark.slow
def test_a_signal_while_dagster_is_imported_leaves_no_traceback(
    slow_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # In a folder that no other process looks into: this one's working folder stays on the path of the tests.
    hook = tmp_path_factory.mktemp("hook")
    (hook / "sitecustomize.py").write_text(SAYS_THAT_DAGSTER_IS_IMPORTED)
    path = os.pathsep.join([str(hook), process_environment({})["PYTHONPATH"]])
    running = start_process("run", PYTHONPATH=path)
    wait_for(slow_project / "began_dagster", running)
    running.send_signal(signal.SIGINT)
    (slow_project / "go_on").touch()
    out, error = running.communicate(timeout=LONGEST_SECONDS)
    assert running.returncode == 130, out + error
    assert "Traceback" not in out + error
    assert not (slow_project / "began").exists()


@pytest.mark.slow
def test_other_commands_end_at_a_signal_without_a_traceback(slow_project: Path) -> None:
    (slow_project / "loaded").unlink(missing_ok=True)
    running = start_process("reconcile")
    wait_for(slow_project / "loaded", running)
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=LONGEST_SECONDS)
    assert running.returncode in (0, 130)
    assert "Traceback" not in out + error
