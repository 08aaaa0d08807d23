"""One batch through: what is published, what waits, and what stays when things go wrong."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import Domain, FileDrop, Versions
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.delivery import Delivery, deliver, ingest, kpi_values
from readiness_pipelines.errors import (
    CommitConflictError,
    DeclarationError,
    FileUnreadableError,
    LakehouseError,
    UpstreamNotPublishedError,
)
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.products import combined
from readiness_pipelines_tests.faults.crashes import struck
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, gated, land, order_domain

RUN = Run(run_id="r1", who="me")


def run_batch(shop: Domain, installation: Installation, batch: str, *rows: str, **options: Any) -> Delivery:
    land(installation.landing.path, batch, *rows, **options)
    ingest(gated(shop), batch=batch, installation=installation, run=RUN)
    return deliver(gated(shop), batch=batch, installation=installation, run=RUN)


def read(installation: Installation, table: TableId, **options: Any) -> list[dict[str, Any]]:
    if not installation.lakehouse.exists(table):
        return []
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, table, **options).to_arrow_table().to_pylist()
    return sorted(rows, key=lambda row: (row["_batch"], row["_row"]))


def where(shop: Domain, installation: Installation) -> dict[str, list[tuple[str, int]]]:
    """Every row's place: batch and number, by table."""
    tables = {
        "raw": gated(shop).id.raw,
        "published": gated(shop).id,
        "quarantined": gated(shop).id.quarantine,
    }
    return {name: [(r["_batch"], r["_row"]) for r in read(installation, table)] for name, table in tables.items()}


def test_good_rows_are_published_and_bad_ones_wait_as_they_arrived(installation: Installation) -> None:
    shop = order_domain()
    delivery = run_batch(shop, installation, "day_1", *ONE_BAD)
    assert delivery.state is BatchState.PARTLY_PUBLISHED
    assert [row["order_id"] for row in read(installation, gated(shop).id)] == [1, 3, 4]
    (waiting,) = read(installation, gated(shop).id.quarantine)
    assert (waiting["amount"], waiting["note"], waiting["_row"]) == ("-20", "?", 1)
    assert waiting["_file"] == "orders/day_1.csv"
    assert waiting["_gate_version"] == delivery.gate_version
    assert waiting["_errors"] == [
        {"rule": "amount_greater_than_or_equal_to", "column": "amount", "reason": "greater_than_or_equal_to(0)"}
    ]


def test_every_row_is_in_one_place(installation: Installation) -> None:
    shop = order_domain()
    run_batch(shop, installation, "day_1", *ONE_BAD)
    run_batch(shop, installation, "day_2", *GOOD)
    run_batch(shop, installation, "day_3", *MOSTLY_BAD)
    places = where(shop, installation)
    assert sorted(places["published"] + places["quarantined"]) == places["raw"]
    assert not set(places["published"]) & set(places["quarantined"])
    for record in installation.ledger.batches():
        assert record.counts.accounted or record.state is BatchState.INGESTED


def test_a_held_batch_publishes_nothing_and_all_its_rows_wait(installation: Installation) -> None:
    shop = order_domain()
    delivery = run_batch(shop, installation, "day_1", *MOSTLY_BAD)
    assert delivery.state is BatchState.HELD
    assert "3 of 4 rows (75.00%) fail, over the tolerance of 50.00%" in delivery.reason
    assert read(installation, gated(shop).id) == []
    assert [len(row["_errors"]) for row in read(installation, gated(shop).id.quarantine)] == [1, 1, 1, 0]


def test_what_a_held_batch_published_before_stays(installation: Installation) -> None:
    shop = order_domain()
    before = run_batch(shop, installation, "day_1", *GOOD)
    after = run_batch(shop, installation, "day_1", *MOSTLY_BAD)
    assert after.state is BatchState.HELD
    assert after.snapshots.published == before.snapshots.published
    assert [row["order_id"] for row in read(installation, gated(shop).id)] == [1, 2, 3, 4]


def test_a_newest_version_that_is_held_or_comes_without_rows_is_still_what_the_table_shows(
    installation: Installation,
) -> None:
    shop = order_domain(batches=Versions())
    run_batch(shop, installation, "2026-10-01", "9,1,paid,old")
    run_batch(shop, installation, "2026-11-01", *GOOD)
    commits = len(installation.lakehouse.snapshots(gated(shop).id))
    assert run_batch(shop, installation, "2026-11-01", *MOSTLY_BAD).state is BatchState.HELD
    assert run_batch(shop, installation, "2026-11-01").state is BatchState.EMPTY
    assert [row["order_id"] for row in read(installation, gated(shop).id)] == [1, 2, 3, 4]
    assert len(installation.lakehouse.snapshots(gated(shop).id)) == commits


def test_a_batch_that_was_mended_leaves_nothing_behind_in_quarantine(installation: Installation) -> None:
    shop = order_domain()
    run_batch(shop, installation, "day_1", *MOSTLY_BAD)
    delivery = run_batch(shop, installation, "day_1", *GOOD)
    assert delivery.state is BatchState.PUBLISHED
    assert where(shop, installation)["quarantined"] == []


def test_delivering_twice_changes_no_row_and_no_count(installation: Installation) -> None:
    shop = order_domain()
    first = run_batch(shop, installation, "day_1", *ONE_BAD)
    before = where(shop, installation), read(installation, gated(shop).id)
    second = run_batch(shop, installation, "day_1", *ONE_BAD)
    assert (where(shop, installation), read(installation, gated(shop).id)) == before
    assert second.counts == first.counts


def test_ingesting_the_same_files_again_writes_nothing(installation: Installation) -> None:
    shop = order_domain()
    land(installation.landing.path, "day_1", *GOOD)
    first = ingest(gated(shop), batch="day_1", installation=installation, run=RUN)
    again = ingest(gated(shop), batch="day_1", installation=installation, run=RUN)
    assert (first.unchanged, again.unchanged) == (False, True)
    assert again.snapshot_id == first.snapshot_id
    assert len(installation.lakehouse.snapshots(gated(shop).id.raw)) == 1


def test_a_batch_without_rows_is_empty_and_replaces_nothing(installation: Installation) -> None:
    shop = order_domain()
    run_batch(shop, installation, "day_1", *GOOD)
    delivery = run_batch(shop, installation, "day_1")
    assert delivery.state is BatchState.EMPTY
    assert len(read(installation, gated(shop).id)) == 4


def test_a_file_with_another_header_holds_the_batch(installation: Installation) -> None:
    delivery = run_batch(order_domain(), installation, "day_1", "1,2", header="id,total")
    assert delivery.state is BatchState.HELD
    assert delivery.reason == "columns_present: missing: order_id, amount, status, note"


def test_a_file_that_is_cut_off_is_refused_and_what_was_ingested_stays(installation: Installation) -> None:
    shop = order_domain()
    run_batch(shop, installation, "day_1", *GOOD)
    before = where(shop, installation)
    table = gated(shop)
    cut = replace(table, source=table.source.model_copy(update={"reader": FileDrop("orders/{batch}.csv*")}))
    (installation.landing.path / "orders" / "day_1.csv.gz").write_bytes(
        gzip.compress(b"order_id\n" + b"1\n" * 5000)[:-30]
    )
    with pytest.raises(FileUnreadableError, match=r"orders/day_1.csv.gz"):
        ingest(cut, batch="day_1", installation=installation, run=RUN)
    assert where(shop, installation) == before
    assert installation.ledger.open_attempts() == ()
    assert installation.ledger.trail()[-1].what == "failed"


def test_nothing_ingested_is_nothing_to_deliver(installation: Installation) -> None:
    shop = order_domain()
    with pytest.raises(UpstreamNotPublishedError, match="nothing of batch 'day_1' was ingested"):
        deliver(gated(shop), batch="day_1", installation=installation, run=RUN)


def test_a_derived_table_reads_what_is_published_and_keeps_row_numbers(installation: Installation) -> None:
    shop = order_domain()
    run_batch(shop, installation, "day_1", *GOOD)
    delivery = deliver(shop.table("paid"), batch="day_1", installation=installation, run=RUN)
    rows = read(installation, shop.table("paid").id)
    assert [(row["order_id"], row["_row"], row["_batch"]) for row in rows] == [
        (1, 0, "day_1"),
        (3, 2, "day_1"),
        (4, 3, "day_1"),
    ]
    assert set(delivery.inputs) == {TableId("shop", "orders")}


def test_nothing_is_computed_from_a_held_batch_that_never_published(installation: Installation) -> None:
    shop = order_domain()
    run_batch(shop, installation, "day_1", *MOSTLY_BAD)
    for name in ("paid", "refund_rate"):
        with pytest.raises(UpstreamNotPublishedError, match=r"batch 'day_1' of shop.orders is held: 3 of 4"):
            deliver(shop.table(name), batch="day_1", installation=installation, run=RUN)


def test_what_a_held_batch_published_before_is_what_is_computed_from_it(installation: Installation) -> None:
    shop = order_domain()
    run_batch(shop, installation, "day_1", *GOOD)
    run_batch(shop, installation, "day_1", *MOSTLY_BAD)
    delivery = deliver(shop.table("paid"), batch="day_1", installation=installation, run=RUN)
    assert delivery.counts.published == 3


def test_a_kpi_is_delivered_per_batch_and_batches_add_up(installation: Installation) -> None:
    shop = order_domain()
    kpi = shop.kpis[0]
    run_batch(shop, installation, "day_1", *GOOD)
    run_batch(shop, installation, "day_2", "5,1,refunded,", "6,1,paid,")
    for batch in ("day_1", "day_2"):
        assert deliver(kpi, batch=batch, installation=installation, run=RUN).state is BatchState.PUBLISHED
    values = kpi_values(kpi, installation=installation)
    assert [(v.batch, v.value, v.numerator, v.denominator, v.met) for v in values] == [
        ("day_1", 0.25, 1, 4, True),
        ("day_2", 0.5, 1, 2, True),
    ]
    everything = combined(kpi, values)
    assert everything is not None
    assert (everything.value, everything.numerator, everything.denominator) == (2 / 6, 2, 6)
    (first, _) = read(installation, kpi.id)
    assert (first["value"], first["target"], first["met"], first["unit"]) == (0.25, "<= 0.5", True, "ratio")
    record = installation.ledger.get(BatchRef(kpi.id, "day_1"))
    assert record is not None
    assert {table: set(batches) for table, batches in record.inputs.items()} == {gated(shop).id: {"day_1"}}


def test_a_kpi_of_many_rows_without_dimensions_is_refused(installation: Installation) -> None:
    shop = order_domain()

    @shop.kpi(question="?", unit="count")
    def amounts(orders: Any) -> Any:
        return orders.project("amount AS value")

    run_batch(shop, installation, "day_1", *GOOD)
    with pytest.raises(DeclarationError, match=r"shop.amounts returned 4 rows"):
        deliver(amounts, batch="day_1", installation=installation, run=RUN)


@pytest.mark.parametrize("point", ["stage", "replace"])
@pytest.mark.parametrize("call", [0, 1])
def test_a_delivery_that_breaks_in_the_middle_is_finished_by_the_next(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, point: str, call: int
) -> None:
    shop = order_domain()
    land(installation.landing.path, "day_1", *ONE_BAD)
    ingest(gated(shop), batch="day_1", installation=installation, run=RUN)
    _break_call(monkeypatch, point, call)
    with pytest.raises(LakehouseError, match="no space left"):
        deliver(gated(shop), batch="day_1", installation=installation, run=RUN)
    places = where(shop, installation)
    assert places["published"] == []
    monkeypatch.undo()
    delivery = deliver(gated(shop), batch="day_1", installation=installation, run=RUN)
    assert delivery.state is BatchState.PARTLY_PUBLISHED
    places = where(shop, installation)
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
    shop = order_domain()
    run_batch(shop, installation, "day_1", *ONE_BAD)
    assert [
        file.relative_to(installation.landing.path) for file in installation.landing.path.rglob("*") if file.is_file()
    ] == [Path("orders/day_1.csv")]


@pytest.mark.parametrize("place", [1, 2])
def test_a_delivery_that_another_one_superseded_leaves_the_tables_to_it(installation: Installation, place: int) -> None:
    shop = order_domain()
    run_batch(shop, installation, "day_1", *ONE_BAD)
    ref = BatchRef(gated(shop).id, "day_1")
    published = read(installation, gated(shop).id)

    def begin_elsewhere() -> None:
        installation.ledger.begin(ref, attempt="elsewhere", run_id="r2", who="you", at=RUN.clock())

    with (
        struck("replace", place, "before", begin_elsewhere),
        pytest.raises(CommitConflictError, match="began meanwhile"),
    ):
        deliver(gated(shop), batch="day_1", installation=installation, run=RUN)
    assert read(installation, gated(shop).id) == published
    assert [attempt.attempt for attempt in installation.ledger.open_attempts()] == ["elsewhere"]
    deliver(gated(shop), batch="day_1", installation=installation, run=RUN)
    assert installation.ledger.open_attempts() == ()
