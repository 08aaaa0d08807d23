"""An erasure killed at any of its steps is finished by the same command: the person is gone, and nobody else's row."""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from readiness_pipelines.delivery import Level, reconcile
from readiness_pipelines.delivery.erasure.requests import resume
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ErasureState
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.delivery.erasure.clinic import clinic, land, rows_of
from readiness_pipelines_tests.faults.erasure_victims import counted, erase_anna, erase_until
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

CLINIC = clinic()
EVERY = int(os.environ.get("ERASURE_KILLS_EVERY", "6"))
"""Every so many steps CI kills; 1 kills at each."""
WORKERS = multiprocessing.get_context("forkserver")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """What an erasure finds: made once, and put in its place again for each."""
    base = tmp_path_factory.mktemp("erasures")
    folder, kept = base / "clinic", base / "kept"
    land(folder)
    run_domains(CLINIC, installation=Installation.open(settings_in(folder)))
    folder.rename(kept)

    def restored() -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder)
        return folder

    return restored


def left(folder: Path) -> tuple[object, ...]:
    """All that an erasure leaves: rows, counts, files, what does not add up, and where she is found."""
    installation = Installation.open(settings_in(folder))
    counts = {str(record.ref): (record.state, record.counts) for record in installation.ledger.batches()}
    landed = {file.name: file.read_bytes() for file in (folder / "landing").rglob("*") if file.is_file()}
    there = [str(f) for f in folder.rglob("*") if f.is_file() and b"p-canary" in f.read_bytes().lower()]
    found = reconcile([CLINIC], installation=installation, level=Level.RECOMPUTE).problems
    requests = [request.state for request in installation.ledger.erasures.requests()]
    noted = [request.found for request in installation.ledger.erasures.requests()]
    return rows_of(installation), counts, landed, there, found, requests, noted


def test_an_erasure_killed_before_each_of_its_steps_is_finished_by_the_same_command(
    fresh: Callable[[], Path],
) -> None:
    steps: list[str] = []
    folder = fresh()
    with counted(lambda _number, name: steps.append(name)):
        assert erase_anna(folder) == ()
    whole = left(folder)
    assert whole[3:6] == ([], (), [ErasureState.DONE])
    for number in range(1, len(steps) + 1, EVERY):
        folder = fresh()
        victim = WORKERS.Process(target=erase_until, args=(folder, number))
        victim.start()
        victim.join(LONGEST_SECONDS)
        assert victim.exitcode == -signal.SIGKILL, steps[number - 1]
        installation = Installation.open(settings_in(folder))
        opened = installation.ledger.erasures.requests(state=ErasureState.OPEN)
        assert len(opened) == (number > 1), steps[number - 1]
        if number > 1 and number % 2:
            # Without the value, by what the register knows: also where somebody delivered what was due meanwhile.
            run_domains(CLINIC, installation=installation)
            resume([CLINIC], installation=installation, run=Run(who="dpo"))
        else:
            assert erase_anna(folder) == (), steps[number - 1]
        assert left(folder) == whole, f"killed before step {number}, {steps[number - 1]}"
