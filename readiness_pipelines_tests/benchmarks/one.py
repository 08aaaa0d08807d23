"""One contender, once, in a process of its own: prints what it took as JSON."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from readiness_pipelines_tests.benchmarks.contenders import CONTENDERS
from readiness_pipelines_tests.benchmarks.data import written_rows


def main(name: str, file: str, where: str) -> None:
    """Run a contender on a file, in a folder of its own below `where`, and check nothing."""
    with tempfile.TemporaryDirectory(dir=where) as folder:
        run = CONTENDERS[name](file, Path(folder))
        started = time.perf_counter()
        good, bad = run()
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(  # noqa: T201  # the parent reads it
            json.dumps({"seconds": seconds, "peak_mb": peak, "good": written_rows(good), "bad": written_rows(bad)})
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
