"""What a request asks: its body, read no further than is allowed, as records."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness_pipelines.errors import RequestRefusedError
from readiness_pipelines.gates.record.json_records import read_record
from readiness_pipelines.limits import Limits
from readiness_pipelines.serve_settings import Serve
from readiness_pipelines.sources.json_values import NestingError, RepeatedKeyError, check_nesting, parse_json

Receive = Callable[[], Awaitable[Any]]

LINES = ("application/x-ndjson", "application/jsonl", "application/json-lines")
"""Types of bodies that are records line by line."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The records of a request: each an object, or why it is none; and whether it was one alone."""

    records: Sequence[Mapping[str, Any] | str]
    alone: bool


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], serve: Serve) -> bytes:
    """The body of a request.

    Raises:
        RequestRefusedError: It is too large, takes too long, or whoever sent it has gone.
    """
    most = serve.most_body_kb * 1_024
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > len(str(most)) or int(declared) > most):
        raise _too_large(serve)
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(serve.most_seconds):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestRefusedError(400, "whoever asked has gone", way_out="ask again")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > most:
                    raise _too_large(serve)
                more = message.get("more_body", False)
    except TimeoutError:
        raise RequestRefusedError(
            408,
            f"the body took longer than {serve.most_seconds:g} s to arrive",
            way_out="ask again, with fewer records",
        ) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(serve: Serve) -> RequestRefusedError:
    return RequestRefusedError(
        413,
        f"the body is larger than {serve.most_body_kb:,} kB",
        way_out="send fewer records at once (serve.most_body_kb)",
    )


def parse_body(body: bytes, kind: str, serve: Serve, limits: Limits) -> Asked:
    """The records of a body: one object, an array of them, or one a line.

    Raises:
        RequestRefusedError: It is none of these, or has too many.
        RecordRefusedError: A line is too large.
    """
    if kind in LINES:
        lines = [line for line in body.split(b"\n") if line.strip()]
        _check_count(len(lines), serve)
        return Asked([read_record(line, limits) for line in lines], alone=False)
    try:
        # The array is a level of its own.
        value = parse_json(body.decode("utf-8-sig"), most_nesting=limits.most_nesting + 1)
        if isinstance(value, dict):
            check_nesting(value, limits.most_nesting)
    except (UnicodeDecodeError, json.JSONDecodeError, RepeatedKeyError, NestingError) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise RequestRefusedError(
            400, f"the body cannot be read as JSON: {why}", way_out="send an object, or an array of objects"
        ) from None
    if isinstance(value, dict):
        return Asked([value], alone=True)
    if not isinstance(value, list):
        raise RequestRefusedError(
            400, "the body is neither an object nor an array", way_out="send an object, or an array of objects"
        )
    _check_count(len(value), serve)
    return Asked([one if isinstance(one, dict) else "it is not a JSON object" for one in value], alone=False)


def _check_count(records: int, serve: Serve) -> None:
    if records > serve.most_records:
        raise RequestRefusedError(
            413,
            f"the request has {records:,} records, more than {serve.most_records:,}",
            way_out="send fewer records at once (serve.most_records)",
        )
