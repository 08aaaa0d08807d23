"""A short run of the doors: whatever fails below one, what comes out is an error of ours, and it opens again."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from readiness_pipelines_tests.faults import faulty_files
from readiness_pipelines_tests.faults.bench import Bench
from readiness_pipelines_tests.faults.door_faults import corruptions, statement_faults

pytestmark = pytest.mark.slow


def test_a_statement_that_fails_is_an_error_of_ours_and_the_next_look_succeeds(tmp_path: Path) -> None:
    trials = list(statement_faults(Bench(tmp_path), "status", Random(5), 6))
    assert len(trials) > 1
    assert [finding for _, found in trials for finding in found] == []


def test_a_damaged_file_is_an_error_of_ours_that_names_its_table(tmp_path: Path) -> None:
    trials = list(corruptions(Bench(tmp_path), "quarantine", Random(2), 60))
    assert len(trials) > 1
    assert [finding for _, found in trials for finding in found] == []


@pytest.mark.skipif(bool(faulty_files.why_not()), reason=faulty_files.why_not())
def test_a_file_that_fails_is_an_error_of_ours_beneath_every_driver(tmp_path: Path) -> None:
    tool = "readiness_pipelines_tests.faults.doors"
    words = ["--door", "waiting", "--kind", "files", "--stride", "1000000", "--error", "EIO"]
    command = [sys.executable, "-W", "ignore", "-m", tool, *words]
    environment = {**faulty_files.environment(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith(" 0 places with errors of others\n")
