"""What is append-only is linked row by row: what is done to it past the guards is found, and the first place named."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from readiness_pipelines.batches import BatchState
from readiness_pipelines.ledger import BrokenLink, Home, Ledger, migrate, unknown_anchors
from readiness_pipelines.ledger.chain import link_rows
from readiness_pipelines.ledger.migrations import unguarded
from readiness_pipelines.ledger.tables import APPEND_ONLY, TRAIL
from readiness_pipelines_tests.databases import Kind, database_in
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, REF, a_record
from readiness_pipelines_tests.ledger.stored import fill, load

CHANGED = "it was changed, or a row before it was removed or inserted"


@pytest.fixture
def engine(ledger: Ledger, tmp_path: Path) -> Engine:
    """The database of the ledger, for whoever has its password."""
    del ledger
    return create_engine(database_in(tmp_path))


def broken(ledger: Ledger) -> dict[str, BrokenLink]:
    return {chain.table: chain.broken for chain in ledger.audit_chains() if chain.broken is not None}


def tamper(engine: Engine, name: str, statement: str) -> None:
    with engine.begin() as connection, unguarded(connection, name):
        connection.execute(text(statement))


def test_what_was_written_in_any_words_and_zones_holds(ledger: Ledger) -> None:
    fill(ledger)
    there = datetime(2026, 3, 29, 3, 0, 0, 5, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    details = {"Größe": 0.1, "list": [1, None, "\u2028"], "b": {"z": 1e300, "a": True}}
    ledger.begin(REF, attempt="9", run_id="r", who="Zoë 🦆", at=there)
    record = a_record(BatchState.HELD)
    ledger.record(record, what="held", who="Zoë 🦆", why="it's 100 %\r\nbroken", details=details)
    chains = ledger.audit_chains()
    assert {chain.table for chain in chains} == {one.name for one in APPEND_ONLY}
    assert all(chain.rows > 0 for chain in chains)
    assert broken(ledger) == {}
    assert all(chain.missing_guards == () for chain in chains)


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE {} SET who = 'nobody' WHERE id = 2", 2),
        ("DELETE FROM {} WHERE id = 1", 2),
        ("UPDATE {} SET link = ''", 1),
    ],
)
def test_rows_that_were_changed_or_removed_are_named(
    ledger: Ledger, engine: Engine, statement: str, place: int
) -> None:
    fill(ledger)
    fill_again(ledger)
    wanted = {}
    for table in APPEND_ONLY:
        tamper(engine, table.name, statement.format(table.name))
        wanted[table.name] = place
        assert {name: link.id for name, link in broken(ledger).items()} == wanted


def fill_again(ledger: Ledger) -> None:
    """A second row of each subject."""
    ledger.adopt(ORDERS, Home("shop.moved", "ann", "Shop export"), who="ann", why="moved", at=NOW)
    ledger.accept_shape(ORDERS, {"Order ID": "int64"}, who="ann", why="new", at=NOW, batch="day_2")
    ledger.incidents.acknowledge(1, who="ann", why="seen", at=NOW)


def test_rows_in_another_order_and_between_others_are_named(ledger: Ledger, engine: Engine) -> None:
    fill(ledger)
    names = "table_name, batch, at, what, who, why, run_id, attempt, details, link"
    last = "(SELECT max(id) + 1 FROM ledger_trail)"
    tamper(
        engine,
        "ledger_trail",
        f"INSERT INTO ledger_trail (id, {names}) SELECT {last}, {names} FROM ledger_trail WHERE id = 2",
    )
    assert broken(ledger)["ledger_trail"].what == CHANGED


def test_guards_that_were_dropped_or_changed_are_named(ledger: Ledger, engine: Engine, database: Kind) -> None:
    wanted: dict[str, tuple[str, ...]] = {}
    with engine.begin() as connection:
        if database == "sqlite":
            connection.execute(text("DROP TRIGGER ledger_trail_no_update"))
            connection.execute(text("DROP TRIGGER ledger_decisions_no_delete"))
            connection.execute(
                text("CREATE TRIGGER ledger_decisions_no_delete BEFORE DELETE ON ledger_decisions BEGIN SELECT 1; END")
            )
            wanted["ledger_trail"] = ("ledger_trail_no_update",)
            wanted["ledger_decisions"] = ("ledger_decisions_no_delete",)
        else:
            connection.execute(text("ALTER TABLE ledger_trail DISABLE TRIGGER ledger_trail_no_truncate"))
            body = "CREATE OR REPLACE FUNCTION ledger_decisions_append_only() RETURNS trigger LANGUAGE plpgsql AS"
            connection.exec_driver_sql(f"{body} $$ BEGIN RETURN NEW; END $$")
            guards = ("ledger_decisions_append_only", "ledger_decisions_no_truncate")
            wanted["ledger_trail"], wanted["ledger_decisions"] = ("ledger_trail_no_truncate",), guards
    found = {chain.table: chain.missing_guards for chain in ledger.audit_chains() if chain.missing_guards}
    assert found == wanted


def test_a_chain_that_was_cut_off_or_written_anew_has_not_the_row_that_an_anchor_names(
    ledger: Ledger, engine: Engine
) -> None:
    fill(ledger)
    anchor = ledger.anchor()
    named = dict(part.split("=") for part in anchor.split())
    assert set(named) == {"trail", "decisions", "incident_events", "shapes", "claims"}
    fill_again(ledger)
    by_name = {chain.table: chain for chain in ledger.audit_chains()}
    assert unknown_anchors(by_name, anchor) == ()
    tamper(engine, "ledger_decisions", "DELETE FROM ledger_decisions WHERE id > 1")
    with engine.begin() as connection, unguarded(connection, "ledger_trail"):
        connection.execute(text("UPDATE ledger_trail SET who = 'nobody' WHERE id = 1"))
        link_rows(connection, TRAIL)
    assert broken(ledger) == {}, "whoever writes the whole chain anew breaks no link"
    by_name = {chain.table: chain for chain in ledger.audit_chains()}
    assert unknown_anchors(by_name, anchor) == (f"trail={named['trail']}", f"decisions={named['decisions']}")


def test_a_migrated_ledger_is_linked_from_its_first_row_and_goes_on(database: Kind, tmp_path: Path) -> None:
    url = database_in(tmp_path)
    load(database, 4, url)
    migrate(url, at=datetime.now(UTC))
    ledger = Ledger.open(url)
    fill_again(ledger)
    assert broken(ledger) == {}
    assert all(chain.missing_guards == () for chain in ledger.audit_chains())
