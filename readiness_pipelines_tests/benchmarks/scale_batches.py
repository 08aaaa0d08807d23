"""A table of so many batches: prints what people, sensors and the UI wait for, as JSON."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pyarrow as pa

from readiness_pipelines.contracts import Kpi
from readiness_pipelines.delivery import due_work, gate_of, reconcile
from readiness_pipelines.installation import Installation
from readiness_pipelines.overview import status
from readiness_pipelines_tests.benchmarks.watching import fill, one_table_domain
from readiness_pipelines_tests.conftest import settings_in

MODULE = """
from datetime import date
from pathlib import Path
from readiness_pipelines.orchestration import build_definitions
from readiness_pipelines_tests.benchmarks.watching import one_table_domain
from readiness_pipelines_tests.conftest import settings_in

domain = one_table_domain(0, first=date.fromisoformat({first!r}))
defs = build_definitions(domain, settings=settings_in(Path(__file__).parent))
"""
KEY = dg.AssetKey(["shop_0", "orders"])
PATH_KEY = json.dumps({"path": list(KEY.path)})
QUERIES = {
    "ui_asset_s": "{ assetOrError(assetKey: %s) { ... on Asset { assetMaterializations(limit: 100) { timestamp } } } }",
    "ui_partitions_s": "{ assetNodeOrError(assetKey: %s) { ... on AssetNode { partitionStats { numMaterialized } "
    "assetPartitionStatuses { __typename } } } }",
    "ui_check_s": '{ assetCheckExecutions(assetKey: %s, checkName: "gate", limit: 25) { id status timestamp } }',
}


def main(count: str) -> None:
    """Make the batches, in the ledger, in Iceberg and in Dagster's storage, and ask."""
    batches = int(count)
    # All of them are days that were: Dagster has no partition for others.
    first = datetime.now(UTC).date() - timedelta(days=batches)
    domain = one_table_domain(0, first=first)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = [(first + timedelta(days=day)).isoformat() for day in range(batches)]
        for key in keys:
            file = folder / "landing" / "orders" / f"{key}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("order_id,amount,status,note\n1,1,paid,x\n")
        installation = Installation.open(settings_in(folder))
        fill(installation, [domain], batches, first=first)
        took = {
            "landing_s": _timed(lambda: due_work([domain], installation=installation, now=datetime.now(UTC))),
            "status_s": _timed(lambda: status(domain, installation=installation)),
        }
        _commit_kpi(installation, domain.kpis[0], keys)
        took["status_kpi_s"] = _timed(lambda: status(domain, installation=installation))
        took["reconcile_s"] = _timed(lambda: reconcile([domain], installation=installation))
        took |= _asked_by_the_ui(folder, keys)
    print(json.dumps(took))  # noqa: T201  # the parent reads it


def _commit_kpi(installation: Installation, kpi: Kpi, keys: list[str]) -> None:
    """A value for each batch, as its delivery leaves it: a commit and a file for each."""
    table, schema = kpi.id, gate_of(kpi).schema
    installation.lakehouse.ensure(table, schema)
    with installation.engine() as engine:
        for key in keys:
            row = {"is_total": True, "value": 1.0, "numerator": 1.0, "unit": "count", "_batch": key, "_row": 0}
            rows = engine.from_arrow(pa.Table.from_pylist([row], schema=schema))
            staged = installation.lakehouse.stage(table, rows, batch=key, schema=schema)
            installation.lakehouse.replace(table, staged, properties={"readiness.attempt": uuid4().hex})


def _asked_by_the_ui(folder: Path, keys: list[str]) -> dict[str, float]:
    (folder / "bench_definitions.py").write_text(MODULE.format(first=keys[0]))
    home = folder / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.get() as instance:
        for key in keys:
            instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition=key))
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(asset_key=KEY, check_name="gate", passed=True, partition=key)
            )
    with _webserver(folder) as address:
        return {name: _timed(lambda query=query: _asked(address, query % _key())) for name, query in QUERIES.items()}


def _key() -> str:
    return "{path: [" + ", ".join(json.dumps(part) for part in KEY.path) + "]}"


@contextmanager
def _webserver(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "dagster_webserver",
        "-f",
        "bench_definitions.py",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    with (folder / "webserver.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/graphql"
    try:
        for _ in range(240):
            try:
                _asked(address, "{ version }")
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _asked(address: str, query: str) -> Any:
    request = urllib.request.Request(  # noqa: S310  # an address of this machine
        address, json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as response:  # noqa: S310  # as above
        answer = json.loads(response.read())
    if "errors" in answer:
        raise SystemExit(f"the UI's query failed: {answer['errors']}")
    return answer


def _timed(work: Callable[[], Any]) -> float:
    work()
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 3)


if __name__ == "__main__":
    main(*sys.argv[1:])
