"""The ledger's database: named where it cannot be used, refused where it is of another program, shared by processes."""

import multiprocessing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger import Ledger
from readiness_pipelines.ledger.database import Database
from readiness_pipelines_tests.databases import Kind, database_in, new_postgres_database
from readiness_pipelines_tests.ledger.samples import ORDERS, a_record
from readiness_pipelines_tests.waiting import LONGEST_SECONDS


def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    with pytest.raises(LedgerError, match="cannot be used") as caught:
        Ledger.open("postgresql+psycopg2://user:hidden@127.0.0.1:1/none")
    assert "hidden" not in str(caught.value)


def test_a_ledger_of_a_newer_version_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    with create_engine(database_in(tmp_path)).begin() as connection:
        connection.execute(text("UPDATE ledger_version SET version = 99"))
    with pytest.raises(LedgerError, match="of version 99"):
        Ledger.open(database_in(tmp_path))


def test_a_ledger_that_knew_paths_is_refused_and_left_as_it_is(database: Kind, tmp_path: Path) -> None:
    engine = create_engine(database_in(tmp_path))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE ledger_version (version INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO ledger_version VALUES (3)"))
        connection.execute(text("CREATE TABLE ledger_batches (path TEXT, table_name TEXT, batch TEXT)"))
    with pytest.raises(LedgerError, match="of version 3") as caught:
        Ledger.open(database_in(tmp_path))
    assert "new ledger" in caught.value.way_out
    assert "older program" in caught.value.way_out
    assert sorted(inspect(engine).get_table_names()) == ["ledger_batches", "ledger_version"]


def test_readers_do_not_wait_for_a_writer(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(a_record(BatchState.HELD), what="held", who="me")
    with ledger._database.writing() as connection:
        connection.execute(text("UPDATE ledger_batches SET state = 'published'"))
        (record,) = Ledger.open(database_in(tmp_path)).batches()
    assert record.state is BatchState.HELD
    assert [one.state for one in ledger.batches()] == [BatchState.PUBLISHED]


def _record_some(folder: Path, worker: int) -> None:
    ledger = Ledger.open(database_in(folder))
    for number in range(5):
        ledger.record(a_record(BatchState.HELD, BatchRef(ORDERS, f"{worker}-{number}")), what="held", who="me")
        ledger.record(a_record(BatchState.HELD), what="held", who=str(worker))


def test_processes_open_a_new_ledger_and_record_at_once(database: Kind, tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    workers = [context.Process(target=_record_some, args=(tmp_path, worker)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(LONGEST_SECONDS)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    ledger = Ledger.open(database_in(tmp_path))
    assert len(ledger.batches()) == 21
    assert len(ledger.trail()) == 40


def test_a_server_that_goes_while_a_connection_is_given_back_is_an_error_with_a_way_out() -> None:
    database = Database.open(new_postgres_database())

    def read_until_the_session_ends() -> None:
        with database.reading() as connection, database.reading() as other:
            ((session,),) = connection.execute(text("SELECT pg_backend_pid()")).all()
            other.execute(text("SELECT pg_terminate_backend(:session)"), {"session": session})

    with pytest.raises(LedgerError, match="cannot be used") as error:
        read_until_the_session_ends()
    assert "READINESS_LEDGER_URL" in error.value.way_out
    with database.reading() as connection:
        assert connection.execute(text("SELECT 1")).all() == [(1,)]
