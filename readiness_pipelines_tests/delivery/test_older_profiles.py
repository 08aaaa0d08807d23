"""Profiles of earlier versions, which lay in Iceberg tables, are brought into the ledger once."""

from dataclasses import asdict

import pyarrow as pa

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery import bring_older_profiles, deliver, ingest
from readiness_pipelines.delivery.attempts import OpenAttempt
from readiness_pipelines.delivery.baseline import profiles_of
from readiness_pipelines.delivery.commit import commit_rows
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import BatchProfile, profile_of
from readiness_pipelines_tests.samples import BATCHES, GOOD, gated, land, order_domain

SHOP = order_domain()
ORDERS = SHOP.table("orders")
OLD = TableId("shop_profiles", "orders")
SCHEMA = pa.schema(
    [
        ("column", pa.string()),
        ("kind", pa.string()),
        *((name, pa.int64()) for name in ("rows", "nulls", "distinct")),
        *((name, pa.float64()) for name in ("minimum", "maximum", "mean", "deviation")),
        ("quantiles", pa.list_(pa.float64())),
        ("top", pa.list_(pa.struct([("value", pa.string()), ("rows", pa.int64())]))),
        ("_batch", pa.string()),
        ("_row", pa.int64()),
        ("_file", pa.string()),
    ]
)


def keep_as_before(installation: Installation, profile: BatchProfile) -> None:
    """Commit a profile to the Iceberg table, as earlier versions did."""
    found = [
        {
            **asdict(column),
            "column": name,
            "top": [{"value": value, "rows": rows} for value, rows in column.top.items()],
        }
        for name, column in profile.columns.items()
    ]
    framework = {"rows": profile.rows, "_batch": profile.batch, "_file": None}
    rows = [{**row, **framework, "_row": number} for number, row in enumerate(found or [{}])]
    with installation.engine() as engine:
        installation.lakehouse.ensure(OLD, SCHEMA)
        relation = engine.from_arrow(pa.Table.from_pylist(rows, schema=SCHEMA))
        staged = installation.lakehouse.stage(OLD, relation, batch=profile.batch, schema=SCHEMA)
        commit_rows(
            OLD,
            staged,
            BatchRef(ORDERS.id, profile.batch),
            attempt=OpenAttempt(id=profile.batch, confirm=lambda: None),
            installation=installation,
            engine=engine,
            run=Run(),
        )


def test_older_profiles_are_brought_once_and_take_the_place_of_no_newer_one(installation: Installation) -> None:
    rows = pa.table({"amount": [1.5, None, float("inf")], "status": ["paid", "paid", "é\x00"], "note": [None] * 3})
    full, empty = profile_of("day_2", rows), BatchProfile(batch="day_3", rows=0, columns={})
    for profile in (full, empty, profile_of("day_1", rows)):
        keep_as_before(installation, profile)
    land(installation.landing.path, "day_1", *GOOD)
    ingest(gated(SHOP), batch="day_1", installation=installation, run=Run())
    deliver(ORDERS, batch="day_1", installation=installation, run=Run())
    newer = profiles_of(ORDERS, BATCHES, installation=installation)
    assert bring_older_profiles(installation, [SHOP]) == 2
    assert profiles_of(ORDERS, BATCHES, installation=installation) == {**newer, "day_2": full, "day_3": empty}
    assert bring_older_profiles(installation, [SHOP]) == 0
