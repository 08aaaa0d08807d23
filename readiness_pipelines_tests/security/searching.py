"""Where a planted value could have gone: everything that a command said, a page showed, or that was written."""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, text
from starlette.testclient import TestClient

from readiness_pipelines.contracts import Domain
from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings
from readiness_pipelines.web.app import build_app
from readiness_pipelines.web.site import Site
from readiness_pipelines_tests.alerts.endpoint import Endpoint
from readiness_pipelines_tests.cli.calling import RUNNER

MARK = re.compile(rb"zq\d\dqx|91827364\d\d|1907-0[12]-\d\d", re.IGNORECASE)
ERASABLE = "ledger_decision_values"
"""The one table outside the lakehouse that holds values: those that decisions name, where they can be erased."""


@dataclass
class Searched:
    """What was found, by the door that it left by, and how much was looked through."""

    found: dict[str, set[str]] = field(default_factory=dict)
    doors: dict[str, int] = field(default_factory=dict)

    def look(self, door: str, content: bytes | str) -> None:
        content = content.encode() if isinstance(content, str) else content
        kind = door.partition(":")[0]
        self.doors[kind] = self.doors.get(kind, 0) + len(content)
        if marks := {one.decode() for one in MARK.findall(content)}:
            self.found.setdefault(door, set()).update(marks)


def browser_of(domain: Domain) -> TestClient:
    """The web page over a domain, as somebody who is not proved sees it."""
    settings = Settings()
    site = Site(
        settings=settings,
        domains=(domain,),
        installation=Installation.open(settings),
        start_replay=lambda _number: None,
        hosts=frozenset({"testserver"}),
        patience=60,
    )
    return TestClient(build_app(site))


def call(searched: Searched, *arguments: str) -> str:
    """What a command says, whatever its exit code; it is searched."""
    result = RUNNER.invoke(_app(), list(arguments))
    said: str = result.output + (f"{result.exception!r}" if result.exception else "")
    searched.look(f"command line: {' '.join(arguments)}", said)
    return said


def _app() -> Any:
    from readiness_pipelines.cli.main import app  # noqa: PLC0415  # settings are read when a command runs

    return app


def search(project: Path, searched: Searched, endpoint: Endpoint | None = None) -> None:
    """Everything outside the lakehouse's tables and the landing folder."""
    if endpoint is not None:
        searched.look("messages", json.dumps(endpoint.received))
    url = os.environ["READINESS_CATALOG_URL"]
    engine = create_engine(url)
    with engine.connect() as connection:
        for name in inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{name}"')).fetchall():
                if name != ERASABLE:
                    searched.look(f"ledger: {name}", repr(tuple(row)))
    engine.dispose()
    for file in project.rglob("*"):
        inside = file.relative_to(project).parts
        # The ledger's file is searched row by row above: it has the erasable table, too.
        if (
            file.is_file()
            and inside[0] not in ("landing", "warehouse", "brokers")
            and not inside[0].startswith("ledger.db")
        ):
            searched.look(f"files: {file.relative_to(project)}", file.read_bytes())
