"""Faults carried out: the processes of one move, started, struck from outside, and waited for."""

import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from readiness_pipelines_tests.databases import database_in, restart_postgres
from readiness_pipelines_tests.faults.acts import BROKEN, REFUSED, act, keep_house, land_file, read_all
from readiness_pipelines_tests.faults.disk import Disk
from readiness_pipelines_tests.faults.schedules import (
    FaultyStore,
    FullDisk,
    KillAfter,
    Move,
    Restart,
    SecondWriter,
    Zombie,
)
from readiness_pipelines_tests.faults.store import faulty_store
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

WORKERS = multiprocessing.get_context("forkserver")
# The last two, because a child imports what its parent ran.
WORKERS.set_forkserver_preload([f"readiness_pipelines_tests.faults.{name}" for name in ("acts", "oracle", "soak")])
SMALL_FILE_BYTES = 20_000
"""No file larger than that, where no small disk can be mounted."""


@dataclass(slots=True)
class Struck:
    """What moves have met so far.

    Attributes:
        faults: How often each kind of fault was carried out.
        missed: How often a kind was drawn and its point or time was not reached.
        ends: How processes ended.
        stuck: Processes that did not end.
        strange: Processes that ended as nothing explains.
    """

    faults: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    stuck: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    def add(self, other: "Struck") -> None:
        """Count another one's, too."""
        self.faults += other.faults
        self.missed += other.missed
        self.ends += other.ends
        self.stuck += other.stuck
        self.strange += other.strange


def make_move(move: Move, folder: Path, notes: Path, disk: Disk) -> Struck:
    """Let files land, and make a move while its faults strike."""
    met = Struck()
    for file in move.files:
        land_file(folder, file)
    with ExitStack() as stack:
        if move.read:
            stack.enter_context(_reader(folder, notes, met))
        if move.upkeep is not None:
            stack.callback(_join, _start(keep_house, folder, notes, move.upkeep), "maintenance", met)
            met.faults["maintenance meanwhile"] += 1
        if isinstance(move.strike, FullDisk):
            stack.enter_context(_full(disk, move.strike))
        if isinstance(move.strike, FaultyStore):
            stack.enter_context(faulty_store(move.strike, seed=move.strike.percent))
        most = SMALL_FILE_BYTES if isinstance(move.strike, FullDisk) and disk.why_not else None
        process = _start(act, folder, notes, move, most_bytes=most)
        _strike(process, move, folder, notes, met)
        _join(process, "delivery", met)
        _count(process, move, met)
    return met


def _strike(process: ForkServerProcess, move: Move, folder: Path, notes: Path, met: Struck) -> None:
    """Strike a process from outside."""
    match move.strike:
        case KillAfter(milliseconds):
            process.join(milliseconds / 1000)
            process.kill()
        case Restart(milliseconds):
            process.join(milliseconds / 1000)
            restart_postgres()
        case SecondWriter(kill_after):
            other = _start(act, folder, notes, move, besides=True)
            if kill_after is not None:
                process.join(kill_after / 1000)
                process.kill()
            _join(other, "second writer", met)
        case Zombie(elsewhere=elsewhere):
            if not _stands_still(process):
                return
            met.faults["zombie"] += 1
            if elsewhere:
                _cut_off(folder)
            other = _start(act, folder, notes, move, besides=True, elsewhere=elsewhere)
            other.join(LONGEST_SECONDS if elsewhere else 0.5)
            assert process.pid is not None
            os.kill(process.pid, signal.SIGCONT)
            _join(other, "another beside a zombie", met)
        case _:
            pass


def _count(process: ForkServerProcess, move: Move, met: Struck) -> None:
    """Count a fault, and whether it struck."""
    strike = move.strike
    if strike is None:
        return
    killed = process.exitcode == -signal.SIGKILL
    if isinstance(strike, Zombie):
        if not met.faults["zombie"]:
            met.missed["zombie"] += 1
    elif strike.kind.startswith("kill") and not killed:
        met.missed[strike.kind] += 1
    else:
        met.faults[strike.kind] += 1
        if isinstance(strike, SecondWriter) and killed:
            met.faults["one of two writers killed"] += 1


def _start(target: Any, *arguments: Any, **options: Any) -> ForkServerProcess:
    process = WORKERS.Process(target=target, args=arguments, kwargs=options)
    process.start()
    return process


def _join(process: ForkServerProcess, what: str, met: Struck) -> None:
    """Wait for a process; one that does not end is killed, and named."""
    if process.exitcode is None:
        process.join(LONGEST_SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()
        met.stuck.append(f"{what} did not end within {LONGEST_SECONDS:g} s")
    ends: dict[int | None, str] = {0: "done", REFUSED: "refused", BROKEN: "broken", -signal.SIGKILL: "killed"}
    if process.exitcode not in ends:
        met.strange.append(f"{what} ended with {process.exitcode}")
    met.ends[f"{what}: {ends.get(process.exitcode, process.exitcode)}"] += 1


@contextmanager
def _reader(folder: Path, notes: Path, met: Struck) -> Iterator[None]:
    (notes / "enough").unlink(missing_ok=True)
    reader = _start(read_all, folder, notes)
    try:
        yield
    finally:
        (notes / "enough").touch()
        _join(reader, "reader", met)
        met.faults["reader meanwhile"] += 1


@contextmanager
def _full(disk: Disk, strike: FullDisk) -> Iterator[None]:
    if disk.why_not:
        yield  # the process limits itself
        return
    with disk.filled(strike.kilobytes):
        yield


def _stands_still(process: ForkServerProcess) -> bool:
    """Wait until a process has stopped itself; whether it did, or ended before."""
    until = time.monotonic() + LONGEST_SECONDS
    while process.exitcode is None and time.monotonic() < until:
        try:
            state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state == "T":
            return True
        process.join(0.005)
    return False


def _cut_off(folder: Path) -> None:
    """End the connections that a process which stands still has: its network is gone."""
    url = database_in(folder)
    if url.startswith("postgresql"):
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
