"""The same content under two names in one batch is a finding; its rows are delivered, for a sender may mean it."""

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.ledger import FindingKind
from readiness_pipelines.overview import observe
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.gallery.running import write


class Order(pa.DataFrameModel):
    """One order."""

    order_id: arrow.string()


def test_a_file_that_was_sent_again_under_another_name_is_a_finding_and_files_without_rows_are_none(
    installation: Installation,
) -> None:
    shop = Domain("shop", owner="shop@shop.example")
    source = Source(origin="Export", steward=Steward("S", "s@s.example"), reader=FileDrop("{batch}/*.csv"))
    orders = shop.gated("orders", schema=Order, batches=StaticBatches(keys=("b",)), source=source)
    write(installation, "b/north.csv", "order_id", "1")
    for name in ("orders.csv", "orders (1).csv"):
        write(installation, f"b/{name}", "order_id", "2", "3")
    for shop_without_orders in ("east.csv", "west.csv"):
        write(installation, f"b/{shop_without_orders}", "order_id")
    (delivered,) = run_domains(shop, installation=installation)
    assert delivered.counts.published == 5
    (finding,) = observe(shop.tables, installation=installation, now=utc_now()).findings
    assert (finding.kind, finding.table, finding.batch) == (FindingKind.REPEATED, orders.id, "b")
    assert finding.seen == "2 files have the same content, 2 rows each: b/orders (1).csv, b/orders.csv"
