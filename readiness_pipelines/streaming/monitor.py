"""What a running stream says of itself: numbers for Prometheus, and whether it is well."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from readiness_pipelines.installation import utc_now
from readiness_pipelines.streaming.latencies import Latencies

WELL_WITHIN_SECONDS = 60.0
"""A process that has not looked for messages for so long is not well."""


@dataclass(slots=True)
class Progress:
    """How far a shard's process is.

    Attributes:
        table: The table.
        shard: The shard.
        looked_at: When it last looked for messages.
        records: Messages brought into raw.
        slices: Slices that were finished.
        published: Rows that were published.
        quarantined: Rows that wait.
        unreadable: Messages that could not be decoded.
        unjudged: Slices that wait for the seal, because they could not be judged by themselves.
        slice_seconds: How long all slices together took, from the last message to published.
        last_slice_seconds: How long the last one took.
        lag: Messages that are there and not in raw; ``None`` where the brokers did not say.
        window: The window that it adds to.
        watermark: The time up to which events have arrived; ``None`` where nobody knows.
        latencies: How long messages took from being sent to published.
        paused: Why it waits and takes no messages; "" where it does not.
        paused_since: Since when; ``None`` where it does not.
    """

    table: str
    shard: str
    looked_at: datetime = field(default_factory=utc_now)
    records: int = 0
    slices: int = 0
    published: int = 0
    quarantined: int = 0
    unreadable: int = 0
    unjudged: int = 0
    slice_seconds: float = 0.0
    last_slice_seconds: float = 0.0
    lag: int | None = None
    window: str = ""
    watermark: datetime | None = None
    latencies: Latencies = field(default_factory=Latencies)
    paused: str = ""
    paused_since: datetime | None = None

    def pause(self, why: str, at: datetime) -> None:
        """Say that it takes no messages, and why; or that it takes them again."""
        self.paused_since = None if not why else self.paused_since or at
        self.paused = why

    def is_well(self, at: datetime) -> bool:
        """Whether it looked for messages a moment ago."""
        return (at - self.looked_at).total_seconds() <= WELL_WITHIN_SECONDS

    def metrics(self, at: datetime) -> str:
        """The numbers, as Prometheus reads them."""
        labels = f'{{table="{self.table}",shard="{self.shard}"}}'
        lines = []
        for name, kind, text, value in self._numbers(at):
            if value is not None:
                full = f"readiness_stream_{name}"
                lines += [f"# HELP {full} {text}", f"# TYPE {full} {kind}", f"{full}{labels} {value}"]
        name = "readiness_stream_published_within_seconds"
        lines += [f"# HELP {name} From a message being sent to published; quantiles of the last half minute or minute."]
        lines += [f"# TYPE {name} summary"]
        for share in (0.5, 0.99):
            value = self.latencies.recent_quantile(share)
            if value is not None:
                lines.append(f'{name}{labels[:-1]},quantile="{share}"}} {value:.3f}')
        lines += [f"{name}_sum{labels} {self.latencies.seconds:.3f}", f"{name}_count{labels} {self.latencies.count}"]
        return "\n".join(lines) + "\n"

    def _numbers(self, at: datetime) -> Iterator[tuple[str, str, str, float | None]]:
        yield "records_total", "counter", "Messages brought into raw.", self.records
        yield "slices_total", "counter", "Slices that were finished.", self.slices
        yield "published_rows_total", "counter", "Rows that were published.", self.published
        yield "quarantined_rows_total", "counter", "Rows that wait in quarantine.", self.quarantined
        yield "unreadable_total", "counter", "Messages that could not be decoded.", self.unreadable
        yield "unjudged_slices_total", "counter", "Slices that wait for the seal of their window.", self.unjudged
        yield "slice_seconds_total", "counter", "From the last message of slices to published.", self.slice_seconds
        yield (
            "paused",
            "gauge",
            "1 while it takes no messages: a batch is held, say.",
            int(bool(self.paused)),
        )
        yield "last_slice_seconds", "gauge", "The same, of the last slice.", self.last_slice_seconds
        yield "lag_messages", "gauge", "Messages that are there and not in raw.", self.lag
        age = None if self.watermark is None else (at - self.watermark).total_seconds()
        yield "freshness_seconds", "gauge", "Age of the time up to which events have arrived.", age
        yield "looked_seconds", "gauge", "Since it last looked for messages.", (at - self.looked_at).total_seconds()


class Monitor:
    """Serves ``/metrics`` and ``/health`` until it is closed.

    Args:
        progress: What is served.
        host: The address to listen at.
        port: The port; 0 for any that is free.

    Attributes:
        port: The port it listens at.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, progress: Progress, *, host: str = "127.0.0.1", port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # as the standard library names it
                now = utc_now()
                if self.path == "/metrics":
                    self._answer(200, "text/plain; version=0.0.4", progress.metrics(now))
                elif self.path == "/health":
                    well = progress.is_well(now)
                    said: dict[str, Any] = {
                        "well": well,
                        "table": progress.table,
                        "shard": progress.shard,
                        "window": progress.window,
                    }
                    if progress.paused:
                        since = progress.paused_since or now
                        said |= {"paused": progress.paused, "paused_since": since.isoformat()}
                    self._answer(200 if well else 503, "application/json", json.dumps(said))
                else:
                    self._answer(404, "text/plain", "/metrics or /health\n")

            def _answer(self, status: int, kind: str, text: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as the standard library names it
                """Say nothing: it is asked every few seconds."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
