"""A share of the verdicts, kept as files of JSON lines: to compare what was said online with what the batch says."""

import os
import queue
import random
import socket
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from readiness_pipelines.gates import RecordVerdict
from readiness_pipelines.masking import redact
from readiness_pipelines.serving.answers import as_bytes
from readiness_pipelines.serving.tables import ServedTable
from readiness_pipelines.sources.json_values import value_text

_WAITING = 10_000
"""Verdicts that wait to be written; more are counted and lost: what only watches delays no answer."""


class Sample:
    """Keeps a share of the verdicts, in one file an hour and process.

    Args:
        share: The share that is kept, 0 to 1.
        folder: Where; a folder an hour is made in it.
    """

    def __init__(self, share: float, folder: str) -> None:
        self._share = share
        self._folder = Path(folder)
        self._name = f"{socket.gethostname()}-{os.getpid()}.jsonl"
        self._queue: queue.Queue[tuple[datetime, ServedTable, str, Any, RecordVerdict] | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._write_all, name="sample", daemon=True)
        self.kept = 0
        self.lost = 0
        if share:
            self._thread.start()

    def add(self, served: ServedTable, caller: str, record: Mapping[str, Any] | None, verdict: RecordVerdict) -> None:
        """Keep a verdict, if chance wants it."""
        if not self._share or random.random() >= self._share:  # noqa: S311  # a sample, not a secret
            return
        try:
            self._queue.put_nowait((datetime.now(UTC), served, caller, record, verdict))
        except queue.Full:
            self.lost += 1

    def close(self) -> None:
        """Write what waits, and end."""
        if self._share:
            self._queue.put(None)
            self._thread.join(timeout=5)

    def _write_all(self) -> None:
        while (one := self._queue.get()) is not None:
            try:
                self._write(*one)
                self.kept += 1
            except OSError:  # a full disk, say: the answers go on
                self.lost += 1

    def _write(self, at: datetime, served: ServedTable, caller: str, record: Any, verdict: RecordVerdict) -> None:
        file = self._folder / at.strftime("%Y-%m-%d-%H") / self._name
        file.parent.mkdir(parents=True, exist_ok=True)
        values = None if record is None else _redacted(record, served)
        line = {
            "id": uuid.uuid4().hex,
            "at": at.isoformat(),
            "table": served.name,
            "gate_version": served.version,
            "caller": caller,
            "passed": verdict.passed,
            "broken": [one.rule for one in verdict.broken],
            "undecided": verdict.undecided,
            "record": values,
        }
        with file.open("ab") as opened:
            opened.write(as_bytes(line) + b"\n")


def _redacted(record: Mapping[str, Any], served: ServedTable) -> dict[str, Any]:
    """The values as they were sent; of classified columns, what kind of values they are."""
    named = {served.named(key): value for key, value in record.items()}
    return {name: redact(value_text(value), served.classes.of(name)) for name, value in named.items() if name}
