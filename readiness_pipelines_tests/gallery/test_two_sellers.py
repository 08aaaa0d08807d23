"""One warehouse, several code locations: nobody touches what is another's, and nothing is lost."""

from datetime import UTC, datetime, timedelta

import pytest

from readiness_pipelines.delivery import ingest, maintain, reconcile, replay_batch
from readiness_pipelines.domains import checked_domains
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.gallery.running import rows, run, write
from readiness_pipelines_tests.gallery.two_sellers import (
    impostor,
    impostor_orders,
    retail,
    retail_orders,
    wholesale,
    wholesale_orders,
)

DAY = "2026-01-01"


def tables_of(table: TableId) -> tuple[TableId, ...]:
    return table, table.raw, table.quarantine


def content(installation: Installation, table: TableId) -> list[object]:
    return [rows(installation, one) for one in tables_of(table)]


def places(installation: Installation, table: TableId) -> list[object]:
    """Which rows are where, without what each run writes anew."""
    return [rows(installation, one, "_batch", "_row", "amount") for one in (table, table.raw, table.quarantine)]


def test_tables_of_one_name_are_apart_and_a_taken_name_is_refused(installation: Installation) -> None:
    header = "order_id,amount"
    write(installation, f"retail/{DAY}.csv", header, "1,10", "2,-5")
    run(retail, installation=installation)
    before = content(installation, retail_orders.id)
    assert all(before)
    write(installation, f"wholesale/{DAY}.csv", header, "7,1", "8,2", "9,-3")
    run(wholesale, installation=installation)
    assert content(installation, retail_orders.id) == before
    assert rows(installation, wholesale_orders.id, "order_id") == [(7,), (8,)]
    assert not set(tables_of(retail_orders.id)) & set(tables_of(wholesale_orders.id))

    with pytest.raises(DeclarationError, match="two domains are called 'retail'"):
        checked_domains([retail, impostor])
    write(installation, f"outlet/{DAY}.csv", header, "100,1")
    with pytest.raises(DeclarationError) as refused:
        run_domains(impostor, installation=installation)
    for one in (retail, impostor):
        assert one.module in refused.value.what
        assert one.owner in refused.value.what
    with pytest.raises(DeclarationError):
        ingest(impostor_orders, batch=DAY, installation=installation, run=Run())
    assert content(installation, retail_orders.id) == before
    assert reconcile([retail, wholesale], installation=installation).problems == ()


def test_after_its_past_is_forgotten_a_replay_publishes_its_own_rows(installation: Installation) -> None:
    for day, amount in ((DAY, 1), ("2026-01-02", 2)):
        for seller in ("retail", "wholesale"):
            write(installation, f"{seller}/{day}.csv", "order_id,amount", f"1,{amount + len(seller)}", "2,-1")
    run(retail, wholesale, installation=installation)
    before = [places(installation, table.id) for table in (retail_orders, wholesale_orders)]
    maintain(installation, now=datetime.now(UTC) + timedelta(days=1), retention=timedelta(0), most_snapshots=1)
    assert len(installation.lakehouse.snapshots(retail_orders.id.raw)) == 1
    replay_batch(retail_orders, batch=DAY, installation=installation, run=Run())
    assert rows(installation, retail_orders.id, "_batch", "amount") == [(DAY, 7), ("2026-01-02", 8)]
    after = [places(installation, table.id) for table in (retail_orders, wholesale_orders)]
    assert after == before
    run(retail, wholesale, installation=installation)
