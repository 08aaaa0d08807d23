"""One batch through: what is published, what waits, and what stays when things go wrong."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import DataPath
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import (
    Delivery,
    batch_ref,
    deliver,
    ingest,
    kpi_table,
    measure,
    measure_all,
    published_table,
    quarantine_table,
    raw_table,
)
from readiness_pipelines.errors import (
    CommitConflictError,
    DeclarationError,
    FileUnreadableError,
    UpstreamNotPublishedError,
)
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.ledger import BatchState
from readiness_pipelines.overview import path_map, status
from readiness_pipelines_tests.faults.crashes import struck
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, land, order_path

RUN = Run(run_id="r1", who="me")


def orders(path: DataPath) -> GatedTable:
    table = path.table("orders")
    assert isinstance(table, GatedTable)
    return table


def run_batch(path: DataPath, installation: Installation, batch: str, *rows: str, **options: Any) -> Delivery:
    land(installation.landing.path, batch, *rows, **options)
    ingest(path, orders(path), batch=batch, installation=installation, run=RUN)
    return deliver(path, orders(path), batch=batch, installation=installation, run=RUN)


def read(installation: Installation, table: TableId, **options: Any) -> list[dict[str, Any]]:
    if not installation.lakehouse.exists(table):
        return []
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, table, **options).to_arrow_table().to_pylist()
    return sorted(rows, key=lambda row: (row["_batch"], row["_row"]))


def where(path: DataPath, installation: Installation) -> dict[str, list[tuple[str, int]]]:
    """Every row's place: batch and number, by table."""
    tables = {
        "raw": raw_table(orders(path)),
        "published": published_table(path, orders(path)),
        "quarantined": quarantine_table(orders(path)),
    }
    return {name: [(r["_batch"], r["_row"]) for r in read(installation, table)] for name, table in tables.items()}


def test_good_rows_are_published_and_bad_ones_wait_as_they_arrived(installation: Installation) -> None:
    path = order_path()
    delivery = run_batch(path, installation, "day_1", *ONE_BAD)
    assert delivery.state is BatchState.PARTLY_PUBLISHED
    assert [row["order_id"] for row in read(installation, published_table(path, orders(path)))] == [1, 3, 4]
    (waiting,) = read(installation, quarantine_table(orders(path)))
    assert (waiting["amount"], waiting["note"], waiting["_row"]) == ("-20", "?", 1)
    assert waiting["_file"] == "orders/day_1.csv"
    assert waiting["_gate_version"] == delivery.gate_version
    assert waiting["_errors"] == [
        {"rule": "amount_greater_than_or_equal_to", "column": "amount", "reason": "greater_than_or_equal_to(0)"}
    ]


def test_every_row_is_in_one_place(installation: Installation) -> None:
    path = order_path()
    run_batch(path, installation, "day_1", *ONE_BAD)
    run_batch(path, installation, "day_2", *GOOD)
    run_batch(path, installation, "day_3", *MOSTLY_BAD)
    places = where(path, installation)
    assert sorted(places["published"] + places["quarantined"]) == places["raw"]
    assert not set(places["published"]) & set(places["quarantined"])
    for record in installation.ledger.batches(path=path.name):
        assert record.counts.accounted or record.state is BatchState.INGESTED


def test_a_held_batch_publishes_nothing_and_all_its_rows_wait(installation: Installation) -> None:
    path = order_path()
    delivery = run_batch(path, installation, "day_1", *MOSTLY_BAD)
    assert delivery.state is BatchState.HELD
    assert "3 of 4 rows (75.00%) fail, over the tolerance of 50.00%" in delivery.reason
    assert read(installation, published_table(path, orders(path))) == []
    assert [len(row["_errors"]) for row in read(installation, quarantine_table(orders(path)))] == [1, 1, 1, 0]


def test_what_a_held_batch_published_before_stays(installation: Installation) -> None:
    path = order_path()
    before = run_batch(path, installation, "day_1", *GOOD)
    after = run_batch(path, installation, "day_1", *MOSTLY_BAD)
    assert after.state is BatchState.HELD
    assert after.snapshots.published == before.snapshots.published
    assert [row["order_id"] for row in read(installation, published_table(path, orders(path)))] == [1, 2, 3, 4]


def test_a_batch_that_was_mended_leaves_nothing_behind_in_quarantine(installation: Installation) -> None:
    path = order_path()
    run_batch(path, installation, "day_1", *MOSTLY_BAD)
    delivery = run_batch(path, installation, "day_1", *GOOD)
    assert delivery.state is BatchState.PUBLISHED
    assert where(path, installation)["quarantined"] == []


def test_delivering_twice_changes_no_row_and_no_count(installation: Installation) -> None:
    path = order_path()
    first = run_batch(path, installation, "day_1", *ONE_BAD)
    before = where(path, installation), read(installation, published_table(path, orders(path)))
    second = run_batch(path, installation, "day_1", *ONE_BAD)
    assert (where(path, installation), read(installation, published_table(path, orders(path)))) == before
    assert second.counts == first.counts


def test_ingesting_the_same_files_again_writes_nothing(installation: Installation) -> None:
    path = order_path()
    land(installation.landing.path, "day_1", *GOOD)
    first = ingest(path, orders(path), batch="day_1", installation=installation, run=RUN)
    again = ingest(path, orders(path), batch="day_1", installation=installation, run=RUN)
    assert (first.unchanged, again.unchanged) == (False, True)
    assert again.snapshot_id == first.snapshot_id
    assert len(installation.lakehouse.snapshots(raw_table(orders(path)))) == 1


def test_a_batch_without_rows_is_empty_and_replaces_nothing(installation: Installation) -> None:
    path = order_path()
    run_batch(path, installation, "day_1", *GOOD)
    delivery = run_batch(path, installation, "day_1")
    assert delivery.state is BatchState.EMPTY
    assert len(read(installation, published_table(path, orders(path)))) == 4


def test_a_file_with_another_header_holds_the_batch(installation: Installation) -> None:
    delivery = run_batch(order_path(), installation, "day_1", "1,2", header="id,total")
    assert delivery.state is BatchState.HELD
    assert delivery.reason == "columns_present: missing: order_id, amount, status, note"


def test_a_file_that_is_cut_off_is_refused_and_what_was_ingested_stays(installation: Installation) -> None:
    path = order_path()
    run_batch(path, installation, "day_1", *GOOD)
    before = where(path, installation)
    table = orders(path)
    cut = replace(
        table, source=table.source.model_copy(update={"reader": type(table.source.reader)("orders/{batch}.csv*")})
    )
    (installation.landing.path / "orders" / "day_1.csv.gz").write_bytes(
        gzip.compress(b"order_id\n" + b"1\n" * 5000)[:-30]
    )
    with pytest.raises(FileUnreadableError, match=r"orders/day_1.csv.gz"):
        ingest(path, cut, batch="day_1", installation=installation, run=RUN)
    assert where(path, installation) == before
    assert installation.ledger.open_attempts() == ()
    assert installation.ledger.trail()[-1].what == "failed"


def test_nothing_ingested_is_nothing_to_deliver(installation: Installation) -> None:
    path = order_path()
    with pytest.raises(UpstreamNotPublishedError, match="nothing of batch 'day_1' was ingested"):
        deliver(path, orders(path), batch="day_1", installation=installation, run=RUN)


def test_a_derived_table_reads_what_is_published_and_keeps_row_numbers(installation: Installation) -> None:
    path = order_path()
    run_batch(path, installation, "day_1", *GOOD)
    delivery = deliver(path, path.table("paid"), batch="day_1", installation=installation, run=RUN)
    rows = read(installation, published_table(path, path.table("paid")))
    assert [(row["order_id"], row["_row"], row["_batch"]) for row in rows] == [
        (1, 0, "day_1"),
        (3, 2, "day_1"),
        (4, 3, "day_1"),
    ]
    assert set(delivery.inputs) == {"shop.orders"}


def test_nothing_is_derived_or_measured_from_a_held_batch(installation: Installation) -> None:
    path = order_path()
    run_batch(path, installation, "day_1", *GOOD)
    run_batch(path, installation, "day_1", *MOSTLY_BAD)
    with pytest.raises(UpstreamNotPublishedError, match=r"batch 'day_1' of shop.orders is held: 3 of 4"):
        deliver(path, path.table("paid"), batch="day_1", installation=installation, run=RUN)
    with pytest.raises(UpstreamNotPublishedError, match="is held"):
        measure(path, batch="day_1", installation=installation, run=RUN)


def test_the_kpi_is_measured_per_batch_and_over_all(installation: Installation) -> None:
    path = order_path()
    run_batch(path, installation, "day_1", *GOOD)
    run_batch(path, installation, "day_2", "5,1,refunded,", "6,1,paid,")
    measured = [measure(path, batch=batch, installation=installation, run=RUN) for batch in ("day_1", "day_2")]
    assert [(m.value, m.numerator, m.denominator, m.met) for m in measured] == [(0.25, 1, 4, True), (0.5, 1, 2, True)]
    everything = measure_all(path, installation=installation)
    assert (everything.value, everything.numerator, everything.denominator) == (2 / 6, 2, 6)
    (first, _) = read(installation, kpi_table(path))
    assert (first["value"], first["target"], first["met"], first["unit"]) == (0.25, "<= 0.5", True, "ratio")
    assert [entry["table"] for entry in first["inputs"]] == ["shop.orders"]


def test_a_measure_of_many_rows_is_refused(installation: Installation) -> None:
    path = order_path("other_rate")
    run_batch(path, installation, "day_1", *GOOD)
    step = path.kpi_measure
    assert step is not None
    path._measures[0] = replace(step, transform=lambda orders: orders)
    with pytest.raises(DeclarationError, match="returned 4 rows"):
        measure(path, batch="day_1", installation=installation, run=RUN)


def test_status_tells_where_every_batch_stands(installation: Installation) -> None:
    path = order_path()
    empty = status(path, installation=installation)
    assert [entry.batch for entry in empty.batches] == ["day_1", "day_2", "day_3"]
    assert empty.kpi is None
    run_batch(path, installation, "day_1", *ONE_BAD)
    measure(path, batch="day_1", installation=installation, run=RUN)
    run_batch(path, installation, "day_2", *MOSTLY_BAD)
    now = status(path, installation=installation)
    assert [(e.counts.ingested, e.counts.published, e.counts.quarantined, e.held) for e in now.batches] == [
        (4, 3, 1, False),
        (4, 0, 4, True),
        (0, 0, 0, False),
    ]
    assert (now.total.ingested, now.total.published, now.total.quarantined) == (8, 3, 5)
    assert now.batches[0].kpi is not None
    assert now.kpi is not None


def test_the_map_of_a_path_tells_who_answers_at_every_step() -> None:
    steps = path_map(order_path())
    assert [(step.table, step.kind, step.reads) for step in steps] == [
        ("raw.orders", "raw", ("orders/{batch}.csv",)),
        ("shop.orders", "gated", ("raw.orders",)),
        ("shop.paid", "derived", ("shop.orders",)),
        ("kpi.refund_rate", "kpi", ("shop.orders",)),
    ]
    assert [step.answers for step in steps] == [("Shop team <shop@shop.example>",)] * 3 + [("shop@shop.example",)]


@pytest.mark.parametrize("point", ["stage", "replace"])
@pytest.mark.parametrize("call", [0, 1])
def test_a_delivery_that_breaks_in_the_middle_is_finished_by_the_next(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, point: str, call: int
) -> None:
    path = order_path()
    land(installation.landing.path, "day_1", *ONE_BAD)
    ingest(path, orders(path), batch="day_1", installation=installation, run=RUN)
    _break_call(monkeypatch, point, call)
    with pytest.raises(OSError, match="no space left"):
        deliver(path, orders(path), batch="day_1", installation=installation, run=RUN)
    places = where(path, installation)
    assert places["published"] == []
    monkeypatch.undo()
    delivery = deliver(path, orders(path), batch="day_1", installation=installation, run=RUN)
    assert delivery.state is BatchState.PARTLY_PUBLISHED
    places = where(path, installation)
    assert sorted(places["published"] + places["quarantined"]) == places["raw"]


def _break_call(monkeypatch: pytest.MonkeyPatch, point: str, call: int) -> None:
    from readiness_pipelines.lakehouse import Lakehouse  # noqa: PLC0415  # patched here only

    real: Callable[..., Any] = getattr(Lakehouse, point)
    calls: list[None] = []

    def breaking(*args: Any, **kwargs: Any) -> Any:
        calls.append(None)
        if len(calls) > call:
            raise OSError("no space left")
        return real(*args, **kwargs)

    monkeypatch.setattr(Lakehouse, point, breaking)


def test_the_landing_folder_is_never_written(installation: Installation) -> None:
    path = order_path()
    run_batch(path, installation, "day_1", *ONE_BAD)
    assert [
        file.relative_to(installation.landing.path) for file in installation.landing.path.rglob("*") if file.is_file()
    ] == [Path("orders/day_1.csv")]


@pytest.mark.parametrize("place", [1, 2])
def test_a_delivery_that_another_one_superseded_leaves_the_tables_to_it(installation: Installation, place: int) -> None:
    path = order_path()
    run_batch(path, installation, "day_1", *ONE_BAD)
    ref = batch_ref(path, published_table(path, orders(path)), "day_1")
    published = read(installation, published_table(path, orders(path)))

    def begin_elsewhere() -> None:
        installation.ledger.begin(ref, attempt="elsewhere", run_id="r2", who="you", at=RUN.clock())

    with (
        struck("replace", place, "before", begin_elsewhere),
        pytest.raises(CommitConflictError, match="began meanwhile"),
    ):
        deliver(path, orders(path), batch="day_1", installation=installation, run=RUN)
    assert read(installation, published_table(path, orders(path))) == published
    assert [attempt.attempt for attempt in installation.ledger.open_attempts()] == ["elsewhere"]
    deliver(path, orders(path), batch="day_1", installation=installation, run=RUN)
    assert installation.ledger.open_attempts() == ()
