"""An object store that answers late, refuses, or ends the connection within an answer."""

import random
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from readiness_pipelines_tests.faults.schedules import FaultyStore
from readiness_pipelines_tests.stores import s3_http_server

SLOW_SECONDS = 0.2


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


def _cut(body: bytes, connection: socket.socket) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    connection.shutdown(socket.SHUT_RDWR)
