"""`readiness stream`: a process of its own, which says how it is, seals what is over, and ends when it is told to."""

import json
import re
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from readiness_pipelines import Topic
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import Finding, FindingKind, StreamState
from readiness_pipelines.overview import observe
from readiness_pipelines_tests.brokers import Broker, broker
from readiness_pipelines_tests.cli.calling import call, start_process
from readiness_pipelines_tests.streaming.payments import (
    TOPIC,
    payment,
    payments_domain,
    payments_table,
    read_until,
    rows_of,
)
from readiness_pipelines_tests.waiting import LONGEST_SECONDS, wait_for_room, wait_until

MODULE = """
from readiness_pipelines import Topic
from readiness_pipelines_tests.streaming.payments import payments_domain

bank = payments_domain(Topic("payments", brokers="env:PAYMENT_BROKERS", slice_every="0.3s"))
"""


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    with broker("noida", tmp_path / "broker") as one:
        yield one


def wait_while_it_runs(holds: Callable[[], bool], running: "subprocess.Popen[str]") -> None:
    def look() -> bool:
        assert running.poll() is None, running.communicate()
        return holds()

    wait_until(look, every=0.2)


@pytest.mark.slow
def test_it_reads_seals_says_how_it_is_and_ends_when_it_is_told(
    noida: Broker, installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bank_project.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, value in {
        "LANDING": str(tmp_path / "landing"),
        "WAREHOUSE": str(tmp_path / "warehouse"),
        "DOMAINS": "bank_project:bank",
    }.items():
        monkeypatch.setenv(f"READINESS_{name}", value)
    monkeypatch.setenv("PAYMENT_BROKERS", noida.address)
    monkeypatch.setenv("DAGSTER_HOME", "")
    noida.make_topic(TOPIC)
    noida.send(TOPIC, [payment(number) for number in range(10)])
    domain = payments_domain(Topic(TOPIC, brokers=noida.address, slice_every="0.3s"))
    table = payments_table(domain)
    wait_for_room("hour", seconds=150)  # so that what is sent now is in one window, which stays open
    before = Run(clock=lambda: datetime.now(UTC) - timedelta(hours=2))
    over = read_until(table, noida, installation, records=10, run=before).window
    assert call("stream", "bank.payments", "--shard", "2/2", code=2).count("'2/2' is not a shard") == 1

    running = start_process("stream", "bank.payments", "--port", "0")
    assert running.stdout is not None
    address = re.search(r"http://\S+", running.stdout.readline())
    assert address is not None
    noida.send(TOPIC, [payment(number, amount=number - 12) for number in range(10, 15)])

    def asked(path: str) -> str:
        with urllib.request.urlopen(f"{address[0]}{path}") as answer:  # noqa: S310  # our own server
            return str(answer.read().decode())

    def sealed() -> bool:
        record = installation.ledger.get(BatchRef(table.id, over))
        return record is not None and record.state is BatchState.PUBLISHED

    wait_while_it_runs(
        lambda: 'readiness_stream_quarantined_rows_total{table="bank.payments",shard="0/1"} 2' in asked("/metrics"),
        running,
    )
    assert json.loads(asked("/health"))["well"] is True
    wait_while_it_runs(sealed, running)
    refused = call("stream", "bank.payments", code=2)
    assert "shard 0/1 of bank.payments is read by" in refused

    def unread() -> list[Finding]:
        found = observe([table], installation=installation, now=datetime.now(UTC) + timedelta(minutes=3)).findings
        return [one for one in found if one.kind is FindingKind.STREAM]

    (finding,) = unread()
    assert "shard 0/1 was last heard of" in finding.seen
    assert finding.way_out == "readiness stream bank.payments --shard 0/1"
    running.send_signal(signal.SIGTERM)
    out, error = running.communicate(timeout=LONGEST_SECONDS)
    assert running.returncode == 0, out + error
    assert "read 5 messages" in out
    (shard,) = installation.ledger.streams.shards([table.id])
    assert (shard.state, shard.positions, shard.records) == (StreamState.ENDED, {0: 15}, 5)
    assert unread() == []
    assert len(rows_of(installation, table.id, "_row")) == 13
    shown = call("status", "bank")
    assert "3 2 open" in shown
    assert "stream bank.payments 0/1: ended" in shown
