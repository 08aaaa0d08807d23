"""A real HTTP endpoint that keeps what it is sent, and may refuse it, or what is too long."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Endpoint:
    """What came in, in order."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.down = False
        self.refusal = 503
        self.most_characters: int | None = None
        self.url = ""

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.received]


@contextmanager
def listening() -> Iterator[Endpoint]:
    """An endpoint on a free port of this machine."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            message = json.loads(body)
            refused = endpoint.down or len(message.get("text", "")) > (endpoint.most_characters or 1_000_000)
            if not refused:
                endpoint.received.append(message)
            self.send_response(endpoint.refusal if refused else 200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint.url = f"json://127.0.0.1:{server.server_address[1]}"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
