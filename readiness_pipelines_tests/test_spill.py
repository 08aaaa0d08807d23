"""What killed processes left in the temporary folder is removed; what is in use, or may be, is not."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from readiness_pipelines.spill import make_spill_folder, remove_abandoned

LEAVES_IT = """
import os
from readiness_pipelines.spill import make_spill_folder
folder = make_spill_folder()
open(f"{folder}/part", "w").write("x")
print(folder, flush=True)
os._exit(9)
"""
LONG_AGO = (1_000_000_000, 1_000_000_000)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def left_behind() -> Path:
    done = subprocess.run([sys.executable, "-c", LEAVES_IT], capture_output=True, text=True, check=False)
    return Path(done.stdout.strip())


def test_what_a_killed_process_left_is_removed_after_a_day() -> None:
    folder = left_behind()
    assert remove_abandoned() == 0
    os.utime(folder, LONG_AGO)
    assert remove_abandoned() == 1
    assert not folder.exists()


def test_what_a_process_still_uses_stays_however_old() -> None:
    folder = make_spill_folder()
    os.utime(folder, LONG_AGO)
    assert remove_abandoned() == 0
    assert Path(folder).is_dir()
