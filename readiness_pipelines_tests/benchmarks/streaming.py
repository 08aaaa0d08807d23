"""What a stream costs: ``python -m readiness_pipelines_tests.benchmarks.streaming --part latency rate commits seal``.

- ``latency``: from a message being sent to published, at commits every 1, 5 and 10 seconds, for a rate.
- ``rate``: whether rates are kept up with for some minutes: the lag at the end, and the latency.
- ``commits``: what a slice costs as thousands of them accumulate.
- ``seal``: time and peak memory of the seal of one window of a million rows.

All with generated card payments, whose gate has pseudonyms, references and a key, and a broker on the same machine.
Each result is a line of JSON in the results file as soon as it is there.
"""

import argparse
import json
import multiprocessing
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from rich.console import Console
from rich.table import Table

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.sealing import Sealer
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import do_work, due_work
from readiness_pipelines.examples.card_stream import TOPIC, card_stream, payments
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.settings import Settings
from readiness_pipelines.sources import Topic
from readiness_pipelines.streaming import KafkaMessages, Progress, Shard, position_of, read_shard
from readiness_pipelines.streaming.points import Point, Step
from readiness_pipelines_tests.brokers import QUIET
from readiness_pipelines_tests.streaming.live_processes import Live, live

PARTITIONS = 4
CONSOLE = Console(stderr=True)


class Bench:
    """One running broker and installation, and where results go.

    Args:
        running: The broker and the generator.
        results: The results file.
    """

    def __init__(self, running: Live, results: Path) -> None:
        self.running, self._results = running, results
        os.environ.update(running.environment)
        self.installation = Installation.open(Settings())
        self.progress = Progress("card_stream.payments", "0/1")

    def write(self, part: str, **figures: object) -> None:
        """Keep a result, and show it."""
        beside = {"load": round(os.getloadavg()[0], 1), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        line = {"part": part, **figures, **beside}
        with self._results.open("a") as file:
            file.write(json.dumps(line) + "\n")
        CONSOLE.print(line)

    def read(
        self,
        stop: Callable[[], bool],
        *,
        run: Run | None = None,
        step: Step = lambda _: None,
        seals: bool = False,
        **topic: Any,
    ) -> Progress:
        """Read the topic until it is to stop, with some other fields of `Topic`."""
        table = _with(payments, **topic)
        reader = table.source.reader
        assert isinstance(reader, Topic)
        self.progress = Progress(str(table.id), "0/1")
        said = run or Run(who="bench")
        sealer = Sealer(payments, self.installation, said)
        kafka = KafkaMessages(reader, self.running.broker.options, "bench")
        shown = time.monotonic()

        def beat() -> None:
            nonlocal shown
            if seals:
                sealer.look()
            self.forget_read()
            took = time.monotonic() - shown
            CONSOLE.print(
                f"  {self.progress.records:>12,} messages, {self.progress.slices:>6,} slices, lag {self.progress.lag}, "
                f"p99 {self.progress.latencies.recent_quantile(0.99) or 0:.1f} s, {took:.0f} s since",
                style="dim",
            )
            shown = time.monotonic()

        read_shard(
            table,
            Shard(),
            source=kafka,
            installation=self.installation,
            run=said,
            stop=stop,
            progress=self.progress,
            each_beat=beat,
            step=step,
        )
        sealer.wait()
        return self.progress

    def positions(self) -> Mapping[int, int]:
        """Up to where each partition is read."""
        properties = self.installation.lakehouse.properties(payments.id.raw)
        found = {one: position_of(properties, one) for one in range(PARTITIONS)}
        return {one: position.end for one, position in found.items() if position is not None}

    def forget_read(self) -> None:
        """Let the broker forget what is read, as retention does: this one keeps messages in memory."""
        ends = [TopicPartition(TOPIC, *one) for one in self.positions().items()]
        AdminClient({**self.running.broker.options, **QUIET}).delete_records(ends)

    def preload(self, records: int) -> None:
        """Send messages before anything is read."""
        command = [sys.executable, "-W", "ignore", "-m", "readiness_pipelines_tests.streaming.card_events"]
        command += ["--address", self.running.broker.address, "--topic", TOPIC, "--rate", "40000"]
        CONSOLE.print(f"  sending {records:,} messages first", style="dim")
        subprocess.run([*command, "--partitions", str(PARTITIONS), "--records", str(records)], check=True)


def _with(table: GatedTable, **topic: Any) -> GatedTable:
    """A table whose topic has other fields."""
    reader = table.source.reader
    assert isinstance(reader, Topic)
    source = table.source.model_copy(update={"reader": reader.model_copy(update=topic)})
    return replace(table, source=source)


def _for(seconds: float) -> Callable[[], bool]:
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() > ends


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def paced(bench: Bench, part: str, *, rate: float, every: float, seconds: float, records: int = 200_000) -> None:
    """Read what is sent at a rate; then say how late it was, and what was left."""
    CONSOLE.print(f"{part}: {rate:,.0f} a second, commits every {every:g} s, {seconds:,.0f} s")
    bench.running.generate(rate=rate, partitions=PARTITIONS)
    began, before = time.monotonic(), _processor()
    progress = bench.read(
        _for(seconds), seals=True, slice_every=timedelta(seconds=every), slice_records=records, slice_mb=256
    )
    took, used = time.monotonic() - began, _processor() - before
    bench.running.stop("generator")
    sent = json.loads(bench.running.log("generator").strip().rpartition("\n")[2])
    p50, p99 = progress.latencies.quantile(0.5), progress.latencies.quantile(0.99)
    late = progress.latencies.recent_quantile(0.99)
    bench.write(
        part,
        rate=rate,
        every=every,
        seconds=round(took),
        records=progress.records,
        slices=progress.slices,
        rows_a_second=round(progress.records / took),
        p50=round(p50 or 0, 2),
        p99=round(p99 or 0, 2),
        p99_at_the_end=round(late or 0, 2),
        left=sent["sent"] - progress.records,
        slice_seconds=round(progress.slice_seconds / max(progress.slices, 1), 3),
        records_a_processor_second=round(progress.records / used),
    )
    bench.read(_nothing_left(bench))  # the next one begins with nothing left


def _nothing_left(bench: Bench) -> Callable[[], bool]:
    """Whether nothing came for two seconds."""
    seen, since = -1, time.monotonic()

    def stop() -> bool:
        nonlocal seen, since
        if bench.progress.records != seen:
            seen, since = bench.progress.records, time.monotonic()
        return time.monotonic() - since > 2

    return stop


def commits(bench: Bench, *, slices: int, records: int, group: int = 100) -> None:
    """Read slices of a size as fast as it goes; then say what one took, by the hundred."""
    CONSOLE.print(f"commits: {slices:,} slices of {records:,}")
    bench.preload(slices * records)
    marks: list[tuple[float, Point]] = []
    cpu: list[float] = []

    def step(point: Point) -> None:
        marks.append((time.monotonic(), point))
        if point is Point.TAKEN:
            cpu.append(_processor())

    bench.read(lambda: len(cpu) >= slices, step=step, slice_records=records, slice_every=timedelta(seconds=1))
    taken = [at for at, point in marks if point is Point.TAKEN]
    stages: dict[Point, list[float]] = {point: [] for point in Point if point is not Point.TAKEN}
    for (before, _), (at, point) in pairwise(marks):
        if point is not Point.TAKEN:
            stages[point].append(at - before)
    for first in range(0, len(taken) - group, group):
        wall = [after - at for at, after in zip(taken[first:], taken[first + 1 : first + group + 1], strict=False)]
        bench.write(
            "commits",
            slices=f"{first}-{first + group}",
            wall_ms=round(statistics.median(wall) * 1_000),
            processor_ms=round((cpu[first + group] - cpu[first]) / group * 1_000),
            **{
                f"{point.value}_ms": round(statistics.median(values[first : first + group]) * 1_000)
                for point, values in stages.items()
                if values[first : first + group]
            },
        )


def seal(bench: Bench, *, records: int) -> None:
    """Fill one window, then seal it in a process of its own."""
    CONSOLE.print(f"seal: a window of {records:,}")
    bench.preload(records)
    at = datetime.now(UTC) + timedelta(days=1)
    began = time.monotonic()
    bench.read(lambda: bench.progress.records >= records, run=Run(who="bench", clock=lambda: at), slice_records=50_000)
    filled = time.monotonic() - began
    window = bench.progress.window
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_seal, args=(window, (at + timedelta(hours=1)).isoformat(), theirs))
    process.start()
    theirs.close()  # where it fails, nothing is waited for
    seconds, used, peak = ours.recv()
    process.join()
    record = bench.installation.ledger.get(BatchRef(payments.id, window))
    assert record is not None
    bench.write(
        "seal",
        records=records,
        filled_seconds=round(filled, 1),
        seal_seconds=round(seconds, 1),
        seal_processor_seconds=round(used, 1),
        peak_mb=round(peak),
        state=record.state.value,
        published=record.counts.published,
        quarantined=record.counts.quarantined,
    )


def _seal(window: str, at: str, answer: Any) -> None:
    """Seal a window, and compute what follows from it."""
    now = datetime.fromisoformat(at)
    installation, run = Installation.open(Settings()), Run(who="bench", clock=lambda: now)
    began, before = time.monotonic(), _processor()
    for work in due_work([card_stream], installation=installation, now=now):
        if work.batch == window:
            do_work(work, installation=installation, run=run)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    answer.send((time.monotonic() - began, _processor() - before, peak))


def main() -> None:
    """Measure the parts that are named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", nargs="+", choices=["latency", "rate", "commits", "seal"])
    parser.add_argument("--every", nargs="+", type=float, default=[1, 5, 10], help="latency: seconds between commits")
    parser.add_argument("--rate", type=float, default=2_000, help="latency: messages a second")
    parser.add_argument("--seconds", type=float, default=180, help="latency: for so long, each")
    parser.add_argument(
        "--rates", nargs="+", type=float, default=[5_000, 10_000, 20_000], help="rate: messages a second"
    )
    parser.add_argument("--minutes", type=float, default=15, help="rate: for so long, each")
    parser.add_argument("--rate-every", type=float, default=5, help="rate: seconds between commits")
    parser.add_argument("--commits", type=int, default=2_000, help="commits: so many slices")
    parser.add_argument("--slice-records", type=int, default=200, help="commits: messages of a slice")
    parser.add_argument("--window-records", type=int, default=1_000_000, help="seal: messages of the window")
    parser.add_argument("--broker", choices=["noida", "tansu"], default="noida")
    parser.add_argument(
        "--json", type=Path, default=Path("bench-stream.jsonl"), help="the results file; lines are added"
    )
    said = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended
    for part in said.part or ["latency", "rate", "commits", "seal"]:
        with (
            tempfile.TemporaryDirectory(prefix="readiness-bench-") as name,
            live(Path(name), kind=said.broker, partitions=PARTITIONS) as running,
        ):
            bench = Bench(running, said.json)
            match part:
                case "latency":
                    for every in said.every:
                        paced(bench, part, rate=said.rate, every=every, seconds=said.seconds)
                case "rate":
                    for rate in said.rates:
                        paced(bench, part, rate=rate, every=said.rate_every, seconds=said.minutes * 60)
                case "commits":
                    commits(bench, slices=said.commits, records=said.slice_records)
                case _:
                    seal(bench, records=said.window_records)
    show(said.json)


def show(results: Path) -> None:
    """All results of a file, a table for each part."""
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    for part in dict.fromkeys(line["part"] for line in lines):
        mine = [line for line in lines if line["part"] == part]
        table = Table(*(name for name in mine[0] if name not in ("part", "at")), title=part, box=None)
        for line in mine:
            table.add_row(*(str(value) for name, value in line.items() if name not in ("part", "at")))
        Console().print(table)


if __name__ == "__main__":
    main()
