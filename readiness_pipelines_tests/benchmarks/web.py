"""`make bench-web`: how long pages take with 2,000 tables and 20,000 batches: alone, and for 50 people at once.

Each look has its time, and the processor time that the server took for it: that does not depend on what else the
machine does, though caches and a processor's two threads are shared. Work that the server does beside its answers, as
building gates in its first seconds, is waited for before pages are looked at.
"""

import argparse
import json
import os
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
from dataclasses import dataclass, field, replace
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

PATIENCE = 120.0
"""Seconds after which a scorecard that is not there counts as an error."""

SHOWN = b"Stage "
"""What the page of a scorecard says that the page which is shown while it is reckoned does not."""

_TICKS = os.sysconf("SC_CLK_TCK")

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
        with served(Path(folder)) as server:
            asked_at_once = scorecard(server)
        with served(Path(folder)) as server:
            server.rest()
            asked_later = scorecard(server)  # so that below, its page is not the one that is shown meanwhile
            alone = {page: [look(server, page) for _ in range(6)] for page in PAGES}
            together = crowd(server, people=options.people, seconds=options.seconds)
    figures = {
        "tables": DOMAINS * 2 + 2,
        "batches": DOMAINS * BATCHES + MANY,
        "ready_s": server.ready,
        "ready_processor_s": server.ready_processor,
        "scorecard_asked_for_at_once": asked_at_once,
        "scorecard_once_gates_are_built": asked_later,
        "pages": {page: _of(looks) for page, looks in alone.items()},
        "people": options.people,
        "looks": len(together.took),
        "errors": len(together.failed),
        "looks_a_second": round(len(together.took) / options.seconds, 1),
        "processor_s_a_look": round(together.processor / len(together.took), 4),
        "p50_s": round(statistics.median(together.took), 4),
        "p99_s": round(statistics.quantiles(together.took, n=100)[98], 4),
    }
    _show(figures)
    options.results.mkdir(parents=True, exist_ok=True)
    Path(options.results, "web.json").write_text(json.dumps(figures, indent=1) + "\n")


@dataclass(frozen=True, slots=True)
class Server:
    """A process that serves a ledger.

    Attributes:
        address: Where.
        pid: Its number.
        ready: Seconds until it said that it is there, from its first import on.
        ready_processor: The processor time of that.
    """

    address: str
    pid: int
    ready: float
    ready_processor: float

    def processor(self) -> float:
        """Seconds of processor time that it has taken."""
        return _processor(self.pid)

    def rest(self) -> None:
        """Wait until it does nothing by itself any more."""
        before = -1.0
        while (now := self.processor()) > before:
            before = now
            time.sleep(2)


@dataclass(frozen=True, slots=True)
class Look:
    """How long a page took, of that how long a processor worked, and whether the page was there."""

    seconds: float
    processor: float
    there: bool


@dataclass(slots=True)
class Crowd:
    """What each look took, what those that failed took, and the processor time of all."""

    took: list[float] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)
    processor: float = 0.0


def look(server: Server, page: str) -> Look:
    """Look at a page, while nobody else does."""
    before = server.processor()
    seconds, there = _seconds(server.address + page)
    return Look(seconds, round(server.processor() - before, 3), there)


def scorecard(server: Server) -> dict[str, object]:
    """What somebody sees who asks for the whole scorecard and nobody has it yet, and when it is there."""
    began, worked, shown = time.perf_counter(), server.processor(), False
    answers: list[float] = []
    while time.perf_counter() - began < PATIENCE:
        asked = time.perf_counter()
        with urllib.request.urlopen(f"{server.address}/scorecard", timeout=60) as answer:  # noqa: S310  # of this machine
            shown = SHOWN in answer.read()
        answers.append(time.perf_counter() - asked)
        if shown:
            break
        time.sleep(0.25)
    return {
        "first_answer_s": round(answers[0], 4),
        "shown_after_s": round(time.perf_counter() - began, 4) if shown else None,
        "processor_s": round(server.processor() - worked, 3),
        "looks_until_shown": len(answers),
    }


def crowd(server: Server, *, people: int, seconds: float) -> Crowd:
    """What each look took of some people who look at one page after the other, for a time."""
    found = Crowd()
    before, ends = server.processor(), time.monotonic() + seconds

    def walk(number: int) -> None:
        chance = random.Random(number)
        time.sleep(chance.random() * THINKS)
        while time.monotonic() < ends:
            took, there = _seconds(server.address + chance.choice(PAGES))
            (found.took if there else found.failed).append(took)
            time.sleep(chance.random() * 2 * THINKS)

    threads = [threading.Thread(target=walk, args=(number,)) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.processor = server.processor() - before
    return found


def _seconds(address: str) -> tuple[float, bool]:
    """How long an answer took, and whether it was the page."""
    started = time.perf_counter()
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310  # an address of this machine
            answer.read()
    except OSError:  # also every answer that is an error: it is counted
        return round(time.perf_counter() - started, 4), False
    return round(time.perf_counter() - started, 4), True


def _of(looks: Sequence[Look]) -> dict[str, float | int]:
    first, *then = looks
    return {
        "first_s": first.seconds,
        "first_processor_s": first.processor,
        "median_s": statistics.median(one.seconds for one in then),
        "median_processor_s": round(statistics.median(one.processor for one in then), 3),
        "errors": sum(not one.there for one in looks),
    }


def _processor(pid: int) -> float:
    """Seconds of processor time that a process has taken."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / _TICKS


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
def served(folder: Path) -> Iterator[Server]:
    """A process of its own that serves a folder's ledger."""
    command: Sequence[str] = [sys.executable, "-m", "readiness_pipelines_tests.benchmarks.web", "--serve", str(folder)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # a pipe
        try:
            address = f"http://127.0.0.1:{process.stdout.readline().strip()}"
            took = round(time.perf_counter() - began, 2)
            yield Server(address, process.pid, ready=took, ready_processor=round(_processor(process.pid), 2))
        finally:
            process.terminate()


def _show(figures: dict[str, object]) -> None:
    table = Table(title=f"{figures['tables']:,} tables, {figures['batches']:,} batches", title_justify="left")
    for column in ("page", "first, ms", "processor", "then, ms", "processor"):
        table.add_column(column, justify="left" if column == "page" else "right")
    pages: dict[str, dict[str, float]] = figures["pages"]  # type: ignore[assignment]  # as it was made
    names = ("first_s", "first_processor_s", "median_s", "median_processor_s")
    for page, took in pages.items():
        table.add_row(page, *(f"{1000 * took[name]:.0f}" for name in names))
    OUT.print(table)
    OUT.print(f"ready after {figures['ready_s']} s ({figures['ready_processor_s']} s of the processor)")
    for name in ("scorecard_asked_for_at_once", "scorecard_once_gates_are_built"):
        card: dict[str, float | None] = figures[name]  # type: ignore[assignment]  # as above
        after = "never" if card["shown_after_s"] is None else f"after {card['shown_after_s']:.2f} s"
        OUT.print(
            f"{name.replace('_', ' ')}: first answer after {card['first_answer_s']:.2f} s, shown {after}, "
            f"{card['processor_s']} s of the processor"
        )
    OUT.print(
        f"{figures['people']} people, {figures['looks_a_second']} looks a second, {figures['errors']} errors: "
        f"p50 {1000 * float(str(figures['p50_s'])):.0f} ms, p99 {1000 * float(str(figures['p99_s'])):.0f} ms, "
        f"of the processor {1000 * float(str(figures['processor_s_a_look'])):.0f} ms a look"
    )


if __name__ == "__main__":
    main()
