"""A topic ends in the same tables as files, each message once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.delivery import do_work, due_work, reconcile
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.brokers import Broker, broker
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.streaming.payments import (
    FILES,
    START,
    TOPIC,
    WINDOW,
    Clock,
    mixed,
    payments_domain,
    payments_table,
    read_until,
    rows_of,
)

ROWS = "payment_id, paid_at, amount, state, note"
QUARANTINED = "payment_id, paid_at, amount, state, note, list_transform(_errors, lambda one: one.rule) AS rules"
KPI = "*"


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    with broker("noida", tmp_path / "broker") as one:
        yield one


def test_a_sealed_stream_has_the_rows_that_the_same_records_have_as_a_file(
    noida: Broker, installation: Installation, tmp_path: Path
) -> None:
    values = mixed(3_000)
    noida.make_topic(TOPIC)
    noida.send(TOPIC, values)
    clock = Clock()
    run = Run(clock=clock)
    domain = payments_domain()
    table = payments_table(domain)
    progress = read_until(table, noida, installation, records=len(values), run=run)
    assert progress.records == len(values)
    assert progress.slices > 1
    record = installation.ledger.get(BatchRef(table.id, WINDOW))
    assert record is not None
    assert record.state is BatchState.OPEN
    before = rows_of(installation, table.id, ROWS)
    assert len(before) + len(rows_of(installation, table.id.quarantine, "_row")) == len(values)
    assert due_work([domain], installation=installation, now=clock.now) == ()
    clock.now = START + timedelta(hours=1, seconds=15)
    (work,) = due_work([domain], installation=installation, now=clock.now)
    assert [one.name for one in work.tables] == ["payments", "refunds"]
    do_work(work, installation=installation, run=run)
    assert due_work([domain], installation=installation, now=clock.now) == ()
    assert rows_of(installation, table.id, ROWS) == before
    assert reconcile([domain], installation=installation).problems == ()

    (tmp_path / "other" / "landing" / "payments").mkdir(parents=True)
    other = Installation.open(settings_in(tmp_path / "other"))
    (tmp_path / "other" / "landing" / "payments" / "2026-11-02-10:00.jsonl").write_bytes(b"\n".join(values) + b"\n")
    files = payments_domain(FILES)
    do_work(due_work([files], installation=other, now=clock.now)[0], installation=other, run=run)
    assert rows_of(other, table.id, ROWS) == before
    for ident, columns in ((table.id.quarantine, QUARANTINED), (domain.table("refunds").id, KPI)):
        assert rows_of(installation, ident, columns) == rows_of(other, ident, columns)
    verdicts = [one.ledger.get(BatchRef(table.id, WINDOW)) for one in (installation, other)]
    assert [one and (one.state, one.counts, one.reason) for one in verdicts][0] == [
        one and (one.state, one.counts, one.reason) for one in verdicts
    ][1]
