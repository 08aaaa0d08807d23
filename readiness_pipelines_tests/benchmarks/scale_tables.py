"""A code location of so many tables: prints what loading it and looking at it take, as JSON."""

import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from readiness_pipelines.alerts import AlertSettings, watch
from readiness_pipelines.installation import Installation
from readiness_pipelines.overview import status
from readiness_pipelines_tests.benchmarks.watching import fill, one_table_domain
from readiness_pipelines_tests.conftest import settings_in

BATCHES = 30


def main(count: str) -> None:
    """Load the definitions as Dagster does, then look at every table."""
    started = time.perf_counter()
    from readiness_pipelines.orchestration import build_definitions  # noqa: PLC0415  # importing is part of loading

    domains = [one_table_domain(number) for number in range(int(count))]
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder))
        build_definitions(*domains, settings=settings).get_repository_def().load_all_definitions()
        load = time.perf_counter() - started
        installation = Installation.open(settings)
        fill(installation, domains, BATCHES)
        now = datetime(2026, 1, 1, 6, tzinfo=UTC) + timedelta(days=BATCHES)
        started = time.perf_counter()
        watch(domains, AlertSettings(), installation=installation, clock=lambda: now)
        looked = time.perf_counter() - started
        started = time.perf_counter()
        for domain in domains:
            status(domain, installation=installation)
        told = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"load_s": load, "watch_s": looked, "status_s": told, "peak_mb": peak}))  # noqa: T201  # for the parent


if __name__ == "__main__":
    main(*sys.argv[1:])
