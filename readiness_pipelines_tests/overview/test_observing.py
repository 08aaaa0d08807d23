"""What one look at a path finds: slow batches, and nothing where all is as promised."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import DataPath, FileDrop, Freshness, Kpi, Source, StaticBatches, Steward, Tolerance
from readiness_pipelines.delivery import batch_ref, deliver, ingest, published_table
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import observe
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, Order, land

START = datetime(2026, 1, 1, tzinfo=UTC)


def prompt_path(schema: Any = Order, **promises: Any) -> DataPath:
    path = DataPath(
        kpi=Kpi("order_count", question="How many?", unit="count", owner="a@b.example"),
        batches=StaticBatches(keys=("a", "b")),
        namespace="shop",
    )
    source = Source(
        origin="Shop", steward=Steward("S", "s@s.example"), reader=FileDrop("orders/{batch}.csv", missing="?")
    )
    path.gated(name="orders", source=source, schema=schema, tolerance=Tolerance(quarantined_ratio=0.5), **promises)
    return path


def bring(
    path: DataPath, installation: Installation, batch: str, rows: tuple[str, ...], *, at: datetime, **options: Any
) -> None:
    """A file lands at the start, and is delivered at a time."""
    file = land(installation.landing.path, batch, *rows, **options)
    os.utime(file, (START.timestamp(), START.timestamp()))
    orders: Any = path.table("orders")
    run = Run(clock=lambda: at)
    ingest(path, orders, batch=batch, installation=installation, run=run)
    deliver(path, orders, batch=batch, installation=installation, run=run)


def found(path: DataPath, installation: Installation, now: datetime) -> list[tuple[str, str | None, str]]:
    return [(f.kind.value, f.batch, f.seen) for f in observe(path, installation=installation, now=now).findings]


def test_a_batch_that_took_longer_than_promised_is_found_until_a_later_one_is_in_time(
    installation: Installation,
) -> None:
    path = prompt_path(latency="10m")
    bring(path, installation, "a", GOOD, at=START + timedelta(minutes=25))
    assert found(path, installation, START + timedelta(hours=1)) == [("latency", "a", "took 25m")]
    bring(path, installation, "b", GOOD, at=START + timedelta(minutes=9))
    bring(path, installation, "b", (*GOOD, "9,1,paid,x"), at=START + timedelta(minutes=26))
    assert found(path, installation, START + timedelta(hours=1)) == []


def test_a_batch_that_was_ingested_and_goes_no_further_is_found(installation: Installation) -> None:
    path = prompt_path(latency="10m")
    orders: Any = path.table("orders")
    os.utime(land(installation.landing.path, "a", *GOOD), (START.timestamp(), START.timestamp()))
    ingest(path, orders, batch="a", installation=installation, run=Run(clock=lambda: START))
    assert found(path, installation, START + timedelta(minutes=10)) == []
    late = found(path, installation, START + timedelta(minutes=11))
    assert late == [("latency", "a", "it landed 11m ago and is not published")]


def test_a_computed_table_is_slow_counted_from_its_last_input(installation: Installation) -> None:
    path = prompt_path()

    @path.derived(schema=Order, latency="10m")
    def cheap(orders: Relation) -> Relation:
        return orders.filter("amount < 100")

    bring(path, installation, "a", GOOD, at=START + timedelta(minutes=25))
    assert found(path, installation, START + timedelta(minutes=35)) == []
    late = found(path, installation, START + timedelta(minutes=36))
    assert late == [("latency", "a", "orders came 11m ago and is not published")]
    run = Run(clock=lambda: START + timedelta(minutes=40))
    deliver(path, path.table("cheap"), batch="a", installation=installation, run=run)
    assert found(path, installation, START + timedelta(hours=1)) == [("latency", "a", "took 15m")]


def test_a_held_batch_is_held_and_not_slow(installation: Installation) -> None:
    path = prompt_path(latency="10m")
    bring(path, installation, "a", MOSTLY_BAD, at=START + timedelta(minutes=25))
    assert [kind for kind, _, _ in found(path, installation, START + timedelta(hours=1))] == ["held"]


def test_a_delivery_that_began_long_ago_and_did_not_end_is_broken(installation: Installation) -> None:
    path = prompt_path()
    ref = batch_ref(path, published_table(path, path.table("orders")), "a")
    installation.ledger.begin(ref, attempt="killed", run_id="r", who="night", at=START)
    assert found(path, installation, START + timedelta(hours=2)) == []
    ((kind, batch, seen),) = found(path, installation, START + timedelta(hours=3))
    assert (kind, batch) == ("broken", "a")
    assert "did not end" in seen


class Reading(pa.DataFrameModel):
    """One reading of a sensor."""

    seen_at: arrow.timestamp("us", tz="UTC")
    day: arrow.date32()


@pytest.mark.parametrize(
    ("column", "newest"), [("seen_at", datetime(2026, 1, 1, 9, tzinfo=UTC)), ("day", datetime(2026, 1, 2, tzinfo=UTC))]
)
def test_the_newest_event_of_a_batch_is_kept(installation: Installation, column: str, newest: datetime) -> None:
    promise = Freshness(warn_after="1h", fail_after="2h", event_time=column)
    path = prompt_path(schema=Reading, freshness=promise)
    rows = ("2026-01-01T09:00:00Z,2026-01-01", "2026-01-01T08:00:00Z,2026-01-02")
    bring(path, installation, "a", rows, at=START, header="seen_at,day")
    record = installation.ledger.get(batch_ref(path, published_table(path, path.table("orders")), "a"))
    assert record is not None
    assert record.newest_event_at == newest
    late = found(path, installation, newest + timedelta(minutes=61))
    assert [kind for kind, _, _ in late] == ["freshness"]


@pytest.mark.parametrize(("column", "told"), [("amount", "is double and no time"), ("amout", "did you mean 'amount'")])
def test_an_event_time_that_is_none_is_refused_before_anything_is_published(
    installation: Installation, column: str, told: str
) -> None:
    path = prompt_path(freshness=Freshness(warn_after="1d", fail_after="2d", event_time=column))
    with pytest.raises(DeclarationError, match=told):
        bring(path, installation, "a", GOOD, at=START)
    assert not installation.lakehouse.exists(published_table(path, path.table("orders")))
