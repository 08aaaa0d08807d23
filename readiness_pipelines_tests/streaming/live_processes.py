"""A broker, a generator and the process that reads, started together, and none of them left behind."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from readiness_pipelines.examples.card_stream import TOPIC
from readiness_pipelines_tests.brokers import Broker, Kind, broker, dies_with_parent
from readiness_pipelines_tests.streaming.card_events import LANDING
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

TABLE = "card_stream.payments"
DOMAINS = "readiness_pipelines.examples.fraud:fraud,readiness_pipelines.examples.card_stream:card_stream"
_MAIN = "from readiness_pipelines.cli.main import main; main()"


@dataclass
class Live:
    """What runs: its folder, its broker, and its processes by name."""

    folder: Path
    broker: Broker
    environment: Mapping[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        """Start a process that writes to a log of its name, in a group of its own: Ctrl-C is for us alone."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent,  # noqa: PLW1509  # one call of the system, nothing of Python's
            )

    def stop(self, name: str, seconds: float = LONGEST_SECONDS) -> int | None:
        """End a process, and wait for it; its exit code."""
        process = self.processes.pop(name, None)
        if process is None:
            return None
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return process.returncode

    def log(self, name: str) -> str:
        """What a process has written."""
        file = self.folder / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def generate(self, *, rate: float, partitions: int, seconds: float | None = None) -> None:
        """Send generated payments at a rate."""
        command = [sys.executable, "-W", "ignore", "-m", "readiness_pipelines_tests.streaming.card_events"]
        command += ["--address", self.broker.address, "--topic", TOPIC, "--rate", str(rate)]
        command += ["--partitions", str(partitions), *(("--seconds", str(seconds)) if seconds else ())]
        self.start("generator", *command)

    def read(self, port: int) -> None:
        """Read the topic into the tables."""
        self.start("reader", *_readiness("stream", TABLE, "--port", str(port)))


def _readiness(*words: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-c", _MAIN, *words]


def environment_in(folder: Path, address: str) -> dict[str, str]:
    """The settings of an installation that lives in a folder, with the committed registers, and made-up keys."""
    key = folder / "cards.key"
    key.write_text("a key of a demonstration, of more than 32 bytes")
    said = {
        "READINESS_LANDING": str(LANDING),
        "READINESS_WAREHOUSE": str(folder / "warehouse"),
        "READINESS_DOMAINS": DOMAINS,
        "READINESS_KEYS": f'{{"cards": "file:{key}"}}',
        "READINESS_CONFIG": str(folder / "readiness.toml"),
        "CARD_BROKERS": address,
        "DAGSTER_HOME": "",
        "COLUMNS": "120",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("READINESS_")}
    return {**kept, **said}


@contextmanager
def live(folder: Path, *, kind: Kind = "noida", partitions: int = 4) -> Iterator[Live]:
    """A broker with an empty topic, and an installation that has the registers; all ends with the block.

    Raises:
        RuntimeError: The registers could not be brought in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with broker(kind, folder / "broker") as one:
        one.make_topic(TOPIC, partitions)
        running = Live(folder, one, environment_in(folder, one.address))
        try:
            for name in ("customers", "merchants"):
                command = _readiness("run", f"fraud.{name}", "--batch", "2020-06-21")
                done = subprocess.run(command, env=running.environment, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise RuntimeError(done.stdout + done.stderr)
            yield running
        finally:
            for name in ("generator", "reader"):
                running.stop(name)


def metrics_at(port: int) -> dict[str, float]:
    """The numbers of a running reader, by name and quantile; none while it does not answer."""
    found: dict[str, float] = {}
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
        for line in answer.read().decode().splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                quantile = name.partition('quantile="')[2][:-2]
                found[name.partition("{")[0].removeprefix("readiness_stream_") + quantile] = float(value)
    return found


def wait_for_reader(running: Live, port: int, seconds: float = LONGEST_SECONDS) -> None:
    """Wait until the reader answers.

    Raises:
        RuntimeError: It ended, or does not come up.
    """
    ends = time.monotonic() + seconds
    while not metrics_at(port):
        if running.processes["reader"].poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"the reader does not run: {running.log('reader')[-2_000:]}")
        time.sleep(0.2)
