"""What fails under a door: files, statements, connections, an object store, memory; each trial strikes once."""

import errno
import os
import re
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event
from sqlalchemy.exc import OperationalError

from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.databases import postgres
from readiness_pipelines_tests.faults import faulty_files
from readiness_pipelines_tests.faults.bench import Bench, Finding
from readiness_pipelines_tests.faults.door_list import DOORS
from readiness_pipelines_tests.faults.store import failing_store

MOST_POINTS = 20_000
ERRORS = tuple(errno.errorcode[error] for error in faulty_files.ERRORS)
Trials = Iterator[tuple[int, list[Finding]]]
"""How many, and what they found."""


def change_byte(file: Path) -> None:
    """Change one byte in the middle of a file."""
    content = bytearray(file.read_bytes())
    if content:
        content[len(content) // 3] ^= 0x5A
        file.write_bytes(content)


def put_folder(file: Path) -> None:
    """Put a folder in place of a file."""
    file.unlink()
    file.mkdir()


CORRUPTIONS: dict[str, Callable[[Path], object]] = {
    "removed": lambda file: file.unlink(),
    "cut in half": lambda file: os.truncate(file, file.stat().st_size // 2),
    "empty": lambda file: os.truncate(file, 0),
    "garbage": lambda file: file.write_bytes(b"\x00garbage\xff" * 500),
    "a folder": put_folder,
    "one byte changed": change_byte,
}


def grow(file: Path) -> None:
    """Add a row at a file's end, as a sender does that has not ended."""
    with file.open("a") as open_file:
        open_file.write("5,50,paid,late\n")


CHANGES: dict[str, Callable[[Path], object]] = {
    "grows": grow,
    "vanishes": lambda file: file.unlink(),
    "is cut": lambda file: os.truncate(file, file.stat().st_size // 2),
}
"""What becomes of a landed file while others read it."""


def file_faults(
    bench: Bench, name: str, chance: Random, stride: int, errors: Collection[str], below: str = "warehouse"
) -> Trials:
    """Let each call to files of the warehouse, or the landing folder, fail; with a stride, one in so many of a kind."""
    folder = f"{bench.folder}/{below}/"
    for number, error in enumerate(faulty_files.ERRORS):
        if errno.errorcode[error] not in errors:
            continue
        bench.reset()
        with faulty_files.noting(folder, error) as calls, suppress(Exception):
            DOORS[name].enter(bench.folder)
        for nth in _points(calls, chance, stride):
            bench.reset()
            lasts = bool((nth + number) % 2)
            seen: list[faulty_files.Struck] = []

            @contextmanager
            def strike(nth: int = nth, error: int = error, lasts: bool = lasts, seen: Any = seen) -> Iterator[None]:
                with faulty_files.failing(folder, nth, error, lasts=lasts) as struck:
                    seen.append(struck)
                    yield

            found = list(bench.try_door(name, f"{errno.errorcode[error]} at {nth}, lasts: {lasts}", strike))
            yield 1, [Finding(f.door, f"{f.fault} ({seen[0].where})", f.what, f.place) for f in found]


def _points(calls: list[str], chance: Random, stride: int) -> list[int]:
    """Which calls to let fail: all, or one in so many of each kind of call on each kind of file, at least one."""
    kinds: dict[str, list[int]] = {}
    for nth, call in enumerate(calls, start=1):
        kinds.setdefault(re.sub(r"[0-9a-f]{8,}|\d+", "*", call), []).append(nth)
    chosen = (chance.sample(places, -(-len(places) // stride)) for places in kinds.values())
    return sorted(nth for places in chosen for nth in places)


def at_each(
    bench: Bench,
    name: str,
    how: str,
    failing: Callable[..., AbstractContextManager[list[str]]],
    chance: Random,
    stride: int,
) -> Trials:
    """Let each thing fail that a door does, or one in so many; every other time, what follows it fails, too.

    Args:
        bench: The installation.
        name: The door.
        how: What fails, for people.
        failing: Lets the n-th fail, and where it lasts, all after it; notes what failed.
        chance: Chooses.
        stride: One in so many.
    """
    for nth in range(1, MOST_POINTS):
        if chance.randrange(stride):
            continue
        bench.reset()
        hit: list[str] = []

        @contextmanager
        def strike(nth: int = nth, hit: list[str] = hit) -> Iterator[None]:
            with failing(nth, lasts=bool(nth % 2)) as struck:
                try:
                    yield
                finally:
                    hit.extend(struck)

        found = list(bench.try_door(name, f"{how} {nth}, lasts: {bool(nth % 2)}", strike))
        yield 1, [Finding(f.door, f"{f.fault} ({hit[0] if hit else ''})", f.what, f.place) for f in found]
        if not hit:
            return


@contextmanager
def failing_statements(nth: int, *, lasts: bool) -> Iterator[list[str]]:
    """Let the n-th statement of any database fail as its driver would let it, and where it lasts, all after it."""
    said: list[str] = []
    count = 0

    def strike(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any) -> None:
        nonlocal count
        count += 1
        if count == nth or (lasts and count > nth):
            said.append(" ".join(statement.split())[:80])
            raise OperationalError(statement, parameters, Exception("disk I/O error"))

    event.listen(Engine, "before_cursor_execute", strike)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", strike)


def statement_faults(bench: Bench, name: str, chance: Random, stride: int) -> Trials:
    """Let each statement fail, from the first on."""
    return at_each(bench, name, "statement", failing_statements, chance, stride)


@contextmanager
def cut_connections(nth: int, *, lasts: bool) -> Iterator[list[str]]:
    """Let Postgres end the session of the n-th statement before it comes, and where it lasts, of those after it."""
    said: list[str] = []
    count = 0

    def strike(connection: Any, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: Any) -> None:
        nonlocal count
        if connection.dialect.name != "postgresql":
            return  # a copy that an evaluation works on, in a file
        count += 1
        if count == nth or (lasts and count > nth):
            said.append(" ".join(statement.split())[:80])
            ours = connection.connection.driver_connection.get_backend_pid()
            other.cursor().execute("SELECT pg_terminate_backend(%s, 1000)", (ours,))

    other = create_engine(postgres(), poolclass=NullPool).raw_connection()  # no statement of it is struck
    event.listen(Engine, "before_cursor_execute", strike)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", strike)
        other.close()


def cut_faults(bench: Bench, name: str, chance: Random, stride: int) -> Trials:
    """Cut the connection before each statement."""
    return at_each(bench, name, "connection cut before statement", cut_connections, chance, stride)


def store_faults(bench: Bench, name: str, chance: Random, stride: int) -> Trials:
    """Let each request to the object store fail in each way."""
    for how in ("busy", "cut", "missing", "short", "hangs"):

        def failing(nth: int, *, lasts: bool, how: str = how) -> AbstractContextManager[list[str]]:
            return failing_store(how, nth, lasts=lasts)

        yield from at_each(
            bench, name, f"store {how} at request", failing, chance, stride * (4 if how == "hangs" else 1)
        )


def corruptions(bench: Bench, name: str, chance: Random, stride: int, below: str = "warehouse") -> Trials:
    """Damage each file of the warehouse, or the landing folder, in each way; it is put back before the next trial."""
    for file in bench.files(below):
        for how, damage in CORRUPTIONS.items():
            if chance.randrange(stride):
                continue
            bench.reset()
            damage(bench.folder / file)
            yield 1, list(bench.entered(name, f"{file} is {how}"))


def landing_faults(bench: Bench, name: str, chance: Random, stride: int, errors: Collection[str]) -> Trials:
    """Let what landed fail, be damaged, and change while it is read."""
    yield from file_faults(bench, name, chance, stride, errors, "landing")
    yield from corruptions(bench, name, chance, min(stride, 2), "landing")
    for file in bench.files("landing"):
        for how, damage in CHANGES.items():
            bench.reset()
            landed = bench.folder / file

            @contextmanager
            def strike(landed: Path = landed, damage: Any = damage) -> Iterator[None]:
                with changing(landed, damage, chance.uniform(0, 0.02)):
                    yield

            yield 1, list(bench.try_door(name, f"{file} {how} meanwhile", strike))


@contextmanager
def changing(file: Path, change: Callable[[Path], object], seconds: float) -> Iterator[None]:
    """Change a file again and again, and put back what it was; in the end it is as it was."""
    content, ended = file.read_bytes(), threading.Event()

    def work() -> None:
        while not ended.wait(seconds):
            change(file)
            ended.wait(seconds)
            file.write_bytes(content)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()
        file.write_bytes(content)


def memory_faults(bench: Bench, name: str) -> Trials:
    """Give the engine too little memory."""
    before = os.environ.get("READINESS_ENGINE_MEMORY_MB")
    for megabytes in (1, 2, 4, 8, 16):
        bench.reset()

        @contextmanager
        def strike(megabytes: int = megabytes) -> Iterator[None]:
            original = Installation.open

            def small(settings: Any) -> Installation:
                return original(settings.model_copy(update={"engine_memory_mb": megabytes}))

            Installation.open = small  # type: ignore[method-assign]
            try:
                yield
            finally:
                Installation.open = original  # type: ignore[method-assign]

        yield 1, list(bench.try_door(name, f"{megabytes} MB of memory", strike))
    assert before == os.environ.get("READINESS_ENGINE_MEMORY_MB")
