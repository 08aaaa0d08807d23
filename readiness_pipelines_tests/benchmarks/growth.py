"""`make bench-growth`: what a delivery and a replay cost as batches accumulate, with maintenance every hundred."""

import argparse
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from readiness_pipelines import Domain
from readiness_pipelines.delivery import Level, ingest, maintain, reconcile, replay_batch
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.samples import gated, order_domain

OUT = Console(width=140)
RUN = Run(run_id="bench", who="bench")
WINDOW = 10
"""A figure is the median of so many deliveries, or replays, before a size is reached."""

MAINTAIN_EVERY = 100


def main() -> None:
    """Deliver batch after batch, and print what that and each level of proof took at some sizes."""
    options = _options()
    figures = []
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        keys = [f"d{number:05d}" for number in range(max(options.sizes))]
        shop = order_domain(batches=keys)
        installation = Installation.open(
            Settings(landing=str(Path(folder, "landing")), warehouse=str(Path(folder, "warehouse")), settles="0s")
        )
        seconds: list[float] = []
        maintained = 0.0
        for number, batch in enumerate(keys, start=1):
            land_batch(Path(folder, "landing"), batch, options.rows)
            seconds.append(_timed(lambda batch=batch: deliver_whole(shop, batch, installation)))
            if number % MAINTAIN_EVERY == 0:
                maintained = _timed(lambda: maintain(installation, now=datetime.now(UTC)))
                OUT.print(f"[dim]{number:,} batches, the last {statistics.median(seconds[-WINDOW:]):.3f} s[/]")
            if number in options.sizes:
                again = keys[number // 2]
                replays = [
                    _timed(
                        lambda batch=again: replay_batch(gated(shop), batch=batch, installation=installation, run=RUN)
                    )
                    for _ in range(WINDOW)
                ]
                figures.append(
                    {
                        "batches": number,
                        "delivery_s": round(statistics.median(seconds[-WINDOW:]), 3),
                        "replay_s": round(statistics.median(replays), 3),
                        "maintenance_s": round(maintained, 2),
                        **{
                            f"{level}_s": round(_timed(lambda level=level: _proved(shop, installation, level)), 2)
                            for level in Level
                        },
                    }
                )
    OUT.print(_table(figures))
    options.results.mkdir(parents=True, exist_ok=True)
    Path(options.results, "growth.json").write_text(json.dumps(figures, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1_000, 3_000], help="numbers of batches")
    parser.add_argument("--rows", type=int, default=1_000, help="rows of a batch")
    parser.add_argument("--scratch", default=None, help="folder for files and tables")
    parser.add_argument("--results", type=Path, default=Path("docs/benchmarks"), help="folder for the figures")
    return parser.parse_args()


def land_batch(landing: Path, batch: str, rows: int) -> None:
    """A file of which one row in three hundred fails."""
    lines = [
        f"{n},{n * 0.01 if n % 300 else -1},{'paid' if n % 7 else 'refunded'},n{n % 50}" for n in range(1, rows + 1)
    ]
    file = landing / "orders" / f"{batch}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["order_id,amount,status,note", *lines]) + "\n")


def deliver_whole(shop: Domain, batch: str, installation: Installation) -> None:
    ingest(gated(shop), batch=batch, installation=installation, run=RUN)
    replay_batch(gated(shop), batch=batch, installation=installation, run=RUN)


def _proved(shop: Domain, installation: Installation, level: Level) -> None:
    if problems := reconcile([shop], installation=installation, level=level).problems:
        raise SystemExit(f"not every row is accounted for: {problems[0]}")


def _timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _table(figures: list[dict[str, float]]) -> Table:
    table = Table(title=f"Seconds at so many batches (medians of {WINDOW})", title_justify="left")
    columns = (
        "batches",
        "a delivery",
        "÷ first",
        "a replay",
        "÷ first",
        "maintenance",
        *(f"prove {level}" for level in Level),
    )
    for column in columns:
        table.add_column(column, justify="right")
    for figure in figures:
        table.add_row(
            f"{figure['batches']:,}",
            f"{figure['delivery_s']:.3f}",
            f"{figure['delivery_s'] / figures[0]['delivery_s']:.2f}",
            f"{figure['replay_s']:.3f}",
            f"{figure['replay_s'] / figures[0]['replay_s']:.2f}",
            f"{figure['maintenance_s']:.2f}",
            *(f"{figure[f'{level}_s']:.2f}" for level in Level),
        )
    return table


if __name__ == "__main__":
    main()
