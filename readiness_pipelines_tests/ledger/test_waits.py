"""Nobody waits for the ledger without limit, the error says who holds it, and one batch's row stops no other batch."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.errors import LedgerBusyError
from readiness_pipelines.ledger import Ledger
from readiness_pipelines.ledger.waits import WRITERS
from readiness_pipelines_tests.databases import Kind, database_in, use_database
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, REF, a_record

CONSOLE = "a forgotten console"
WHOLE = {"postgres": f"SELECT pg_advisory_xact_lock({WRITERS})", "sqlite": "BEGIN IMMEDIATE"}
ROW = "SELECT * FROM ledger_batches WHERE batch = 'day_1' FOR UPDATE"
TABLE = "LOCK TABLE ledger_batches IN ACCESS EXCLUSIVE MODE"


@contextmanager
def held(folder: Path, statement: str, kind: Kind = "postgres") -> Iterator[Connection]:
    """Another session that has begun something and is idle."""
    named = {"application_name": CONSOLE} if kind == "postgres" else {}
    engine = create_engine(database_in(folder), poolclass=NullPool, connect_args=named)
    with engine.connect() as connection:
        connection.execute(text(statement))
        yield connection


@pytest.fixture
def on_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A ledger on Postgres with a batch that is held, whose writers wait long for a turn and shortly for a row."""
    monkeypatch.setattr("readiness_pipelines.ledger.waits.ROW_WAIT_SECONDS", 0.3)
    use_database("postgres", tmp_path)
    ledger = Ledger.open(database_in(tmp_path))
    ledger.record(a_record(BatchState.HELD), what="held", who="me")
    return ledger


def test_a_writer_gives_up_its_turn_after_a_time(
    database: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("waits", "database"):
        monkeypatch.setattr(f"readiness_pipelines.ledger.{module}.LOCK_WAIT_SECONDS", 0.2)
    ledger = Ledger.open(database_in(tmp_path))
    with (
        held(tmp_path, WHOLE[database], database),
        pytest.raises(LedgerBusyError, match=r"is held by .*session") as busy,
    ):
        ledger.begin(REF, attempt="1", run_id="r", who="me", at=NOW)
    assert busy.value.retryable
    assert {"postgres": CONSOLE, "sqlite": "fuser -v"}[database] in str(busy.value)
    ledger.begin(REF, attempt="1", run_id="r", who="me", at=NOW)


def test_a_session_that_holds_a_row_is_named_with_the_way_to_end_it(tmp_path: Path, on_postgres: Ledger) -> None:
    with held(tmp_path, ROW) as holder:
        pid = holder.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with pytest.raises(LedgerBusyError, match=rf"session {pid} of .*{CONSOLE}, idle in tr.*since 20") as busy:
            on_postgres.record(a_record(BatchState.PUBLISHED), what="published", who="me")
        assert busy.value.way_out.endswith(f"SELECT pg_terminate_backend({pid})")
        assert str(busy.value).count("session ") == 1
        with create_engine(database_in(tmp_path), isolation_level="AUTOCOMMIT").connect() as admin:
            admin.execute(text(f"SELECT pg_terminate_backend({pid})"))
        on_postgres.record(a_record(BatchState.PUBLISHED), what="published", who="me")
        holder.invalidate()


def test_a_held_row_of_one_batch_stops_no_other_batch(tmp_path: Path, on_postgres: Ledger) -> None:
    others = [BatchRef(ORDERS, f"day_{day}") for day in range(2, 8)]

    def deliver(ref: BatchRef) -> str:
        try:
            on_postgres.record(a_record(BatchState.PUBLISHED, ref), what="published", who="me")
        except LedgerBusyError:
            return "busy"
        return "published"

    with held(tmp_path, ROW), ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(deliver, [REF, *others[:3], REF, *others[3:]]))
    assert [outcomes.pop(index) for index in (4, 0)] == ["busy", "busy"]
    assert outcomes == ["published"] * len(others)


def test_a_reader_gives_up_a_locked_table_after_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("readiness_pipelines.ledger.database.LOCK_WAIT_SECONDS", 0.2)
    use_database("postgres", tmp_path)
    ledger = Ledger.open(database_in(tmp_path))
    with held(tmp_path, TABLE), pytest.raises(LedgerBusyError, match=CONSOLE):
        ledger.batches()
    assert ledger.batches() == ()


def test_our_own_sessions_carry_the_name_of_their_process(tmp_path: Path) -> None:
    use_database("postgres", tmp_path)
    with Ledger.open(database_in(tmp_path))._database.reading() as connection:
        name = connection.execute(text("SELECT current_setting('application_name')")).scalar_one()
    assert name.startswith("readiness ")
