"""Turns: one process at a time, in line, never without limit; who has the turn is named, and nothing raw is raised."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from readiness_pipelines.errors import LakehouseBusyError, LakehouseError
from readiness_pipelines.installation import lakehouse_of
from readiness_pipelines.lakehouse.file_turns import FileTurns
from readiness_pipelines.lakehouse.locks import batch_turn, commit_turn, turns_of
from readiness_pipelines.lakehouse.postgres_turns import PostgresTurns
from readiness_pipelines.lakehouse.turns import Turns
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.databases import Kind, database_in, use_database
from readiness_pipelines_tests.lakehouse.test_lakehouse import open_in, publish, rows_of
from readiness_pipelines_tests.waiting import LONGEST_SECONDS, wait_until

ORDERS = TableId("shop", "orders")
LONG = LONGEST_SECONDS
LATER, LONG_AGO = datetime(2100, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def turns(database: Kind, tmp_path: Path) -> Turns:
    """The turns of each kind; a file's locks are held against others of the same process, too."""
    return turns_of(database_in(tmp_path), Place.of(tmp_path / "warehouse"))


@pytest.fixture
def soon_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("file_turns", "postgres_turns", "turns"):
        monkeypatch.setattr(f"readiness_pipelines.lakehouse.{kind}.NOTICE_SECONDS", 0.1)


def take(turns: Turns, seconds: float, batch: str = "day_1") -> None:
    with batch_turn(turns, "shop.orders", batch, wait_seconds=seconds, run_id="run-2"):
        pass


@pytest.fixture
def never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has been told for whom it waits stands at the end of a Postgres server's line."""
    for kind in ("file_turns", "postgres_turns", "turns"):
        monkeypatch.setattr(f"readiness_pipelines.lakehouse.{kind}.NOTICE_SECONDS", LONG)


def in_line(folder: Path) -> int:
    """How many wait for a turn, as the system or the server says that keeps the line."""
    if database_in(folder).startswith("postgres"):
        waiters = text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        with create_engine(database_in(folder), poolclass=NullPool).connect() as admin:
            return int(admin.execute(waiters).scalar_one())
    files = {str(lock.stat().st_ino) for lock in folder.glob("warehouse/.locks/*.lock")}
    waiting = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" in line]
    return sum(words[6].rpartition(":")[2] in files for words in waiting)


@contextmanager
def held(turns: Turns) -> Iterator[None]:
    with batch_turn(turns, "shop.orders", "day_1", wait_seconds=1, run_id="run-1"):
        yield


@contextmanager
def signal_after(seconds: float) -> Iterator[None]:
    """Interrupt what runs after a time, as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_batchs_turn_is_waited_for_so_long_and_its_holder_is_named(turns: Turns) -> None:
    with held(turns), pytest.raises(LakehouseBusyError, match=r"batch 'day_1' of shop\.orders waited") as busy:
        take(turns, 0.3)
    assert busy.value.retryable
    assert str(os.getpid()) in busy.value.what
    assert "run run-1" in busy.value.what
    assert "since 20" in busy.value.what
    assert "READINESS_LOCK_WAIT_MINUTES" in busy.value.way_out
    take(turns, LONG)  # who gave up does not stand in line any more


def test_a_commits_turn_is_not_waited_for_as_long_as_a_batchs(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("readiness_pipelines.lakehouse.locks.COMMIT_WAIT_SECONDS", 0.2)
    with (
        commit_turn(turns, ORDERS, wait_seconds=LONG),
        pytest.raises(LakehouseBusyError, match=r"a commit to shop\.orders waited 0s for its turn"),
        commit_turn(turns, ORDERS, wait_seconds=LONG),
    ):
        pass


@pytest.mark.usefixtures("soon_told")
def test_who_waits_says_for_whom_and_goes_on_when_that_ends(turns: Turns, capsys: pytest.CaptureFixture[str]) -> None:
    told = ""

    def is_told() -> bool:
        nonlocal told
        told += capsys.readouterr().err
        return told.endswith("has the turn\n")

    with ThreadPoolExecutor(1) as threads:
        with held(turns):
            waiting = threads.submit(take, turns, LONG)
            wait_until(is_told)
            assert not waiting.done()
        waiting.result(timeout=LONG)
    told += capsys.readouterr().err
    assert told.startswith("waiting for batch 'day_1' of shop.orders, at most ")
    assert "run run-1" in told
    assert told.count("\n") == 1


def test_nothing_is_said_where_the_turn_is_had_at_once(turns: Turns, capsys: pytest.CaptureFixture[str]) -> None:
    with held(turns):
        take(turns, 1, batch="day_2")
    take(turns, 1)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("never_told")
def test_turns_are_had_in_the_order_in_which_they_were_asked_for(turns: Turns, tmp_path: Path) -> None:
    order: list[int] = []

    def take_numbered(number: int) -> None:
        with batch_turn(turns, "shop.orders", "day_1", wait_seconds=LONG):
            order.append(number)

    with ThreadPoolExecutor(5) as threads:
        waiting: list[Future[None]] = []
        with held(turns):
            for number in range(5):
                waiting.append(threads.submit(take_numbered, number))
                wait_until(lambda: in_line(tmp_path) == len(waiting), lambda: in_line(tmp_path), every=0.01)
        for one in waiting:
            one.result(timeout=LONG)
    assert order == list(range(5))


def test_who_is_interrupted_leaves_the_line(tmp_path: Path) -> None:
    turns = FileTurns(tmp_path)
    with held(turns), pytest.raises(KeyboardInterrupt), signal_after(0.2):
        take(turns, LONG)
    take(turns, LONG)
    for thread in threading.enumerate():
        if thread.name.startswith("waits for"):
            thread.join(LONG)
            assert not thread.is_alive()


@pytest.mark.parametrize("obstacle", [".locks", ".locks/shop.orders.batch-*.lock"])
def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, obstacle: str) -> None:
    turns = FileTurns(tmp_path / ".locks")
    if obstacle == ".locks":
        (tmp_path / obstacle).write_text("")
    else:
        take(turns, 1)
        (lock,) = tmp_path.glob(obstacle)
        lock.unlink()
        lock.mkdir()
    with pytest.raises(LakehouseError, match=r"batch 'day_1' of shop\.orders cannot wait .*\.locks") as lost:
        take(turns, 1)
    assert lost.value.way_out.startswith("give permission to write to")


def test_a_connection_that_is_cut_while_it_waits_is_named(tmp_path: Path) -> None:
    use_database("postgres", tmp_path)
    turns = turns_of(database_in(tmp_path), Place.of(tmp_path / "warehouse"))
    with ThreadPoolExecutor(1) as threads, held(turns):
        waiting = threads.submit(take, turns, LONG)
        with create_engine(database_in(tmp_path), isolation_level="AUTOCOMMIT").connect() as admin:
            waiters = text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            wait_until(lambda: bool(admin.execute(waiters).all()), every=0.02)
        with pytest.raises(LakehouseError, match=r"batch 'day_1' of shop\.orders cannot wait for its turn") as lost:
            waiting.result(timeout=LONG)
    assert "READINESS_LEDGER_URL" in lost.value.way_out


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    turns = PostgresTurns(make_url("postgresql+psycopg2://me:hidden@127.0.0.1:1/lost"))
    with pytest.raises(LakehouseError, match=r"127\.0\.0\.1:1/lost") as lost:
        take(turns, 1)
    assert "hidden" not in str(lost.value)


def test_the_settings_say_how_long_is_waited(tmp_path: Path) -> None:
    settings = settings_in(tmp_path).model_copy(update={"lock_wait_minutes": 0.2 / 60})
    first, second = lakehouse_of(settings), lakehouse_of(settings)
    with (
        first.turn("shop.orders", "day_1", run_id="run-1"),
        pytest.raises(LakehouseBusyError, match="run run-1"),
        second.turn("shop.orders", "day_1"),
    ):
        pass


def test_a_row_of_the_catalog_that_somebody_holds_is_not_waited_for_without_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readiness_pipelines.lakehouse.catalogs.ROW_WAIT_SECONDS", 0.2)
    use_database("postgres", tmp_path)
    lakehouse = open_in(tmp_path)
    rows = rows_of("day_1", 1)
    for _ in range(2):
        publish(lakehouse, rows, batch="day_1")
    console = create_engine(database_in(tmp_path), connect_args={"application_name": "a forgotten console"})
    with console.connect() as holder:
        holder.execute(text("SELECT * FROM iceberg_tables FOR UPDATE"))
        with pytest.raises(
            LakehouseBusyError, match=r"catalog is held by session .*a forgotten console.* shop\.orders"
        ):
            publish(lakehouse, rows, batch="day_1")
        with pytest.raises(LakehouseBusyError, match="a forgotten console"):
            lakehouse.maintain(ORDERS, expire_before=LATER, most_snapshots=1, orphans_before=LONG_AGO, orphan_age=DAY)
    publish(lakehouse, rows, batch="day_1")
