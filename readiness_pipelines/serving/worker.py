"""One process that answers: it loads the gates, says that it is ready, and answers at a socket that it was given."""

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn

from readiness_pipelines.delivery.online.columns import online_views
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.installation import Installation
from readiness_pipelines.serving.answers import as_bytes, error_value
from readiness_pipelines.serving.app import Service, build_app
from readiness_pipelines.serving.features import Features
from readiness_pipelines.serving.files import code_files
from readiness_pipelines.serving.references import References
from readiness_pipelines.serving.sampling import Sample
from readiness_pipelines.serving.tables import ServedTable, served_tables
from readiness_pipelines.serving.tokens import Tokens
from readiness_pipelines.settings import Settings

DRAIN_SECONDS = 10
"""How long requests under way may take when the process is to end."""
_LAST_SECONDS = 0.2
"""A connection that was taken in the last moment has sent nothing yet: its request is waited for."""
_MOST_CONNECTIONS = 2_000
_SWITCH_SECONDS = 0.001
"""How long a thread that reads reference tables may keep an answer waiting."""
_OBJECTS_BETWEEN_LOOKS = 50_000
_LOOK_SECONDS = 1.0

LOG = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Closes the connections that it has a moment after it takes no more: one that has just come is answered."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await asyncio.sleep(_LAST_SECONDS)
        await super().shutdown(sockets)


def main(listening: int, ready: int, generation: int, status: Path) -> None:
    """Answer until SIGTERM.

    Args:
        listening: File descriptor of the socket.
        ready: File descriptor to write to, once: what was loaded, or why nothing was.
        generation: Which loading of the code this is.
        status: A file that says what became of later ones.
    """
    warnings.simplefilter("ignore")
    try:
        service, refreshing = _load(generation, status)
    except ReadinessError as error:
        _say(ready, error_value(error))
        sys.exit(1)
    app = build_app(service)
    if refreshing is not None:
        refreshing.start()
    sys.setswitchinterval(_SWITCH_SECONDS)
    # What is loaded stays: looking through it for garbage would keep answers waiting.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    gates = {name: one.version for name, one in service.tables.items()}
    files = code_files([Settings().config])
    # Uvicorn sends itself the signal again when it has ended; there is something to be done after it.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    _say(ready, {"gates": gates, "files": files})
    _Server(config).run(sockets=[socket.socket(fileno=listening)])
    service.sample.close()


def _load(generation: int, status: Path) -> tuple[Service, threading.Thread | None]:
    settings = Settings()
    serve = settings.serve
    domains = load_domains(settings)
    tables, views = served_tables(domains), online_views(domains)
    for one in tables.values():
        _warm(one)
    references = References(tables.values(), most_rows=serve.most_reference_rows)
    refreshing = None
    installation = Installation.open(settings) if references.needed or views else None
    if installation is not None and references.needed:
        references.refresh(installation)
        refreshing = threading.Thread(
            target=_refresh, args=(references, installation, serve.refresh.total_seconds()), daemon=True
        )
    supervisor = os.getppid()
    service = Service(
        tables=tables,
        serve=serve,
        limits=settings.limits,
        tokens=Tokens(serve.tokens),
        references=references,
        features=Features(views, installation, most_seconds=serve.most_seconds),
        sample=Sample(serve.sample, serve.sample_to),
        reload=lambda: os.kill(supervisor, signal.SIGHUP),
        status=lambda: {"generation": generation, **_status(status)},
    )
    return service, refreshing


def _end_with(supervisor: int) -> None:
    """End when the process above is gone: nothing would end this one any more."""
    while os.getppid() == supervisor:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _warm(served: ServedTable) -> None:
    """Judge a record without values: what is imported and compiled late is there before the first that counts."""
    names = [column.name for column in served.gate.spec.columns if not column.pattern]
    try:
        served.gate.check_json(json.dumps(dict.fromkeys(names)))
    except Exception:  # a check that cannot be evaluated says so to who asks
        LOG.warning("the gate of %s could not be tried on a record without values", served.name)


def _refresh(references: References, installation: Installation, seconds: float) -> None:
    pause = threading.Event()
    while not pause.wait(seconds):
        try:
            references.refresh(installation)
        except Exception as error:  # a database that is away: what was read grows older, and says so
            LOG.warning("reference tables could not be read: %s", type(error).__name__)


def _status(file: Path) -> Mapping[str, Any]:
    """What became of later loadings of the code: an error, where the newest could not be loaded."""
    try:
        found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8") or "{}")
    except (OSError, ValueError):
        return {}
    return found


def _say(ready: int, value: Any) -> None:
    with os.fdopen(ready, "wb") as pipe:
        pipe.write(as_bytes(value) + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
