"""Ledgers of older versions as SQL text: written once by the program of that version, migrated by all later ones.

Written anew only for a version that is not released yet: python -m readiness_pipelines_tests.ledger.stored
"""

import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.schema import CreateIndex, CreateTable

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts.readers import Origin
from readiness_pipelines.ledger import (
    ALL_BATCHES,
    AUTOMATIC,
    BatchFinding,
    Finding,
    FindingKind,
    GateRecord,
    Home,
    Ledger,
    Message,
    NoticeKey,
    Severity,
    Snapshots,
    StoredColumn,
    TrailEntry,
)
from readiness_pipelines.ledger.guards import guard
from readiness_pipelines.ledger.tables import APPEND_ONLY, METADATA, SCHEMA_VERSION
from readiness_pipelines.sql import identifier, literal
from readiness_pipelines_tests.databases import Kind, new_postgres_database
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, PAID, REF, a_record

FOLDER = Path(__file__).parent / "stored"
HOUR = timedelta(hours=1)
LATE = Finding(
    kind=FindingKind.FRESHNESS,
    severity=Severity.WARN,
    table=ORDERS,
    batch=None,
    promised="26h",
    seen="nothing",
    since=NOW - HOUR,
    at_risk=("refund_rate",),
)


def load(kind: Kind, version: int, url: str) -> None:
    """Put a stored ledger of a version into an empty database."""
    script = (FOLDER / f"v{version}.{kind}.sql").read_text(encoding="utf-8")
    if kind == "sqlite":
        with closing(sqlite3.connect(str(make_url(url).database))) as connection:
            connection.executescript(script)
        return
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(script.replace("%", "%%"))
    engine.dispose()


def fill(ledger: Ledger) -> None:
    """Write something of every subject."""
    raw, paid, day_2 = BatchRef(ORDERS.raw, "day_1"), BatchRef(PAID, "day_1"), BatchRef(ORDERS, "day_2")
    ingested = replace(
        a_record(BatchState.INGESTED, raw),
        origins=(Origin(name="orders/day_1/a.csv", fingerprint="00ff", bytes=42, arrived_at=NOW - HOUR),),
        columns=(StoredColumn(name="Order ID", type="string", stored="order_id"),),
        snapshots=Snapshots(raw=2**62),
    )
    ledger.claim(ORDERS, Home("shop.tables", "ann", "Shop export"), at=NOW)
    ledger.accept_shape(ORDERS, {"Order ID": "string"}, who=AUTOMATIC, why="first seen", at=NOW, batch="day_1")
    ledger.record(ingested, what="ingested", who="me")
    ledger.remember_gate(ORDERS, GateRecord(version="g1", declaration={"rules": ["a"]}, first_used_at=NOW))
    ledger.begin(REF, attempt="1", run_id="r1", who="me", at=NOW)
    volume = BatchFinding(kind=FindingKind.VOLUME, measured="rows", column=None, promised="9 rows", seen="3 rows")
    partly = replace(
        a_record(BatchState.PARTLY_PUBLISHED), attempt="1", run_id="r1", inputs={ORDERS.raw: {"day_1": 2**62}}
    )
    ledger.record(partly, what="partly_published", who="me", found={FindingKind.VOLUME: [volume]})
    derived = replace(a_record(BatchState.PUBLISHED, paid), inputs={ORDERS: {ALL_BATCHES: 7}}, newest_event_at=NOW)
    ledger.record(derived, what="published", who="me")
    ledger.record(a_record(BatchState.HELD, day_2), what="held", who="me", why="too many")
    ledger.begin(day_2, attempt="2", run_id="r2", who="me", at=NOW)
    ledger.fail(day_2, attempt="2", at=NOW, error="it's 100 % broken: disk full")
    content: dict[str, Any] = {"kind": "discard", "where": "a = 'x'"}
    kept = ledger.decide(day_2, verb="discard", content=content, text="rows where a", who="ann", why="known", at=NOW)
    content = {"kind": "undo", "decision": kept.id}
    ledger.decide(
        day_2, verb="undo", content=content, text="decision 1", who="bob", why="no", at=NOW + HOUR, undoes=kept.id
    )
    ledger.request_replay(day_2, who="ann", why="mended", at=NOW)
    book = ledger.incidents
    book.look([LATE], tables=[ORDERS], at=NOW)
    told = (NoticeKey(incident=1, what="open"),)
    book.write([Message(channel="mail", title="late", body="shop.orders is late", notices=told, written_at=NOW)])
    book.silence("shop.*", begins_at=NOW, ends_at=NOW + HOUR, who="ann", why="migration")
    book.looked({ORDERS: "late", PAID: "fresh"}, at=NOW)


def _without_digest(entry: TrailEntry) -> TrailEntry:
    """An entry without the digest of the record: older versions kept none."""
    return replace(entry, details={name: one for name, one in entry.details.items() if name != "record"})


def contents(ledger: Ledger) -> dict[str, Any]:
    """All that a ledger says."""
    refs = [record.ref for record in ledger.batches()]
    return {
        "batches": ledger.batches(),
        "trail": tuple(map(_without_digest, ledger.trail())),
        "decisions": [ledger.decisions(ref) for ref in refs],
        "requests": ledger.replay_requests(),
        "gates": ledger.gates(ORDERS),
        "shapes": ledger.shapes(ORDERS),
        "claims": ledger.claims(),
        "attempts": ledger.recorded_attempts(ORDERS),
        "publications": ledger.publications(),
        "findings": ledger.findings.of(),
        "incidents": ledger.incidents.incidents(),
        "events": ledger.incidents.events(),
        "messages": ledger.incidents.messages(),
        "silences": ledger.incidents.silences(),
        "watched": ledger.incidents.watched(),
    }


def _sqlite_script(folder: Path) -> str:
    file = folder / "ledger.db"
    fill(Ledger.open(f"sqlite:///{file}"))
    with closing(sqlite3.connect(file)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def _postgres_script() -> str:
    url = new_postgres_database()
    fill(Ledger.open(url))
    engine = create_engine(url)
    with engine.connect() as connection:
        lines = [line for table in METADATA.sorted_tables for line in _postgres_table(connection, table)]
    engine.dispose()
    return "\n".join(lines) + "\n"


def _postgres_table(connection: Connection, table: Any) -> list[str]:
    """What makes a table with its rows again."""
    name = identifier(table.name)
    made: list[Any] = [
        CreateTable(table),
        *(CreateIndex(index) for index in sorted(table.indexes, key=lambda one: one.name)),
    ]
    lines = [f"{str(one.compile(connection)).strip()};" for one in made]
    columns = ", ".join(f"{identifier(column.name)}::text" for column in table.columns)
    for row in connection.execute(text(f"SELECT {columns} FROM {name} ORDER BY 1")):
        values = ", ".join("NULL" if value is None else literal(value) for value in row)
        lines.append(f"INSERT INTO {name} VALUES ({values});")
    if "id" in table.columns:
        sequence = f"pg_get_serial_sequence({literal(table.name)}, 'id')"
        lines.append(f"SELECT setval({sequence}, max(id)) FROM {name};")
    return [*lines, *_Statements.of_guard(table.name)] if table in APPEND_ONLY else lines


class _Statements:
    """Stands for a connection to Postgres, and keeps what would be executed."""

    class dialect:  # noqa: N801  # as SQLAlchemy names it
        name = "postgresql"

    def __init__(self) -> None:
        self.kept: list[str] = []

    def exec_driver_sql(self, statement: str) -> None:
        self.kept.append(f"{statement.strip()};")

    @classmethod
    def of_guard(cls, table: str) -> list[str]:
        statements = cls()
        guard(statements, table)  # type: ignore[arg-type]  # only these two are used
        return statements.kept


def main() -> None:
    """Write the ledger of this program's version."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scripts = {"sqlite": _sqlite_script(Path(folder)), "postgres": _postgres_script()}
    for kind, script in scripts.items():
        (FOLDER / f"v{SCHEMA_VERSION}.{kind}.sql").write_text(script, encoding="utf-8")


if __name__ == "__main__":
    main()
