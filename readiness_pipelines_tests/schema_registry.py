"""A schema registry that tests start in their own process: the part of Confluent's API that readers use."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread
from typing import Any
from urllib.parse import unquote

import fastavro


@dataclass
class Registry:
    """Schemas by id; `down` is the HTTP status of an outage."""

    schemas: dict[int, dict[str, Any]] = field(default_factory=dict)
    subjects: dict[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    down: int = 0
    password: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, schema: object, **other: object) -> int:
        """Register a schema; gives its id."""
        number = 101 + len(self.schemas)
        self.schemas[number] = {"schema": json.dumps(schema), **other}
        return number

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        self.calls.append(path)
        if self.down:
            return self.down, {"error_code": self.down}
        wanted = base64.b64encode(f"reader:{self.password}".encode()).decode()
        if self.password and authorization != f"Basic {wanted}":
            return 401, {"error_code": 401}
        match [unquote(part) for part in path.strip("/").split("/")]:
            case ["schemas", "ids", number] if int(number) in self.schemas:
                return 200, self.schemas[int(number)]
            case ["subjects", subject, "versions", "1"] if subject in self.subjects:
                return 200, {"subject": subject, "version": 1, **self.schemas[self.subjects[subject]]}
            case ["schemas", "ids", _] | ["subjects", _, "versions", _]:
                return 404, {"error_code": 40403, "message": "not found"}
            case _:
                return 404, {"error_code": 404}


@contextmanager
def registry() -> Iterator[Registry]:
    """A registry that runs as long as the block."""
    one = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, said = one.answer(self.path, self.headers.get("Authorization", ""))
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    one.port = server.server_address[1]
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()


def framed(number: int, schema: Any, record: Any) -> bytes:
    """A record as Confluent's clients write it."""
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return b"\0" + number.to_bytes(4, "big") + out.getvalue()
