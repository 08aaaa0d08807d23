"""Requests to the application, without a socket."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from readiness_pipelines.serving.app import Service, build_app


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def value(self) -> Any:
        """The body, as JSON."""
        return json.loads(self.text)

    @property
    def error(self) -> Any:
        """The error, which has its three parts."""
        error = self.value["error"]
        assert set(error) == {"code", "what", "way_out"}
        assert all(error.values())
        return error


def ask(
    service: Service,
    path: str,
    body: Any = None,
    *,
    method: str = "POST",
    token: str = "",
    kind: str = "application/json",
    pieces: int = 1,
    pause: float = 0,
) -> Reply:
    """Send a request: a value is sent as JSON, bytes as they are, in pieces, with pauses between them."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    size = -(-len(raw) // pieces) or 1
    parts = [raw[start : start + size] for start in range(0, len(raw), size)] or [b""]
    address, _, query = path.partition("?")
    headers = [(b"content-type", kind.encode())]
    headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
    headers += [(b"content-length", str(len(raw)).encode())] if pieces == 1 else []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": address,
        "raw_path": address.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
    }
    sent: list[Any] = []

    async def receive() -> Any:
        if pause:
            await asyncio.sleep(pause)
        part = parts.pop(0) if parts else b""
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(build_app(service)(scope, receive, send))
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:]).decode())
