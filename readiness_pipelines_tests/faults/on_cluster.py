"""A program for tests: delivers a batch on DuckDB and on a Spark of a given kind, and tells whether both agree.

With ``--kill``, one of the executors, processes of their own, is killed while it works.
"""

import argparse
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from readiness_pipelines.delivery import deliver, ingest, reconcile
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.engines import SMALL
from readiness_pipelines_tests.samples import land, order_domain
from readiness_pipelines_tests.shown import shown
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

RUN = Run(run_id="r1", who="me")


def some_rows(count: int) -> Iterator[str]:
    """Orders of which some are negative, unreadable or numbered twice."""
    chance = random.Random(1)
    for number in range(count):
        order = number if chance.random() > 0.001 else 7
        amount = "x" if chance.random() < 0.002 else f"{chance.gauss(50, 20):.2f}"
        yield f"{order},{amount},paid,note {number}"


def kill_an_executor(application: str, killed: list[int]) -> None:
    """Kill one executor of an application as soon as there are two, a moment after they began to work."""
    while True:
        executors = [int(process.name) for process in Path("/proc").iterdir() if _is_executor(process, application)]
        if len(executors) > 1:
            time.sleep(2)
            os.kill(executors[0], signal.SIGKILL)
            killed.append(executors[0])
            return
        time.sleep(0.05)


def _is_executor(process: Path, application: str) -> bool:
    try:
        command = (process / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return process.name.isdigit() and "CoarseGrainedExecutorBackend" in command and application in command


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("url")
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"{SMALL} --conf spark.executor.memory=1g pyspark-shell"
    shop = order_domain()
    table: Any = shop.table("orders")
    installation = Installation.open(settings_in(options.folder))
    away = replace(installation, engine_name="spark", spark_url=options.url)
    land(installation.landing.path, "day_1", *some_rows(options.rows))
    ingest(table, batch="day_1", installation=installation, run=RUN)
    deliver(table, batch="day_1", installation=installation, run=RUN)
    tables = ("shop.orders", "shop_quarantine.orders")
    before = shown(installation, *tables)
    killed: list[int] = []
    killer = None
    if options.kill:
        from readiness_pipelines.engines.spark.session import spark_session  # noqa: PLC0415  # only here

        application = spark_session(options.url).sparkContext.applicationId
        assert application is not None
        killer = threading.Thread(target=kill_an_executor, args=(application, killed), daemon=True)
        killer.start()
    deliver(table, batch="day_1", installation=away, run=RUN)
    if killer is not None:
        killer.join(LONGEST_SECONDS)  # on a fast machine it comes too late, and is counted all the same
    same = shown(installation, *tables) == before
    problems = [str(problem) for problem in reconcile([shop], installation=installation).problems]
    counts = {name: len(rows) for name, rows in before.items()}
    print(json.dumps({"same": same, "killed": len(killed), "problems": problems, "rows": counts}))  # noqa: T201


if __name__ == "__main__":
    main()
