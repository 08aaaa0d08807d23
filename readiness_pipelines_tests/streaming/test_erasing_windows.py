"""A person of whom rows are in an open window is gone after its seal, whatever is cut off, and all rows are counted."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts.classification import protect
from readiness_pipelines.delivery import deliver, ingest, reconcile
from readiness_pipelines.delivery.erasure.requests import erase, resume
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchRecord, ErasureState, Ledger
from readiness_pipelines_tests.brokers import Broker, broker
from readiness_pipelines_tests.streaming.payments import (
    START,
    TOPIC,
    WINDOW,
    Clock,
    Payment,
    payment,
    payments_domain,
    payments_table,
    read_until,
    rows_of,
)

ANNA = "P-CANARY-00017"


class PersonalPayment(Payment):
    """A payment of a person."""

    note: arrow.string() = pa.Field(nullable=True, metadata=protect("pii.id", subject=True))


class CutOffError(BaseException):
    """As if the process was killed: nothing that it would do after an error is done."""


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    with broker("noida", tmp_path / "broker") as one:
        yield one


def test_an_erasure_stays_open_until_the_window_is_sealed_and_a_seal_that_is_cut_off_loses_no_count(
    noida: Broker, installation: Installation
) -> None:
    noida.make_topic(TOPIC)
    noida.send(
        TOPIC, [payment(n, note=ANNA if n % 5 == 0 else f"n{n}", amount=-1 if n == 10 else 1) for n in range(20)]
    )
    noida.send(TOPIC, [payment(20, note=ANNA)[:-1]])  # it cannot be read
    clock = Clock()
    run = Run(who="dpo", clock=clock)
    domain = payments_domain(schema=PersonalPayment)
    table = payments_table(domain)
    read_until(table, noida, installation, records=21, run=run)
    certificate = erase([domain], [ANNA], why="asked", ground="gdpr-17", installation=installation, run=run)
    assert any("is an open window until 2026-11-02T11:00:00+00:00" in one for one in certificate.open_ends)
    assert installation.ledger.erasures.requests(state=ErasureState.OPEN)

    clock.now = START + timedelta(hours=1, seconds=15)
    original = Ledger.record

    def cut_off(self: Ledger, record: BatchRecord, **options: Any) -> None:
        if record.ref.table == table.id.raw:
            raise CutOffError
        original(self, record, **options)

    for _ in range(2):
        with patch.object(Ledger, "record", cut_off), pytest.raises(CutOffError):
            ingest(table, batch=WINDOW, installation=installation, run=run)
    ingest(table, batch=WINDOW, installation=installation, run=run)
    raw = installation.ledger.get(BatchRef(table.id.raw, WINDOW))
    assert raw is not None
    assert (raw.state, raw.counts.ingested, raw.counts.erased) == (BatchState.SEALED, 21, 5)
    # Slices' rows of her are published still: to say that she is gone takes the verdict over the whole window.
    (found,) = resume([domain], installation=installation, run=run)
    assert [one.partition(" found it")[0] for one in found.open_ends] == ["the last search by the text of the value"]
    assert erase([domain], [ANNA], why="asked", ground="gdpr-17", installation=installation, run=run).open_ends == ()
    assert not installation.ledger.erasures.requests(state=ErasureState.OPEN)
    record = installation.ledger.get(BatchRef(table.id, WINDOW))
    assert record is not None
    assert record.counts == Counts(ingested=21, published=16, erased=5)
    deliver(table, batch=WINDOW, installation=installation, run=run)
    for store in (table.id.raw, table.id.quarantine, table.id):
        assert rows_of(installation, store, "_row") == (
            [] if store == table.id.quarantine else [(n,) for n in range(20) if n % 5]
        )
    assert reconcile([domain], installation=installation).problems == ()
    searched = erase([domain], [ANNA], why="asked", ground="gdpr-17", installation=installation, run=run)
    assert searched.scan.by_text
    assert searched.open_ends == ()
