"""Examples that are not drawn by chance are the same in any order of tests."""

import os
import subprocess
import sys
from pathlib import Path

from readiness_pipelines_tests.conftest import ROOT

DRAWS = """
import importlib
from hypothesis import given, settings, strategies as st

def test_it(monkeypatch):
    monkeypatch.syspath_prepend({folder!r})
    drawn = []
    for _ in range(2):
        found = []

        @settings(max_examples=300, derandomize=True, database=None)
        @given(st.integers(), st.text())
        def draw(number, word):
            found.append((number, word))

        draw()
        drawn.append(found)
        importlib.import_module("literals")
    assert len(drawn[0]) >= 300
    assert drawn[0] == drawn[1]
"""


def test_what_a_module_of_ours_holds_changes_no_example(tmp_path: Path) -> None:
    literals = [*range(70_001, 70_200), *(f"word {number}" for number in range(99))]
    (tmp_path / "literals.py").write_text(f"LITERALS = {literals}")
    file = tmp_path / "test_draws.py"
    file.write_text(DRAWS.format(folder=str(tmp_path)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=ci"]
    command += ["-p", "readiness_pipelines_tests.conftest", "--rootdir", str(tmp_path), str(file)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
