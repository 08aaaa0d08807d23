"""The gate of the orders on one engine, once, in a process of its own: prints what it took as JSON."""

import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from readiness_pipelines.gates import DuckDbEngine, Engine, Gate
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.benchmarks.data import written_rows
from readiness_pipelines_tests.benchmarks.schema import Order
from readiness_pipelines_tests.conftest import settings_in


def main(file: str, url: str, where: str) -> None:
    """Judge a file of orders on an engine, stage and commit the rows, and count what was written."""
    with tempfile.TemporaryDirectory(dir=where) as folder, ExitStack() as stack:
        installation = Installation.open(settings_in(Path(folder)))
        engine, rows = _opened(file, url, installation, stack)
        gate = Gate(Order, engine="duckdb" if url == "duckdb" else "spark")
        started = time.perf_counter()
        verdict = gate.judge(rows, engine)
        engine.view("waiting", verdict.quarantined)
        files: dict[str, list[str]] = {}
        for name, judged, schema in (
            ("quarantine", verdict.quarantined, engine.schema("waiting")),
            ("shop", verdict.published, verdict.schema),
        ):
            table = TableId(name, "orders")
            installation.lakehouse.ensure(table, schema)
            staged = installation.lakehouse.stage(table, judged, batch="bench", schema=schema)
            installation.lakehouse.replace(table, staged, properties={"readiness.attempt": name})
            files[name] = list(staged.files)
        seconds = time.perf_counter() - started
        found = {"good": written_rows(files["shop"]), "bad": written_rows(files["quarantine"])}
        print(json.dumps({"seconds": seconds, **found}))  # noqa: T201  # the parent reads it


def _opened(file: str, url: str, installation: Installation, stack: ExitStack) -> tuple[Engine, Any]:
    if url == "duckdb":
        # The engine opens no file outside of the warehouse.
        raw = installation.lakehouse.warehouse.path / "orders.parquet"
        raw.parent.mkdir(exist_ok=True)
        raw.hardlink_to(file)
        connection = stack.enter_context(installation.engine())
        return DuckDbEngine(connection), connection.sql(f"SELECT * FROM '{raw}'")
    from readiness_pipelines.engines.spark.engine import SparkEngine  # noqa: PLC0415  # only those who ask pay
    from readiness_pipelines.engines.spark.session import spark_session  # noqa: PLC0415  # as above

    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        "--conf spark.ui.enabled=false --conf spark.executor.memory=3g --conf spark.driver.memory=2g pyspark-shell"
    )
    session = spark_session(url)
    session.range(1).count()  # executors are there before the clock starts
    return stack.enter_context(SparkEngine(session).opened()), session.read.parquet(file)


if __name__ == "__main__":
    main(*sys.argv[1:])
