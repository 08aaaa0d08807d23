"""One contender, once, in a process of its own, warm: prints what it took as JSON."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from readiness_pipelines_tests.benchmarks.data import land_orders, make_orders, written_rows
from readiness_pipelines_tests.benchmarks.inputs import INPUTS, Input

WARMING_ROWS = 1_000


def main(kind: str, name: str, file: str, where: str) -> None:
    """Run a contender on a file, in a folder of its own below `where`, and check nothing.

    It runs on a few rows first: what is at work every night has its modules in memory, which some tools load late.
    """
    with tempfile.TemporaryDirectory(dir=where) as folder:
        given = INPUTS[kind]
        contender, measured = given.contenders[name], Path(folder, "measured")
        contender(*_few_rows(given, Path(folder, "warm")))()
        measured.mkdir()
        run = contender(file, measured)
        started = time.perf_counter()
        good, bad = run()
        seconds = time.perf_counter() - started
        peak = _peak_mb()
        written = {"good": written_rows(good, given.key), "bad": written_rows(bad, given.key)}
        print(json.dumps({"seconds": seconds, "peak_mb": peak, **written}))  # noqa: T201  # the parent reads it


def _few_rows(given: Input, folder: Path) -> tuple[str, Path]:
    """A small file of an input's kind, and an empty folder."""
    work = folder / "work"
    work.mkdir(parents=True)
    orders = f"{folder}/orders.parquet"
    make_orders(orders, rows=WARMING_ROWS, bad=0.1)
    if not given.suffix:
        return orders, work
    (folder / "landed").mkdir()
    landed = f"{folder}/landed/day{given.suffix}"
    land_orders(orders, landed)
    return landed, work


def _peak_mb() -> float:
    """This process's own peak: the operating system's accounting may tell the parent's, which it inherits."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
