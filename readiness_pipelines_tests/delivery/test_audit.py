"""The audit holds the ledger against the snapshots of the tables: who rewrites one would have to rewrite both."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from readiness_pipelines.decisions import Discarding
from readiness_pipelines.delivery import audit, decide, deliver, ingest, maintain, replay_batch
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger.chain import link_rows
from readiness_pipelines.ledger.migrations import unguarded
from readiness_pipelines.ledger.tables import TRAIL
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import ONE_BAD, gated, land, order_domain

SHOP = order_domain()
RUN = Run(who="me")


@pytest.fixture
def delivered(installation: Installation) -> Installation:
    """One batch, and a decision about it, replayed."""
    land(installation.landing.path, "day_1", *ONE_BAD)
    ingest(gated(SHOP), batch="day_1", installation=installation, run=RUN)
    for table in SHOP.tables:
        deliver(table, batch="day_1", installation=installation, run=RUN)
    decide(gated(SHOP), Discarding(), batch="day_1", why="a test", installation=installation, run=RUN)
    replay_batch(gated(SHOP), batch="day_1", installation=installation, run=RUN)
    return installation


@pytest.fixture
def connection(delivered: Installation, tmp_path: Path) -> Iterator[Connection]:
    """The ledger's database, for whoever may write to it."""
    del delivered
    engine = create_engine(settings_in(tmp_path).ledger_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_what_deliveries_leave_holds_also_after_maintenance(delivered: Installation) -> None:
    found = audit(installation=delivered)
    assert found.problems == ()
    assert found.anchors >= 6
    maintain(delivered, now=RUN.clock())
    assert audit(installation=delivered).problems == ()


def test_a_chain_that_was_written_anew_and_one_that_was_cut_off_are_named_with_a_snapshot(
    delivered: Installation, connection: Connection
) -> None:
    with connection.begin(), unguarded(connection, "ledger_trail"), unguarded(connection, "ledger_decisions"):
        connection.execute(text("UPDATE ledger_trail SET who = 'nobody' WHERE id = 1"))
        link_rows(connection, TRAIL)
        connection.execute(text("DELETE FROM ledger_decisions"))
    trail, decisions = audit(installation=delivered).problems
    assert trail.startswith("ledger_trail was rewritten or cut off: its row ")
    assert decisions.startswith("ledger_decisions was rewritten or cut off: its row 1 is not there as snapshot ")
    assert " of shop" in decisions


def test_a_changed_row_and_dropped_guards_are_named(delivered: Installation, connection: Connection) -> None:
    with connection.begin():
        connection.execute(text("DROP TRIGGER ledger_trail_no_update"))
        connection.execute(text("UPDATE ledger_trail SET why = 'x' WHERE id = 2"))
    assert audit(installation=delivered).problems == (
        "ledger_trail is broken at row 2: it was changed, or a row before it was removed or inserted",
        "ledger_trail can be rewritten: its triggers ledger_trail_no_update are not there",
    )
