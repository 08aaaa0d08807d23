"""One contender, once, in a process of its own: prints what it took as JSON."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from readiness_pipelines_tests.benchmarks.data import written_rows
from readiness_pipelines_tests.benchmarks.inputs import INPUTS


def main(kind: str, name: str, file: str, where: str) -> None:
    """Run a contender on a file, in a folder of its own below `where`, and check nothing."""
    with tempfile.TemporaryDirectory(dir=where) as folder:
        given = INPUTS[kind]
        run = given.contenders[name](file, Path(folder))
        started = time.perf_counter()
        good, bad = run()
        seconds = time.perf_counter() - started
        peak = _peak_mb()
        written = {"good": written_rows(good, given.key), "bad": written_rows(bad, given.key)}
        print(json.dumps({"seconds": seconds, "peak_mb": peak, **written}))  # noqa: T201  # the parent reads it


def _peak_mb() -> float:
    """This process's own peak: the operating system's accounting may tell the parent's, which it inherits."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
