"""The server itself, once: over a socket, with code that changes under it, until SIGTERM."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines_tests.conftest import ROOT
from readiness_pipelines_tests.waiting import LONGEST_SECONDS, wait_until

DOMAIN = '''"""A shop."""

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward

from limits import MOST


class Order(pa.DataFrameModel):
    """An order."""

    id: arrow.int64() = pa.Field(gt=0)
    amount: arrow.float64() = pa.Field(le=MOST)


shop = Domain("shop", owner="shop@shop.example")
shop.gated(
    "orders",
    schema=Order,
    source=Source(
        origin="Shop export", steward=Steward("Shop", "shop@shop.example"), reader=FileDrop("orders/{batch}.jsonl")
    ),
    batches=StaticBatches(keys=("all",)),
)
'''
PROOF = "a token of more than thirty-two characters"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    (tmp_path / "shop_of_serve.py").write_text(DOMAIN)
    (tmp_path / "limits.py").write_text("MOST = 10\n")
    (tmp_path / "readiness.toml").write_text(
        '[settings]\ndomains = ["shop_of_serve:shop"]\n[settings.serve]\nsample = 1\nmost_seconds = 60\n'
        '[settings.serve.tokens]\ncheckout = "env:CHECKOUT"\n'
    )
    environment = {**os.environ, "CHECKOUT": PROOF, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-W", "ignore", "-c", "from readiness_pipelines.cli.main import main; main()"]
    process = subprocess.Popen(
        [*command, "serve", "--port", "0", "--watch", "0.3"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r":(\d+)$", line.strip())
        assert found, line
        yield process, int(found[1])
    finally:
        process.kill()
        process.wait()


def ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
    headers = {"Authorization": f"Bearer {PROOF}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    reply = connection.getresponse()
    value = json.loads(reply.read())
    connection.close()
    return reply.status, value


def kept(folder: Path) -> list[tuple[int, Any]]:
    """The verdicts that were kept, each with the process that gave it."""
    files = [(int(file.stem.rpartition("-")[2]), file) for file in folder.rglob("decisions/*/*.jsonl")]
    return [(process, json.loads(line)) for process, file in files for line in file.open()]


@pytest.mark.slow
def test_new_code_is_taken_without_a_lost_request_and_broken_code_changes_nothing_until_it_is_mended(
    server: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    process, port = server
    judged: list[int] = []

    def check(port: int) -> tuple[int, Any]:
        answer = ask(port, "POST", "/gates/shop.orders/check", {"id": 1, "amount": 15})
        judged.append(answer[0])
        return answer

    first = check(port)[1]
    assert not first["passed"]
    failed: list[Any] = []
    ended = threading.Event()

    def keep_asking() -> None:
        while not ended.is_set():
            try:
                status, _ = check(port)
                if status != 200:
                    failed.append(status)
            except OSError as error:
                failed.append(error)
            time.sleep(0.01)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    (tmp_path / "limits.py").write_text("MOST = 20  # more\n")
    wait_until(lambda: ask(port, "GET", "/health")[1]["generation"] == 2, every=0.1)
    newer: dict[str, Any] = {}

    def is_by_new_code() -> bool:
        newer.update(check(port)[1])
        return bool(newer["passed"])

    # The answer itself, and not the one after it: until the process before has ended, it may be the one to answer.
    wait_until(is_by_new_code, every=0.1)
    assert newer["version"] != first["version"]
    (tmp_path / "limits.py").write_text("MOST = \n")
    wait_until(lambda: ask(port, "GET", "/health")[1]["reload_failed"], every=0.1)
    assert "limits.py, line 1" in ask(port, "GET", "/gates")[1]["reload_error"]
    assert check(port)[1]["passed"]
    assert ask(port, "POST", "/reload") == (202, {"reloading": True})
    wait_until(lambda: len(judged) > 10)
    ended.set()
    asking.join()
    assert not failed

    # The mistake is mended in a file that was never loaded, and nobody is left who answers by the code of before.
    (tmp_path / "limits.py").write_text("from more import MOST\n")
    wait_until(lambda: "'more'" in ask(port, "GET", "/gates")[1]["reload_error"], every=0.1)
    wait_until(lambda: len(kept(tmp_path)) == len(judged))
    (worker,) = {pid for pid, one in kept(tmp_path) if one["gate_version"] == newer["version"]}
    os.kill(worker, signal.SIGKILL)
    (tmp_path / "more.py").write_text("MOST = 30\n")
    mended = check(port)[1]
    assert mended["version"] not in {first["version"], newer["version"]}
    assert not ask(port, "GET", "/health")[1]["reload_failed"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(LONGEST_SECONDS) == 0
    assert len(kept(tmp_path)) == len(judged)  # also what waited to be written when a process ended
    versions = {one["gate_version"] for _, one in kept(tmp_path)}
    assert versions == {first["version"], newer["version"], mended["version"]}
