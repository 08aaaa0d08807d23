"""The rows by which a tolerance over the last rows is counted: windows without one of them are not judged again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as arrow
import pytest

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.columns import OFFSET_BITS, RAW_COLUMNS
from readiness_pipelines.delivery.judging import judged_batch
from readiness_pipelines.gates import Hold
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.ledger import BatchRecord, Snapshots, StoredColumn
from readiness_pipelines_tests.streaming.payments import START, payments_domain, payments_table

WINDOWS = [f"{START + timedelta(hours=number):%Y-%m-%d-%H:%M}" for number in range(8)]
COLUMNS = ("payment_id", "paid_at", "amount", "state", "note")
SCHEMA = arrow.schema([*((name, arrow.string()) for name in COLUMNS), *RAW_COLUMNS])


def test_windows_without_a_row_of_a_quiet_partition_are_not_judged_again_for_it(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = payments_table(payments_domain(ratio=0.5, over=4))
    raw, lakehouse = table.id.raw, installation.lakehouse
    lakehouse.ensure(raw, SCHEMA)
    quiet = {WINDOWS[0]: (0, 1), WINDOWS[-1]: (2,)}
    for number, window in enumerate(WINDOWS):
        busy = [_row(window, 0, offset, "1.00") for offset in (2 * number, 2 * number + 1)]
        rows = [*busy, *(_row(window, 1, offset, "-1.00") for offset in quiet.get(window, ()))]
        with installation.engine() as engine:
            given = engine.from_arrow(arrow.Table.from_pylist(rows, schema=SCHEMA))
            staged = lakehouse.stage(raw, given, batch=window, schema=SCHEMA)
            snapshot = lakehouse.append(raw, staged, properties={"readiness.attempt": window}).snapshot_id
        record = BatchRecord(
            ref=BatchRef(raw, window),
            state=BatchState.INGESTED,
            counts=Counts(ingested=len(rows)),
            snapshots=Snapshots(raw=snapshot),
            columns=tuple(StoredColumn(name=name, type="string", stored=name) for name in COLUMNS),
            updated_at=datetime(2026, 11, 3, tzinfo=UTC),
        )
        installation.ledger.record(record, what="ingested", who="a test")

    judged: list[Any] = []
    relation = Lakehouse.relation

    def watched(self: Lakehouse, *args: Any, **options: Any) -> Any:
        if options.get("as_arrived"):
            judged.append(options["batch"])
        return relation(self, *args, **options)

    monkeypatch.setattr(Lakehouse, "relation", watched)
    with judged_batch(table, batch=WINDOWS[-1], decisions=(), installation=installation) as found:
        assert found.verdict.outcome == Hold("3 of the last 4 rows of partition 1 fail, over the tolerance of 50.00%")
    assert judged == [WINDOWS[-1], WINDOWS[0]]


def _row(window: str, partition: int, offset: int, amount: str) -> dict[str, Any]:
    number = partition << OFFSET_BITS | offset
    values = (str(number), START.isoformat(), amount, "paid", "a note")
    return {**dict(zip(COLUMNS, values, strict=True)), "_batch": window, "_row": number, "_file": "payments"}
