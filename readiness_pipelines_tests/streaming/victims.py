"""Processes that read a topic and are killed: forked from one that has everything imported, so that each is cheap.

``python -m readiness_pipelines_tests.streaming.victims`` reads one JSON line a victim, and writes how it ended. It uses
nothing that it imports, so that what it forks is as good as new.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.streaming.points import Point
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

if TYPE_CHECKING:
    from readiness_pipelines.contracts import GatedTable
    from readiness_pipelines.streaming import MessageSource

WAITS_SECONDS = LONGEST_SECONDS


@dataclass(frozen=True)
class Victim:
    """A process that reads until the positions are where it should come, or it is killed.

    Attributes:
        folder: Where its installation lies.
        address: The broker; of a landed table the folder of its catalog, of a slot the database.
        ends: By partition, where its topic ends; of a slot a place in the log, over which its last change is.
        now: What its clock says when it begins; it goes on from there.
        point: Where in the protocol something is done to it; "" for nowhere.
        times: At the how many-th time that it comes there.
        stops: It is stopped there, as a machine that stands still, and not killed.
        after: It is killed after so many seconds, wherever it is.
        shard: The shard that it reads.
        records: How many messages a slice has at most.
        reads: What it reads: ``topic``, ``landed`` (a table of another engine) or ``slot`` (changes of a database).
    """

    folder: str
    address: str
    ends: Mapping[str, int]
    now: str
    point: str = ""
    times: int = 1
    stops: bool = False
    after: float | None = None
    shard: str = "0/1"
    records: int = 100
    reads: str = "topic"


@dataclass
class Nursery:
    """The process that forks victims."""

    process: "subprocess.Popen[str]" = field(init=False)

    def __enter__(self) -> "Nursery":
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(LONGEST_SECONDS)

    def run(self, victim: Victim) -> str:
        """Run a victim to its end: "killed", "stopped <pid>", "done", or the error that it ended with."""
        return self._asked(json.dumps(asdict(victim)))

    def wake(self, stopped: str) -> str:
        """Let a stopped victim go on to its end."""
        return self._asked(json.dumps({"wake": int(stopped.rpartition(" ")[2])}))

    def _asked(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def _read(victim: Victim, told: int) -> None:
    """What a victim does; tells an error by a pipe."""
    from readiness_pipelines.installation import Installation, Run  # noqa: PLC0415  # after the fork
    from readiness_pipelines.streaming import Progress, Shard, read_shard  # noqa: PLC0415  # as above
    from readiness_pipelines_tests.conftest import settings_in  # noqa: PLC0415  # as above

    began, then = time.monotonic(), datetime.fromisoformat(victim.now)
    came = dict.fromkeys(Point, 0)

    def step(point: Point) -> None:
        came[point] += 1
        if point.value == victim.point and came[point] == victim.times:
            os.kill(os.getpid(), signal.SIGSTOP if victim.stops else signal.SIGKILL)

    try:
        table, source = _source(victim)
        installation = Installation.open(settings_in(Path(victim.folder)))
        ends = {int(partition): end for partition, end in victim.ends.items()}
        positions: dict[int, int] = {}

        def stop() -> bool:
            from readiness_pipelines.streaming.marks import positions as found  # noqa: PLC0415  # as above

            raw = table.id.raw
            if installation.lakehouse.exists(raw):
                there = found(installation.lakehouse.properties(raw))
                positions.update({p: _place(victim, one.end, one.mark) for p, one in there.items()})
            return all(positions.get(partition, 0) >= end for partition, end in ends.items())

        progress = Progress(str(table.id), victim.shard)
        read_shard(
            table,
            Shard.parse(victim.shard),
            source=source,
            installation=installation,
            run=Run(clock=lambda: then + timedelta(seconds=time.monotonic() - began)),
            stop=lambda: stop() or time.monotonic() - began > WAITS_SECONDS,
            progress=progress,
            step=step,
        )
        slices = f"{progress.slices} slices, {progress.records} messages, lag {progress.lag}"
        os.write(told, b"done" if stop() else f"not done: at {positions} of {ends}, after {slices}".encode())
    except ReadinessError as error:
        os.write(told, f"{type(error).__name__}: {error.what}".encode())
    except BaseException as error:
        os.write(told, f"{type(error).__name__}: {error}".encode())
        raise


def _source(victim: Victim) -> "tuple[GatedTable, MessageSource]":
    """What a victim reads, and the table that it fills."""
    from readiness_pipelines.lakehouse import LandedSnapshots  # noqa: PLC0415  # after the fork
    from readiness_pipelines.sources import Topic  # noqa: PLC0415  # as above
    from readiness_pipelines.streaming import KafkaMessages, LandedMessages, SlotMessages  # noqa: PLC0415  # as above
    from readiness_pipelines_tests.streaming import customers, landing, payments  # noqa: PLC0415  # as above

    size = {"slice_records": victim.records}
    match victim.reads:
        case "landed":
            landed = landing.READER.model_copy(update=size)
            snapshots = LandedSnapshots(landing.NAME, landing.lake(Path(victim.address)))
            return payments.payments_table(payments.payments_domain(landed)), LandedMessages(landed, snapshots)
        case "slot":
            changes = customers.FROM_SLOT.model_copy(update=size)
            table = customers.changes_table(customers.customers_domain(changes))
            return table, SlotMessages(changes, victim.address)
        case _:
            table = payments.payments_table(payments.payments_domain(records=victim.records))
            assert isinstance(table.source.reader, Topic)
            options = {"bootstrap.servers": victim.address}
            return table, KafkaMessages(table.source.reader, options, "victims")


def _place(victim: Victim, end: int, mark: str) -> int:
    """How far a victim's table is: by its offset, or in the log of the database."""
    if victim.reads != "slot":
        return end
    said = json.loads(mark) if mark else {}
    return 0 if said.get("rows", True) else int(said["commit"])


def _watch(pid: int, pipe: int, after: float | None) -> str:
    began = time.monotonic()
    while True:
        found, status = os.waitpid(pid, os.WUNTRACED | os.WNOHANG)
        if found and os.WIFSTOPPED(status):
            return f"stopped {pid}"
        if found:
            text = os.read(pipe, 2_000).decode() if not os.WIFSIGNALED(status) else ""
            os.close(pipe)
            return text.replace("\n", " ") or "killed"
        if after is not None and time.monotonic() - began > after:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def _main() -> None:
    import readiness_pipelines.alerts  # noqa: PLC0415  # all that is imported late is there before the first fork
    import readiness_pipelines.delivery.deliver  # noqa: PLC0415  # as above
    import readiness_pipelines.streaming.finishing  # noqa: PLC0415  # as above
    import readiness_pipelines.streaming.reading  # noqa: F401, PLC0415  # as above
    import readiness_pipelines_tests.conftest  # noqa: PLC0415  # as above
    import readiness_pipelines_tests.streaming.customers  # noqa: PLC0415  # as above
    import readiness_pipelines_tests.streaming.landing  # noqa: PLC0415  # as above
    import readiness_pipelines_tests.streaming.payments  # noqa: F401, PLC0415  # as above

    pipes: dict[int, int] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "wake" in asked:
            pid = asked["wake"]
            os.kill(pid, signal.SIGCONT)
            print(_watch(pid, pipes[pid], None), flush=True)  # noqa: T201  # it is asked by a pipe
            continue
        victim = Victim(**asked)
        reads, writes = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reads)
            code = 1
            try:
                _read(victim, writes)
                code = 0
            finally:
                os._exit(code)
        os.close(writes)
        pipes[pid] = reads
        print(_watch(pid, reads, victim.after), flush=True)  # noqa: T201  # as above


if __name__ == "__main__":
    _main()
