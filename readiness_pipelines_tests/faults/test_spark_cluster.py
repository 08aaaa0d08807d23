"""Spark in processes of its own: an executor that dies, and a server that is joined by Spark Connect."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines_tests.conftest import ROOT
from readiness_pipelines_tests.engines import java_is_here
from readiness_pipelines_tests.ports import free_port
from readiness_pipelines_tests.waiting import LONGEST_SECONDS, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not java_is_here(), reason="Spark wants Java 17, which is not here")]


def agreed(folder: Path, url: str, *options: str) -> Any:
    (folder / "landing").mkdir()
    command = [sys.executable, "-W", "ignore", "-m", "readiness_pipelines_tests.faults.on_cluster", str(folder), url]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=2 * LONGEST_SECONDS
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_an_executor_that_is_killed_changes_nothing(tmp_path: Path) -> None:
    found = agreed(tmp_path, "local-cluster[2,1,1024]", "--kill")
    assert found["killed"] == 1
    assert (found["same"], found["problems"]) == (True, [])
    assert found["rows"]["shop_quarantine.orders"] > 100


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A Spark Connect server of its own."""
    port = free_port()
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    options = [f"spark.connect.grpc.binding.port={port}", "spark.ui.enabled=false", "spark.log.level=ERROR"]
    command = [
        str(Path(spec.origin).parent / "bin" / "spark-submit"),
        "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--master", "local[2]",
        *(part for option in options for part in ("--conf", option)), "spark-internal",
    ]  # fmt: skip
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    environment.pop("PYSPARK_SUBMIT_ARGS", None)
    with (tmp_path / "server.log").open("w") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=tmp_path)
    try:
        wait_until(lambda: _listens(port), (tmp_path / "server.log").read_text, every=0.2)
        yield f"sc://127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(LONGEST_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_joined_by_spark_connect_judges_alike(tmp_path: Path, server: str) -> None:
    found = agreed(tmp_path, server, "--rows", "5000")
    assert (found["same"], found["problems"]) == (True, [])
