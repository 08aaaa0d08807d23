"""Migrations: a stored ledger keeps all that it says, over each kind of database, also where a step fails."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from readiness_pipelines.batches import BatchState
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger import BatchContents, FileContents, Ledger, Migrated, database, migrate
from readiness_pipelines.ledger.migrations import Step, known_steps, unguarded
from readiness_pipelines.ledger.tables import FIRST_VERSION, SCHEMA_VERSION
from readiness_pipelines_tests.databases import Kind, database_in
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, REF, a_record
from readiness_pipelines_tests.ledger.stored import contents, fill, load


def add_domains(connection: Connection) -> None:
    """A column, filled from what is there; and text of an append-only table put in capitals."""
    connection.execute(text("ALTER TABLE ledger_batches ADD COLUMN domain VARCHAR(200)"))
    rows = connection.execute(text("SELECT table_name, batch FROM ledger_batches")).all()
    for row in rows:
        update = text("UPDATE ledger_batches SET domain = :domain WHERE table_name = :table AND batch = :batch")
        domain = row.table_name.partition(".")[0]
        connection.execute(update, {"domain": domain, "table": row.table_name, "batch": row.batch})
    with unguarded(connection, "ledger_trail"):
        connection.execute(text("UPDATE ledger_trail SET who = upper(who)"))


def break_down(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE ledger_batches ADD COLUMN half VARCHAR(200)"))
    raise RuntimeError("half done")


FIFTH = Step(version=5, migrate=add_domains)
BROKEN = Step(version=6, migrate=break_down)


@pytest.fixture
def stored(database: Kind, tmp_path: Path) -> str:
    """A stored, populated ledger of version 4."""
    url = database_in(tmp_path)
    load(database, 4, url)
    return url


@pytest.fixture
def url(stored: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The stored ledger of version 4, and a program of that version."""
    as_program_of(monkeypatch, 4)
    return stored


def version(url: str) -> int | None:
    return database.Database.connect(url).version()


def columns(url: str) -> set[str]:
    engine = create_engine(url)
    found = {column["name"] for column in inspect(engine).get_columns("ledger_batches")}
    engine.dispose()
    return found


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables but the version's, as the database has them."""
    engine = create_engine(url)
    names = [name for name in inspect(engine).get_table_names() if name != "ledger_version"]
    with engine.connect() as connection:
        found = {name: connection.execute(text(f"SELECT * FROM {name}")).tuples().all() for name in names}
    engine.dispose()
    plain = {name: [tuple(map(_plain, row)) for row in values] for name, values in found.items()}
    return {name: sorted(values, key=repr) for name, values in plain.items()}


def _plain(value: object) -> object:
    return repr(value) if isinstance(value, dict | list) else value


def as_program_of(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    monkeypatch.setattr(database, "SCHEMA_VERSION", version)


def test_there_is_one_step_for_each_version() -> None:
    assert [step.version for step in known_steps()] == list(range(FIRST_VERSION + 1, SCHEMA_VERSION + 1))


def test_a_stored_ledger_says_what_was_written_into_it(stored: str, tmp_path: Path) -> None:
    migrate(stored, at=NOW)
    fresh = Ledger.open(f"sqlite:///{tmp_path / 'fresh.db'}")
    fill(fresh)
    assert contents(Ledger.open(stored)) == contents(fresh)


def test_a_migrated_ledger_keeps_contents_from_then_on_and_has_none_of_before(stored: str) -> None:
    migrate(stored, at=NOW)
    ledger = Ledger.open(stored)
    assert ledger.contents([ORDERS]) == {}
    file = FileContents(path="a.parquet", size_bytes=9, sha256="00", rows=3)
    kept = BatchContents(ref=REF, snapshot=2**62, rows=3, digest="0f", files=(file,))
    ledger.record(a_record(BatchState.PUBLISHED), what="published", who="me", committed=[kept])
    assert ledger.contents([ORDERS]) == {REF: kept}


def test_a_step_changes_tables_and_moves_rows(url: str) -> None:
    before = rows(url)
    done = migrate(url, at=NOW, steps=[FIFTH])
    assert (done.before, done.after, version(url)) == (4, 5, 5)
    after = rows(url)
    written = {value for row in after.pop("ledger_trail") for value in row if isinstance(value, str)}
    assert {"ME", "ANN", "BOB"} <= written
    assert not {"me", "ann", "bob"} & written
    assert {row[:-1] for row in after.pop("ledger_batches")} == set(before.pop("ledger_batches"))
    assert after == {name: values for name, values in before.items() if name != "ledger_trail"}
    engine = create_engine(url)
    with engine.connect() as connection:
        found = set(connection.execute(text("SELECT table_name, domain FROM ledger_batches")).tuples())
    engine.dispose()
    assert found == {("shop.orders", "shop"), ("shop.paid", "shop"), ("shop_raw.orders", "shop_raw")}


def test_a_migrated_ledger_numbers_on_and_is_guarded_again(stored: str) -> None:
    migrate(stored, at=NOW)
    ledger = Ledger.open(stored)
    last = ledger.trail(limit=1)[0].id
    ledger.request_replay(REF, who="ann", why="x", at=NOW)
    assert ledger.trail(limit=1)[0].id == last + 1
    with pytest.raises(LedgerError, match="append-only"), ledger._database.writing() as connection:
        connection.execute(text("UPDATE ledger_trail SET who = 'nobody'"))


def test_the_backup_is_the_ledger_as_it_was(url: str, database: Kind, tmp_path: Path) -> None:
    before = rows(url)
    backup = migrate(url, at=NOW, steps=[FIFTH]).backup
    assert backup is not None
    if database == "sqlite":
        assert backup == str(tmp_path / "test.backup_v4_20260131t120000z.db")
        assert rows(f"sqlite:///{backup}") == before
        return
    assert backup == "ledger_backup_v4_20260131t120000z"
    engine = create_engine(url)
    tables = [name for name in inspect(engine).get_table_names() if name.startswith("ledger_")]
    assert set(inspect(engine).get_table_names(schema=backup)) == set(tables)
    with engine.connect() as connection:
        counts = {
            name: [connection.execute(text(f"SELECT count(*) FROM {schema}.{name}")).scalar_one() for schema in both]
            for name in tables
            for both in [("public", backup)]
        }
        assert connection.execute(text(f"SELECT version FROM {backup}.ledger_version")).scalar_one() == 4
        assert "ME" not in connection.execute(text(f"SELECT who FROM {backup}.ledger_trail")).scalars().all()
    engine.dispose()
    assert all(now == then for now, then in counts.values())
    assert counts["ledger_trail"][0] > 0


def test_migrating_again_changes_nothing(url: str) -> None:
    migrate(url, at=NOW, steps=[FIFTH])
    assert migrate(url, at=NOW, steps=[FIFTH]) == Migrated(before=5, after=5, backup=None)


def test_a_step_that_fails_is_undone_and_those_before_it_stay(url: str) -> None:
    with pytest.raises(RuntimeError, match="half done"):
        migrate(url, at=NOW, steps=[FIFTH, BROKEN])
    assert version(url) == 5
    assert "half" not in columns(url)
    mended = Step(version=6, migrate=lambda connection: None)
    later = NOW + timedelta(seconds=1)
    assert (migrate(url, at=later, steps=[FIFTH, mended]).before, version(url)) == (5, 6)


def test_an_older_ledger_is_opened_only_after_it_was_migrated(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_program_of(monkeypatch, 5)
    with pytest.raises(LedgerError, match="of version 4, and this program is of version 5") as caught:
        Ledger.open(url)
    assert caught.value.way_out == "readiness migrate"
    migrate(url, at=NOW, steps=[FIFTH])
    assert Ledger.open(url).visible_batches(ORDERS) == {"day_1"}


def test_open_deliveries_stand_in_the_way_unless_forced(url: str) -> None:
    Ledger.open(url).begin(REF, attempt="9", run_id="r9", who="me", at=NOW)
    with pytest.raises(LedgerError, match="1 deliveries are open") as caught:
        migrate(url, at=NOW, steps=[FIFTH])
    assert re.search("readiness migrate --force", caught.value.way_out)
    assert version(url) == 4
    assert migrate(url, at=NOW, steps=[FIFTH], force=True).after == 5


@pytest.mark.parametrize(("found", "match"), [(3, "of version 3"), (9, "of version 9")])
def test_ledgers_of_other_programs_are_not_migrated(url: str, found: int, match: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ledger_version SET version = :version"), {"version": found})
    engine.dispose()
    with pytest.raises(LedgerError, match=match):
        migrate(url, at=NOW, steps=[FIFTH])
    assert version(url) == found


def test_where_there_is_no_ledger_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        migrate(f"sqlite:///{tmp_path / 'none.db'}", at=NOW)
    assert not (tmp_path / "none.db").exists()
