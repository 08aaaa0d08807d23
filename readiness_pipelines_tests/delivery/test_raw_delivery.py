"""A decision that names rows by number is about one delivery of the batch, and never lands in another one's rows."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from readiness_pipelines import FileDrop
from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.decisions import (
    CellCorrection,
    Correction,
    Discarding,
    Undoing,
    Waiver,
    What,
    about_delivery,
    keep_decision,
)
from readiness_pipelines.delivery import decide, deliver, ingest, replay_batch
from readiness_pipelines.delivery.raw_delivery import raw_delivery
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord, Ledger
from readiness_pipelines.masking import PLAIN
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.samples import GOOD, ONE_BAD, gated, land, order_domain

RUN = Run(run_id="r1", who="me")
ORDERS = gated(order_domain())
REF = BatchRef(ORDERS.id, "day_1")
CELL = CellCorrection(cells={"amount": {"1": "21.5"}}, file="fix.csv")
ONE_MORE = ("9,99,paid,new", *GOOD)
"""The batch sent again, with a line more: row 1 is another order."""


def bring(installation: Installation, *rows: str, again: bool = False) -> dict[int, float]:
    """Deliver a batch and replay it; what is published of it: amounts by order."""
    land(installation.landing.path, "day_1", *rows)
    ingest(ORDERS, batch="day_1", installation=installation, run=RUN, again=again)
    deliver(ORDERS, batch="day_1", installation=installation, run=RUN)
    return amounts(installation)


def amounts(installation: Installation) -> dict[int, float]:
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, ORDERS.id).project("order_id, amount").fetchall()
    return dict(rows)


def decided(installation: Installation, what: What) -> int:
    return decide(ORDERS, what, batch="day_1", why="x", installation=installation, run=RUN).decision.id


def test_a_decision_about_numbers_of_another_delivery_is_refused_until_it_is_undone_or_the_rows_come_back(
    installation: Installation,
) -> None:
    bring(installation, *ONE_BAD)
    first = decided(installation, CELL)
    replay_batch(ORDERS, batch="day_1", installation=installation, run=RUN)
    mended = {1: 10.5, 2: 21.5, 3: 30.0, 4: 40.0}
    assert bring(installation, *ONE_BAD, again=True) == mended
    with pytest.raises(DeclarationError, match=f"decision {first} about .* it names rows by number") as refused:
        bring(installation, *ONE_MORE)
    assert f"quarantine undo shop.orders --batch day_1 --decision {first} " in str(refused.value.way_out)
    assert amounts(installation) == mended
    with pytest.raises(DeclarationError, match=f"decision {first} about .* it names rows by number"):
        decided(installation, Discarding(where="order_id = '9'"))
    assert bring(installation, *ONE_BAD) == mended
    decided(installation, Undoing(decision=first))
    assert bring(installation, *ONE_MORE)[1] == 10.5


def test_a_file_that_is_read_otherwise_again_is_another_delivery(installation: Installation) -> None:
    bring(installation, *ONE_BAD)
    first = decided(installation, CELL)
    reader = ORDERS.source.reader
    assert isinstance(reader, FileDrop)
    skipping = reader.model_copy(update={"skip_after_header": 1})
    mended = replace(ORDERS, source=ORDERS.source.model_copy(update={"reader": skipping}))
    ingest(mended, batch="day_1", installation=installation, run=RUN, again=True)
    with pytest.raises(DeclarationError, match=f"decision {first} about .* it names rows by number"):
        deliver(mended, batch="day_1", installation=installation, run=RUN)


def test_a_decision_of_an_older_program_is_applied_as_before(installation: Installation) -> None:
    bring(installation, *ONE_BAD)
    keep_decision(installation.ledger, REF, CELL, who="me", why="x", at=RUN.clock(), classes=PLAIN)
    assert bring(installation, *ONE_BAD)[2] == 21.5
    assert bring(installation, *ONE_MORE)[1] == 21.5


@pytest.mark.parametrize(
    ("what", "named"),
    [
        (CELL, True),
        (Correction(column="amount", expression="CAST(_row AS VARCHAR)"), True),
        (Correction(column="amount", expression="'1'", where="order_id = '1' AND NOT _row > 3"), True),
        (Discarding(where='"_ROW" = 1'), True),
        (Waiver(rule="status_isin", where="_row IN (1, 2)"), True),
        (Waiver(rule="status_isin", where="note = '_row' AND order_id = '2'"), False),
        (Discarding(), False),
        (Undoing(decision=1), False),
    ],
)
def test_decisions_that_name_rows_by_number_say_of_which_delivery(what: What, named: bool) -> None:
    with duckdb.connect() as engine:
        said = about_delivery(what, "this", engine)
    assert getattr(said, "delivery", None) == ("this" if named else None)
    content = {**said.to_json(), **said.values()}
    assert type(what).from_json(content, {}) == said


def test_an_erasure_is_not_a_delivery_also_of_what_an_older_program_ingested(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    raw = BatchRef(TableId("shop", "orders").raw, "day_1")
    assert raw_delivery(raw, ledger) is None
    for what in ("ingested", "erased"):
        record = BatchRecord(
            ref=raw, state=BatchState.INGESTED, counts=Counts(), updated_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
        ledger.record(record, what=what, who="me")
    assert raw_delivery(raw, ledger) == str(ledger.trail(ref=raw)[0].id)
