"""Every error on every door is ours: a tool that lets all fail that lies beneath, at every point.

    python -W ignore -m readiness_pipelines_tests.faults.doors --stride 7 --seed 1

Each trial begins with the same installation, strikes once, and asks three things: that what comes out is a
`ReadinessError` with words; that the same door opens when the fault is gone; and that then every row is accounted for.
Prints each error that is not ours by door and place, and ends with 1 where there are any.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from random import Random

from readiness_pipelines_tests.faults import faulty_files
from readiness_pipelines_tests.faults.bench import Bench, Finding
from readiness_pipelines_tests.faults.door_faults import (
    ERRORS,
    corruptions,
    cut_faults,
    file_faults,
    landing_faults,
    memory_faults,
    statement_faults,
    store_faults,
)
from readiness_pipelines_tests.faults.door_list import DOORS

KINDS = ("files", "landing", "statements", "postgres", "cuts", "s3", "damage", "memory")
"""What fails: the warehouse's files, what landed, SQLite's and Postgres' statements, sessions, requests, memory."""


def run_trials(
    folder: Path, doors: list[str], kinds: list[str], *, stride: int, seed: int, errors: Collection[str] = ERRORS
) -> Iterator[tuple[str, str, int, list[Finding]]]:
    """Trials at some doors: door, kind of fault, how many, and what they found."""
    benches: dict[str, Bench] = {}
    chance = Random(seed)

    def bench(over: str = "folder") -> Bench:
        if over not in benches:
            benches[over] = Bench(folder, over)
        return benches[over]

    for name in doors:
        for kind in kinds:
            match kind:
                case "files":
                    trials = file_faults(bench(), name, chance, stride, errors)
                case "landing":
                    trials = landing_faults(bench(), name, chance, stride, errors)
                case "statements":
                    trials = statement_faults(bench(), name, chance, stride)
                case "postgres":
                    trials = statement_faults(bench(kind), name, chance, stride)
                case "cuts":
                    trials = cut_faults(bench("postgres"), name, chance, stride)
                case "s3":
                    trials = store_faults(bench(kind), name, chance, stride)
                case "damage":
                    trials = corruptions(bench(), name, chance, stride)
                case _:
                    trials = memory_faults(bench(), name)
            for count, found in trials:
                yield name, kind, count, found


def preloaded(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """The tool in a process in which files can fail."""
    command = [sys.executable, "-W", "ignore", "-m", "readiness_pipelines_tests.faults.doors", *arguments]
    return subprocess.run(command, env=faulty_files.environment(folder), text=True, check=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", action="append", choices=list(DOORS), help="only this one, or these")
    parser.add_argument("--kind", action="append", choices=KINDS)
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
            given.kind or list(KINDS),
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
