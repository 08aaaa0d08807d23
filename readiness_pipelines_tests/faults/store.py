"""An object store that answers late, refuses, or ends the connection within an answer."""

import itertools
import random
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from readiness_pipelines_tests.faults.schedules import FaultyStore
from readiness_pipelines_tests.stores import s3_http_server

SLOW_SECONDS = 0.2
HANGS_SECONDS = 8
"""Longer than Arrow's driver waits for an answer."""


@contextmanager
def faulty_store(strike: FaultyStore, seed: int) -> Iterator[None]:
    """Let this process's S3 server answer so, for a while."""
    server = s3_http_server()
    sound = server.app
    server.app = _faulty(sound, strike, random.Random(seed))
    try:
        yield
    finally:
        server.app = sound


def _faulty(sound: Callable[..., Iterable[bytes]], strike: FaultyStore, chance: random.Random) -> Any:
    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if chance.random() * 100 >= strike.percent:
            return sound(environ, start)
        match strike.how:
            case "slow":
                time.sleep(SLOW_SECONDS)
                return sound(environ, start)
            case "busy":
                start("503 Slow Down", [("Content-Type", "application/xml")])
                return [b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"]
            case "cut":
                # The request was carried out: whoever asks again asks a second time.
                return _cut(b"".join(sound(environ, start)), environ["werkzeug.socket"])

    return answer


@contextmanager
def failing_store(how: str, nth: int, *, lasts: bool) -> Iterator[list[str]]:
    """Let the n-th request to this process's S3 server fail, and where it lasts, all after it; notes what failed."""
    server = s3_http_server()
    sound, count, failed = server.app, itertools.count(1), []

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        number = next(count)
        if number < nth or (number > nth and not lasts):
            return sound(environ, start)
        failed.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return _failed(how, sound, environ, start)

    server.app = answer
    try:
        yield failed
    finally:
        server.app = sound


def _failed(
    how: str, sound: Callable[..., Iterable[bytes]], environ: dict[str, Any], start: Callable[..., Any]
) -> Iterable[bytes]:
    match how:
        case "busy":
            start("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"]
        case "missing":
            start("404 Not Found", [("Content-Type", "application/xml")])
            return [b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"]
        case "short":
            # All that was asked for by its length, without its second half: what follows is another answer's.
            body = b"".join(sound(environ, lambda *_: None))
            start("200 OK", [("Content-Length", str(len(body) // 2))])
            return [body[: len(body) // 2]]
        case "hangs":
            time.sleep(HANGS_SECONDS)
            return sound(environ, start)
        case _:
            return _cut(b"".join(sound(environ, start)), environ["werkzeug.socket"])


def _cut(body: bytes, connection: socket.socket) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    connection.shutdown(socket.SHUT_RDWR)
