"""`make bench-scale`: engines side by side on many rows, and what many tables and many batches cost."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from readiness_pipelines_tests.benchmarks.data import bad_rows, make_orders, written_rows

OUT = Console(width=120)
ENGINES = {
    "DuckDB": "duckdb",
    "Spark, 1 executor": "local-cluster[1,1,3072]",
    "Spark, 2 executors": "local-cluster[2,1,3072]",
}


def main() -> None:
    """Measure, print the tables, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, default=20, help="rows for the engines, in millions")
    parser.add_argument("--tables", type=int, nargs="+", default=[1, 100, 500], help="tables of a code location")
    parser.add_argument("--batches", type=int, nargs="+", default=[10, 1_000, 10_000], help="batches of a table")
    parser.add_argument("--runs", type=int, default=3, help="runs of what is short, of which the median is shown")
    parser.add_argument("--parts", nargs="+", default=["engines", "tables", "batches"])
    parser.add_argument("--scratch", default=None, help="folder for inputs and outputs")
    parser.add_argument("--results", type=Path, default=Path("docs/benchmarks"), help="folder for the figures")
    options = parser.parse_args()
    file = options.results / "scale.json"
    figures: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for part, measure in (("engines", _engines), ("tables", _tables), ("batches", _batches)):
        if part in options.parts:
            figures[part] = measure(options)
    options.results.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(figures, indent=1) + "\n")


def _engines(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The gate on each engine, staged and committed; once each: what is compared differs by far more than noise."""
    rows = int(options.millions * 1_000_000)
    figures: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        file = f"{scratch}/orders.parquet"
        make_orders(file, rows=rows, bad=0.003)
        everything, failing = written_rows([file]), bad_rows(file)
        for name, url in ENGINES.items():
            OUT.print(f"[dim]{rows:,} rows on {name}[/]")
            found = _measured("readiness_pipelines_tests.benchmarks.scale_engine", file, url, scratch)
            assert found["bad"] == list(failing), f"{name} found other bad rows"  # no figure for a wrong answer
            assert found["good"] == [a - b for a, b in zip(everything, failing, strict=True)]  # as above
            figures.append({"engine": name, "rows": rows, "seconds": round(found["seconds"], 1)})
    table = _table(f"{rows:,} rows, 0.3 % bad: judged, staged, committed", "engine", "seconds", "÷ DuckDB")
    for one in figures:
        table.add_row(one["engine"], f"{one['seconds']:.1f}", f"{one['seconds'] / figures[0]['seconds']:.1f}")
    OUT.print(table)
    return figures


def _tables(options: argparse.Namespace) -> list[dict[str, Any]]:
    """A code location of so many paths of one table each: to load it, and one look of its sensors at all of them."""
    figures = []
    for count in options.tables:
        runs = [_measured("readiness_pipelines_tests.benchmarks.scale_tables", str(count)) for _ in range(options.runs)]
        middle = {name: round(statistics.median(run[name] for run in runs), 2) for name in runs[0]}
        figures.append({"tables": count, **middle})
    table = _table(
        "A code location of so many tables (seconds)", "tables", "load", "watch sensor", "status of all", "MB"
    )
    for one in figures:
        shown = (f"{one[name]:.2f}" for name in ("load_s", "watch_s", "status_s"))
        table.add_row(f"{one['tables']:,}", *shown, f"{one['peak_mb']:.0f}")
    OUT.print(table)
    return figures


def _batches(options: argparse.Namespace) -> list[dict[str, Any]]:
    """One table of so many batches: what people and sensors ask of it, and what the UI asks of Dagster."""
    figures = [
        {"batches": count, **_measured("readiness_pipelines_tests.benchmarks.scale_batches", str(count))}
        for count in options.batches
    ]
    names = {
        "landing_s": "landing sensor", "status_s": "status", "status_kpi_s": "…with KPI", "reconcile_s": "reconcile",
        "ui_asset_s": "UI: asset", "ui_partitions_s": "UI: partitions", "ui_check_s": "UI: check",
    }  # fmt: skip
    table = _table("A table of so many batches (seconds)", "batches", *names.values())
    for one in figures:
        table.add_row(f"{one['batches']:,}", *(f"{one[name]:.2f}" if name in one else "–" for name in names))
    OUT.print(table)
    return figures


def _measured(module: str, *arguments: str) -> Any:
    """What a program of its own prints as JSON."""
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{module} {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    OUT.print(f"[dim]{module.rsplit('.', 1)[1]} {' '.join(arguments[-2:])}: {time.perf_counter() - started:.0f} s[/]")
    return json.loads(done.stdout.splitlines()[-1])


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    return table


if __name__ == "__main__":
    main()
