"""`make bench-web`: how long pages take with 2,000 tables and 20,000 batches: alone, and for 50 people at once."""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings
from readiness_pipelines.web.app import build_app
from readiness_pipelines.web.site import Site
from readiness_pipelines_tests.benchmarks.watching import fill, one_table_domain

OUT = Console(width=120)
DOMAINS, BATCHES = 1_000, 10
MANY = 10_000
HELD = 40
THINKS = 1.0
"""Seconds that somebody looks at a page before they go on to the next."""

PAGES = (
    "/",
    "/inbox",
    "/inbox?show=held",
    "/catalog",
    "/catalog?q=orders+amuont",
    "/map?domain=shop_7",
    "/tables/shop_7/orders",
    "/tables/shop_many/orders",
    "/tables/shop_many/orders?page=150",
    "/tables/shop_many/orders/quality",
    "/batches/shop_7/orders/2026-01-05",
    "/batches/shop_many/orders/2026-01-05",
    "/products/shop_7/order_count",
    "/incidents",
    "/scorecard",
    "/api/today",
    "/api/quarantine",
)


def main() -> None:
    """Fill a ledger, serve it in a process of its own, and look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--results", type=Path, default=Path("docs/benchmarks"), help="folder for the figures")
    parser.add_argument("--serve", default="", help="used by itself: the folder to serve")
    options = parser.parse_args()
    if options.serve:
        serve(Path(options.serve))
        return
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder))
        with served(Path(folder)) as address:
            alone = {page: [_seconds(address + page) for _ in range(6)] for page in PAGES}
            together = crowd(address, people=options.people, seconds=options.seconds)
    figures = {
        "tables": DOMAINS * 2 + 2,
        "batches": DOMAINS * BATCHES + MANY,
        "pages": {page: {"first_s": took[0], "median_s": statistics.median(took[1:])} for page, took in alone.items()},
        "people": options.people,
        "looks": len(together),
        "looks_a_second": round(len(together) / options.seconds, 1),
        "p50_s": round(statistics.median(together), 4),
        "p99_s": round(statistics.quantiles(together, n=100)[98], 4),
    }
    _show(figures)
    options.results.mkdir(parents=True, exist_ok=True)
    Path(options.results, "web.json").write_text(json.dumps(figures, indent=1) + "\n")


def crowd(address: str, *, people: int, seconds: float) -> list[float]:
    """What each look took of some people who look at one page after the other, for a time."""
    took: list[float] = []
    ends = time.monotonic() + seconds

    def look(number: int) -> None:
        chance = random.Random(number)
        time.sleep(chance.random() * THINKS)
        while time.monotonic() < ends:
            took.append(_seconds(address + chance.choice(PAGES)))
            time.sleep(chance.random() * 2 * THINKS)

    threads = [threading.Thread(target=look, args=(number,)) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def _seconds(address: str) -> float:
    started = time.perf_counter()
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310  # an address of this machine
        answer.read()
    return round(time.perf_counter() - started, 4)


def _domains() -> list[object]:
    many = one_table_domain("many")
    return [*(one_table_domain(number) for number in range(DOMAINS)), many]


def _settings(folder: Path) -> Settings:
    return Settings(landing=str(folder / "landing"), warehouse=str(folder / "warehouse"), settles="0s")


def _fill(folder: Path) -> None:
    """A thousand domains of a table and a product with ten batches each, one with ten thousand; some are held."""
    installation = Installation.open(_settings(folder))
    *shops, many = _domains()
    fill(installation, shops, BATCHES)  # type: ignore[arg-type]  # domains
    fill(installation, [many], MANY)  # type: ignore[list-item]  # a domain
    held = "UPDATE ledger_batches SET state = 'held', quarantined = 100, published = 0, reason = '100 rows fail' "
    with installation.ledger._database.writing() as connection:
        for number in range(HELD):
            where = f"WHERE table_name = 'shop_{number * 7}.orders' AND batch = '2026-01-05'"
            connection.execute(text(held + where))


def serve(folder: Path) -> None:
    """Serve a folder's ledger at a free port, and print it."""
    now = datetime(2026, 1, 1, 6, tzinfo=UTC) + timedelta(days=BATCHES)
    settings = _settings(folder)
    site = Site(
        settings=settings,
        domains=tuple(_domains()),  # type: ignore[arg-type]  # domains
        installation=Installation.open(settings),
        start_replay=lambda _number: None,
        clock=lambda: now,
    )
    server = uvicorn.Server(uvicorn.Config(build_app(replace(site)), port=0, log_level="error", access_log=False))

    def announce() -> None:
        while not server.started:
            time.sleep(0.05)
        print(server.servers[0].sockets[0].getsockname()[1], flush=True)  # noqa: T201  # for the parent

    threading.Thread(target=announce, daemon=True).start()
    server.run()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a process of its own serves a folder's ledger."""
    command: Sequence[str] = [sys.executable, "-m", "readiness_pipelines_tests.benchmarks.web", "--serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # a pipe
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def _show(figures: dict[str, object]) -> None:
    table = Table(title=f"{figures['tables']:,} tables, {figures['batches']:,} batches", title_justify="left")
    for column in ("page", "first, ms", "then, ms"):
        table.add_column(column, justify="left" if column == "page" else "right")
    pages: dict[str, dict[str, float]] = figures["pages"]  # type: ignore[assignment]  # as it was made
    for page, took in pages.items():
        table.add_row(page, f"{1000 * took['first_s']:.0f}", f"{1000 * took['median_s']:.0f}")
    OUT.print(table)
    OUT.print(
        f"{figures['people']} people, {figures['looks_a_second']} looks a second: "
        f"p50 {1000 * float(str(figures['p50_s'])):.0f} ms, p99 {1000 * float(str(figures['p99_s'])):.0f} ms"
    )


if __name__ == "__main__":
    main()
