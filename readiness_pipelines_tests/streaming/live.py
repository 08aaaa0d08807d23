"""A stream that an operator can watch: ``make stream``.

A broker, generated card payments, the process that reads them, and a table of how it is, until Ctrl-C.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live as LiveDisplay
from rich.table import Table
from rich.text import Text

from readiness_pipelines.batches import BatchState
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.names import TableId
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.ports import free_port
from readiness_pipelines_tests.streaming.live_processes import TABLE, Live, live, metrics_at, wait_for_reader

PAYMENTS = TableId(*TABLE.split("."))
WINDOWS = 6
_WIDTH = 80
_RATE_OVER = 10


class Watch:
    """What is shown, and what of before it takes.

    Args:
        rate: Events a second that are generated.
        port: Where the reader answers.
        installation: Where the ledger is.
    """

    def __init__(self, rate: float, port: int, installation: Installation) -> None:
        self._rate, self._port, self._installation = rate, port, installation
        self._seen: deque[tuple[float, float]] = deque(maxlen=_RATE_OVER + 1)

    def look(self) -> Mapping[str, float]:
        """The reader's numbers; the rate is over the last looks."""
        numbers = metrics_at(self._port)
        if numbers:
            self._seen.append((time.monotonic(), numbers["records_total"]))
        return numbers

    def show(self) -> RenderableType:
        """The table as it is now."""
        numbers = self.look()
        title = Text(f"{TABLE}: generated payments, {self._rate:,.0f} a second", style="bold")
        return Group(title, self._reader(numbers), self._windows(), Text("Ctrl-C ends all of it", style="dim"))

    def _reader(self, numbers: Mapping[str, float]) -> RenderableType:
        if not numbers:
            return Text("the reader does not answer", style="red")
        judged = numbers["published_rows_total"] + numbers["quarantined_rows_total"]
        shown = {
            "rows/s": f"{self._rows_a_second():,.0f}",
            "lag": f"{numbers['lag_messages']:,.0f}" if "lag_messages" in numbers else "–",
            "sent to published": _quantiles(numbers),
            "in quarantine": f"{numbers['quarantined_rows_total'] / judged:.2%}" if judged else "–",
            "slice takes": f"{numbers['last_slice_seconds']:.2f} s",
            "messages": f"{numbers['records_total']:,.0f}",
        }
        table = _table(list(shown))
        table.add_row(*shown.values())
        return table

    def _rows_a_second(self) -> float:
        (first, before), (last, now) = self._seen[0], self._seen[-1]
        return (now - before) / (last - first) if last > first else 0.0

    def _windows(self) -> RenderableType:
        records = self._installation.ledger.batches(tables=[PAYMENTS])
        table = _table(["window", "ingested", "published", "quarantined"], "state")
        for record in sorted(records, key=lambda one: one.ref.batch)[-WINDOWS:]:
            counts = record.counts
            numbers = (f"{one:,}" for one in (counts.ingested, counts.published, counts.quarantined))
            table.add_row(record.ref.batch, *numbers, _state(record))
        return table


def _table(numbers: Sequence[str], *texts: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in numbers:
        table.add_column(name, justify="left" if name == "window" else "right", no_wrap=True)
    for name in texts:
        table.add_column(name, no_wrap=True)
    return table


def _quantiles(numbers: Mapping[str, float]) -> str:
    half, most = (numbers.get(f"published_within_seconds{share}") for share in ("0.5", "0.99"))
    return f"p50 {half:.1f} s, p99 {most:.1f} s" if half is not None and most is not None else "–"


def _state(record: BatchRecord) -> Text:
    """What became of a window, as an operator reads it."""
    match record.state:
        case BatchState.OPEN:
            return Text("open", style="cyan")
        case BatchState.HELD:
            return Text("held", style="red")
        case BatchState.PUBLISHED | BatchState.PARTLY_PUBLISHED:
            return Text("sealed", style="green")
        case other:
            return Text(other.value.replace("_", " "))


class Ended(Exception):  # noqa: N818  # somebody wants it so
    """Ctrl-C, or another signal that ends."""


def _end(*_: object) -> None:
    raise Ended


def watch(running: Live, port: int, *, rate: float, seconds: float, console: Console) -> None:
    """Show how it is: once a second on a terminal, else every ten seconds."""
    settings = Settings.model_validate({
        "landing": running.environment["READINESS_LANDING"],
        "warehouse": running.environment["READINESS_WAREHOUSE"],
    })  # fmt: skip
    shown = Watch(rate, port, Installation.open(settings))
    ends = time.monotonic() + seconds
    if console.is_terminal:
        with LiveDisplay(shown.show(), console=console, auto_refresh=False, screen=False) as display:
            while time.monotonic() < ends and _runs(running):
                time.sleep(1)
                display.update(shown.show(), refresh=True)
        return
    while time.monotonic() < ends and _runs(running):
        for _ in range(_RATE_OVER):
            time.sleep(min(1, max(ends - time.monotonic(), 0)))
            shown.look()
        console.print(f"{utc_now():%H:%M:%S}", shown.show(), "", sep="\n")


def _runs(running: Live) -> bool:
    return running.processes["reader"].poll() is None


def main() -> None:
    """Show a stream until somebody ends it; the exit code is 1 where the reader ended by itself."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=200, help="events a second")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so long")
    parser.add_argument("--port", type=int, default=0, help="where the reader answers; any that is free by default")
    parser.add_argument("--keep", type=Path, help="keep broker, tables and logs in this folder, to look at them later")
    said = parser.parse_args()
    console = Console(width=min(shutil.get_terminal_size((_WIDTH, 24)).columns, 120))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    failed = False
    with tempfile.TemporaryDirectory(prefix="readiness-stream-") as scratch:
        folder = (said.keep or Path(scratch)).resolve()
        try:
            console.print("starting a broker, and bringing in the registers of customers and merchants …")
            with live(folder) as running:
                port = said.port or free_port()
                running.read(port)
                wait_for_reader(running, port)
                running.generate(rate=said.rate, partitions=4)
                try:
                    watch(running, port, rate=said.rate, seconds=said.seconds, console=console)
                finally:
                    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                        signal.signal(number, signal.SIG_IGN)
                    console.print("ending: the slice under way is finished first …")
                    failed = not _runs(running)
                    running.stop("generator")
                    running.stop("reader")
                    console.print(running.log("reader").strip().rpartition("\n")[2])
        except Ended:
            pass
    sys.exit(failed)


if __name__ == "__main__":
    main()
