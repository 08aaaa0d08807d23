"""`make stream` shows a stream until Ctrl-C, and leaves no process behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from readiness_pipelines_tests.waiting import LONGEST_SECONDS, wait_until


@pytest.mark.slow
def test_it_shows_generated_payments_in_eighty_columns_and_ends_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "readiness_pipelines_tests.streaming.live"]
    command += ["--keep", str(tmp_path / "kept"), "--rate", "100"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "80"})
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line.rstrip())
        if line.split()[-1:] == ["open"]:
            running.send_signal(signal.SIGINT)
            break
    lines += running.stdout.read().splitlines()
    assert running.wait(LONGEST_SECONDS) == 0, lines
    text = "\n".join(lines)
    assert "generated payments, 100 a second" in text
    assert "messages in" in lines[-1]
    assert max(map(len, lines)) <= 80
    wait_until(lambda: _left(tmp_path) == [], lambda: _left(tmp_path))


def _left(folder: Path) -> list[Path]:
    """Processes that were given something of a folder."""
    return [one for one in Path("/proc").glob("[0-9]*/cmdline") if str(folder).encode() in _words(one)]


def _words(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
