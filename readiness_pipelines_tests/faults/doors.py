"""Every error on every door is ours: a tool that lets files, databases and memory fail under each, at every point.

    python -W ignore -m readiness_pipelines_tests.faults.doors --stride 7 --seed 1

Each trial begins with the same installation, strikes once, and asks three things: that what comes out is a
`ReadinessError` with words; that the same door opens when the fault is gone; and that then every row is accounted for.
Prints each error that is not ours by door and place, and ends with 1 where there are any.
"""

import argparse
import errno
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.faults import faulty_files
from readiness_pipelines_tests.faults.door_list import DOORS, Door, prepare, reconciled

MOST_POINTS = 20_000
ERRORS = tuple(errno.errorcode[error] for error in faulty_files.ERRORS)


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


@dataclass(frozen=True, slots=True)
class Finding:
    """What should not have happened.

    Attributes:
        door: At which door.
        fault: What was struck, for people; repeats it.
        what: What came out.
        place: Where in our code.
    """

    door: str
    fault: str
    what: str
    place: str


class Bench:
    """One installation, put back before each trial: tables know where they lie, so that it must be the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._kept = folder / "there", folder / "kept"
        self.warehouse = f"{self.folder}/warehouse/"
        self.folder.mkdir()
        prepare(self.folder)
        shutil.copytree(self.folder, self._kept, symlinks=True)

    def reset(self) -> None:
        """Put everything back."""
        shutil.rmtree(self.folder)
        shutil.copytree(self._kept, self.folder, symlinks=True)

    def files(self) -> list[Path]:
        """All files of the warehouse, by name."""
        found = (file for file in (self._kept / "warehouse").rglob("*") if file.is_file())
        return sorted(file.relative_to(self._kept) for file in found)

    def try_door(self, name: str, fault: str, strike: Callable[[], AbstractContextManager[Any]]) -> Iterator[Finding]:
        """Enter a door while something fails, and again when it does not any more."""
        door = DOORS[name]
        with strike():
            yield from _entered(name, door, self.folder, fault, during=True)
        yield from self.entered_again(name, fault)

    def entered_again(self, name: str, fault: str) -> Iterator[Finding]:
        """Enter a door after a fault, and see that every row is accounted for."""
        door = DOORS[name]
        gc.collect()  # connections of the struck installation: SQLite shares what went wrong among those of a process
        yield from _entered(name, door, self.folder, f"{fault}, and then gone", during=False)
        if door.writes:
            try:
                problems = reconciled(self.folder)
            except Exception as error:
                yield Finding(name, f"{fault}, and then gone", f"reconcile: {error!r:.300}", place_of(error))
            else:
                if problems:
                    yield Finding(name, f"{fault}, and then gone", f"does not add up: {problems[0].what}", "laws")


def _entered(name: str, door: Door, folder: Path, fault: str, *, during: bool) -> Iterator[Finding]:
    try:
        door.enter(folder)
    except ReadinessError as error:
        if not during:
            yield Finding(name, fault, f"still refused: {error.what:.300}", place_of(error))
    except Exception as error:
        yield Finding(name, fault, f"{type(error).__module__}.{type(error).__name__}: {error!s:.300}", place_of(error))


def place_of(error: BaseException) -> str:
    """Where in our code an error came out of somebody else's: the innermost line that is ours."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "readiness_pipelines/" in frame.filename and "readiness_pipelines_tests" not in frame.filename
    ]
    return f"{frames[-1].filename.rpartition('readiness_pipelines/')[2]}:{frames[-1].lineno}" if frames else "?"


def file_faults(
    bench: Bench, name: str, chance: Random, stride: int, errors: Collection[str]
) -> Iterator[tuple[int, list[Finding]]]:
    """Let each call to the warehouse's files fail that a door makes; with a stride, one in so many of each kind."""
    for number, error in enumerate(faulty_files.ERRORS):
        if errno.errorcode[error] not in errors:
            continue
        bench.reset()
        with faulty_files.noting(bench.warehouse, error) as calls, suppress(Exception):
            DOORS[name].enter(bench.folder)
        for nth in _points(calls, chance, stride):
            bench.reset()
            lasts = bool((nth + number) % 2)
            seen: list[faulty_files.Struck] = []

            @contextmanager
            def strike(nth: int = nth, error: int = error, lasts: bool = lasts, seen: Any = seen) -> Iterator[None]:
                with faulty_files.failing(bench.warehouse, nth, error, lasts=lasts) as struck:
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


def statement_faults(bench: Bench, name: str, points: Callable[[int], bool]) -> Iterator[tuple[int, list[Finding]]]:
    """Let each statement fail, from the first on."""
    for nth in range(1, MOST_POINTS):
        if not points(nth):
            continue
        bench.reset()
        said: list[str] = []

        @contextmanager
        def strike(nth: int = nth, said: list[str] = said) -> Iterator[None]:
            with failing_statements(nth, lasts=bool(nth % 2)) as struck:
                try:
                    yield
                finally:
                    said.extend(struck)

        found = list(bench.try_door(name, f"statement {nth}, lasts: {bool(nth % 2)}", strike))
        yield 1, [Finding(f.door, f"{f.fault} ({said[0] if said else ''})", f.what, f.place) for f in found]
        if not said:
            return


def corruptions(bench: Bench, name: str, chance: Random, stride: int) -> Iterator[tuple[int, list[Finding]]]:
    """Damage each file of the warehouse in each way; afterwards it is put back."""
    for file in bench.files():
        for how, damage in CORRUPTIONS.items():
            if chance.randrange(stride):
                continue
            bench.reset()
            damage(bench.folder / file)
            found = list(_entered(name, DOORS[name], bench.folder, f"{file} is {how}", during=True))
            bench.reset()
            yield 1, found


def memory_faults(bench: Bench, name: str) -> Iterator[tuple[int, list[Finding]]]:
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


def run_trials(
    folder: Path, doors: list[str], kinds: list[str], *, stride: int, seed: int, errors: Collection[str] = ERRORS
) -> Iterator[tuple[str, str, int, list[Finding]]]:
    """Trials at some doors: door, kind of fault, how many, and what they found."""
    bench, chance = Bench(folder), Random(seed)

    def points(nth: int) -> bool:
        return stride == 1 or chance.randrange(stride) == 0

    for name in doors:
        for kind in kinds:
            match kind:
                case "files":
                    trials = file_faults(bench, name, chance, stride, errors)
                case "statements":
                    trials = statement_faults(bench, name, points)
                case "damage":
                    trials = corruptions(bench, name, chance, stride)
                case _:
                    trials = memory_faults(bench, name)
            for count, found in trials:
                yield name, kind, count, found


def preloaded(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """The tool in a process in which files can fail."""
    command = [sys.executable, "-W", "ignore", "-m", "readiness_pipelines_tests.faults.doors", *arguments]
    return subprocess.run(command, env=faulty_files.environment(folder), text=True, check=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", action="append", choices=list(DOORS), help="only this one, or these")
    parser.add_argument("--kind", action="append", choices=["files", "statements", "damage", "memory"])
    parser.add_argument("--error", action="append", choices=list(ERRORS), help="let files fail with this one alone")
    parser.add_argument("--stride", type=int, default=1, help="strike at one of so many points, by chance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after that time")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="readiness-doors-") as folder:
        if "LD_PRELOAD" not in os.environ and not faulty_files.why_not():
            raise SystemExit(preloaded(sys.argv[1:], Path(folder)).returncode)
        trials: Counter[str] = Counter()
        shown: Counter[tuple[str, str, str]] = Counter()
        for door, kind, count, found in run_trials(
            Path(folder).resolve(),
            given.door or list(DOORS),
            given.kind or ["files", "statements", "damage", "memory"],
            stride=given.stride,
            seed=given.seed,
            errors=given.error or ERRORS,
        ):
            trials[f"{door}: {kind}"] += count
            for one in found:
                key = (one.door, one.what.partition(":")[0], one.place)
                shown[key] += 1
                if shown[key] == 1:
                    print(f"{one.door}\n  {one.fault}\n  {one.what}\n  {one.place}", flush=True)  # noqa: T201
            if time.monotonic() - began > given.seconds:
                break
    print(f"{trials.total():,} trials at {len(trials)} doors and kinds, {len(shown)} places with errors of others")  # noqa: T201
    for key, count in shown.most_common():
        print(count, *key, sep="  ")  # noqa: T201
    raise SystemExit(bool(shown))


if __name__ == "__main__":
    main()
