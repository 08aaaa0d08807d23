"""How fast `readiness serve` answers: the largest rate, and the latency at half of it, beside Starlette with pydantic.

``python -m readiness_pipelines_tests.benchmarks.serving --seconds 30 --long 300``
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop
from rich.console import Console
from rich.table import Table

from readiness_pipelines_tests.benchmarks.serving_gate import RECORD

CONNECTIONS = 16
GATE = "/gates/bank.payments/check"
_TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Measured:
    """What some seconds of requests took."""

    what: str
    rate: float = 0
    seconds: list[float] = field(default_factory=list)
    processor: float = 0
    failed: int = 0

    def row(self) -> tuple[str, ...]:
        """The figures, in milliseconds."""
        cuts = statistics.quantiles(self.seconds, n=1_000)
        shown = [cuts[499], cuts[989], cuts[998], max(self.seconds)]
        return (
            self.what,
            f"{self.rate:,.0f}",
            *(f"{one * 1_000:.2f}" for one in shown),
            f"{self.processor * 1_000:.3f}",
            str(self.failed),
        )


class _Connection(asyncio.Protocol):
    """One connection, one request at a time: as lean as a client can be, since it takes the same processors."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[bytes] | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is of no class of asyncio's

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, body = self._read.partition(b"\r\n\r\n")
        if not end:
            return
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if length and len(body) >= int(length[1]):
            answer, self._read = self._read, b""
            if self.answered and not self.answered.done():
                self.answered.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.answered and not self.answered.done():
            self.answered.set_exception(exc or ConnectionError("closed"))

    async def ask(self, request: bytes) -> bytes:
        """Send a request, and wait for the answer."""
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answered


async def load(port: int, path: str, *, seconds: float, rate: float, pids: list[int], what: str) -> Measured:
    """Ask for some seconds: at a rate, each latency from when the request was due; or as fast as it answers (0)."""
    body = json.dumps(RECORD).encode()
    request = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    loop = asyncio.get_running_loop()
    connections = [(await loop.create_connection(_Connection, "127.0.0.1", port))[1] for _ in range(CONNECTIONS)]
    measured = Measured(what)
    for connection in connections:
        assert b'"passed":true' in await connection.ask(request)
    due = iter(range(1 << 62))
    before, began = _processor(pids), time.perf_counter()

    async def one_after_the_other(connection: _Connection) -> None:
        while True:
            at = began + next(due) / rate if rate else time.perf_counter()
            if at - began > seconds:
                return
            if (wait := at - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            try:
                answer = await connection.ask(request)
            except OSError:
                measured.failed += 1
                return
            measured.seconds.append(time.perf_counter() - at)
            measured.failed += b'"passed":true' not in answer
            if time.perf_counter() - began > seconds + 5:
                return

    await asyncio.gather(*map(one_after_the_other, connections))
    took = time.perf_counter() - began
    measured.rate = len(measured.seconds) / took
    measured.processor = (_processor(pids) - before) / len(measured.seconds)
    for connection in connections:
        connection.transport.close()
    return measured


def _processor(pids: list[int]) -> float:
    """Seconds of processor time that processes have taken."""
    total = 0
    for pid in pids:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(parts[11]) + int(parts[12])
    return total / _TICKS


@contextmanager
def serving(command: list[str], folder: str, line: str) -> Iterator[tuple[int, list[int]]]:
    """A server: its port, and its processes."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert process.stdout is not None
        for said in process.stdout:
            if found := re.search(line, said):
                break
        else:
            raise RuntimeError("it did not start")
        time.sleep(1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield int(found[1]), [process.pid, *map(int, children)]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def gates(workers: int) -> Iterator[tuple[int, list[int]]]:
    """`readiness serve`."""
    with tempfile.TemporaryDirectory() as folder:
        where = "readiness_pipelines_tests.benchmarks.serving_gate:bank"
        Path(folder, "readiness.toml").write_text(f'[settings]\ndomains = ["{where}"]\n')
        start = "from readiness_pipelines.cli.main import main; main()"
        command = [sys.executable, "-W", "ignore", "-c", start, "serve", "--port", "0", "--workers", str(workers)]
        with serving([*command, "--watch", "0"], folder, r"gates at .*:(\d+)") as found:
            yield found


@contextmanager
def peers() -> Iterator[tuple[int, list[int]]]:
    """Starlette on uvicorn, with the settings that the gates are served with."""
    app = "readiness_pipelines_tests.benchmarks.serving_gate:peers"
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "uvicorn",
        app,
        "--port",
        "0",
        "--no-access-log",
        "--lifespan",
        "off",
    ]
    with tempfile.TemporaryDirectory() as folder, serving(command, folder, r"running on .*:(\d+)") as found:
        yield found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument(
        "--long", type=float, default=0, help="seconds at half the largest rate, one process; 0 for none"
    )
    given = parser.parse_args()
    rows: list[Measured] = []

    def measure(port: int, pids: list[int], path: str, what: str, *, long: float = 0) -> None:
        def run(seconds: float, rate: float, how: str) -> Measured:
            name = f"{what}, {how}"
            return uvloop.run(load(port, path, seconds=seconds, rate=rate, pids=pids, what=name))

        run(2, 0, "warm")
        rows.append(run(given.seconds, 0, "as fast as it answers"))
        half = rows[-1].rate / 2
        rows.append(run(given.seconds, half, "at half that rate"))
        if long:
            rows.append(run(long, half, f"at half that rate for {long:g} s"))

    began = os.getloadavg()
    for workers in (1, 2):
        with gates(workers) as (port, pids):
            long = given.long if workers == 1 else 0
            measure(port, pids, GATE, f"readiness serve, {workers} process{'es'[: 2 * (workers > 1)]}", long=long)
    with peers() as (port, pids):
        measure(port, pids, "/pydantic", "Starlette and pydantic, 1 process")
        measure(port, pids, "/nothing", "Starlette, JSON alone, 1 process")
    table = Table("what", "a second", "p50 ms", "p99 ms", "p99.9 ms", "worst ms", "processor ms", "failed")
    for row in rows:
        table.add_row(*row.row())
    console = Console(width=150)
    console.print(table)
    console.print(
        f"{os.cpu_count()} processors, for the client, too; "
        f"load average {began[0]:.1f} before, {os.getloadavg()[0]:.1f} after"
    )


if __name__ == "__main__":
    main()
