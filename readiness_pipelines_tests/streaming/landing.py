"""Another engine that lands payments in an Iceberg table of its own: PyIceberg, over a catalog in SQLite."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as arrow
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import LandedSnapshots
from readiness_pipelines.sources import LandedTable
from readiness_pipelines.streaming import LandedMessages, Progress, Shard, read_shard
from readiness_pipelines.streaming.points import Step
from readiness_pipelines_tests.streaming.payments import START
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

NAME = "landing.payments"
SCHEMA = arrow.schema(
    [
        ("payment_id", arrow.int32()),
        ("paid_at", arrow.timestamp("us", "UTC")),
        ("amount", arrow.decimal128(12, 2)),
        ("state", arrow.string()),
        ("note", arrow.string()),
    ]
)
READER = LandedTable(NAME, catalog="lake", slice_every="0.2s", slice_records=70)


def rows(first: int, count: int, **other: object) -> arrow.Table:
    """Payments as the other engine has them: one in forty has a negative amount, which the gate refuses."""
    found = [
        {
            "payment_id": number,
            "paid_at": START + timedelta(milliseconds=number),
            "amount": Decimal(-1 if number % 40 == 7 else number % 900) + Decimal(number % 100) / 100,
            "state": "refunded" if number % 9 == 0 else "paid",
            "note": None if number % 11 == 0 else f"n{number}",
            **other,
        }
        for number in range(first, first + count)
    ]
    return arrow.Table.from_pylist(found, SCHEMA)


def lake(folder: Path) -> SqlCatalog:
    """The other engine's catalog."""
    folder.mkdir(exist_ok=True)
    catalog = SqlCatalog("lake", uri=f"sqlite:///{folder}/lake.db", warehouse=f"file://{folder}")
    catalog.create_namespace_if_not_exists("landing")
    return catalog


def landed(catalog: SqlCatalog, properties: Mapping[str, str] | None = None) -> Table:
    """The table that it lands in."""
    return catalog.create_table(NAME, SCHEMA, properties=dict(properties or {}))


def compact(catalog: SqlCatalog, table: Table) -> Table:
    """Write all rows anew in one file, as Spark's `rewrite_data_files` does; PyIceberg calls the same an overwrite."""
    table.overwrite(table.scan().to_arrow())
    place = Path(table.metadata_location.removeprefix("file://"))
    said = json.loads(place.read_text())
    for snapshot in said["snapshots"]:
        if snapshot["summary"]["operation"] in ("delete", "overwrite"):
            snapshot["summary"]["operation"] = "replace"
        if snapshot["snapshot-id"] == said["current-snapshot-id"]:
            snapshot["summary"]["operation"] = "replace"
    place.write_text(json.dumps(said))
    return catalog.load_table(NAME)


def expire(table: Table, ids: Sequence[int]) -> None:
    """Forget snapshots."""
    table.maintenance.expire_snapshots().by_ids(list(ids)).commit()


def read_landed(
    table: GatedTable,
    folder: Path,
    installation: Installation,
    *,
    run: Run | None = None,
    until: Callable[[Progress], bool],
    seconds: float = LONGEST_SECONDS,
    step: Step = lambda _: None,
    skip_gap: str = "",
) -> Progress:
    """Read what another engine lands, until something is so."""
    reader: Any = table.source.reader
    progress = Progress(str(table.id), "0/1")
    ends = time.monotonic() + seconds
    return read_shard(
        table,
        Shard(),
        source=LandedMessages(reader, LandedSnapshots(NAME, lake(folder))),
        installation=installation,
        run=run or Run(),
        stop=lambda: until(progress) or time.monotonic() > ends,
        progress=progress,
        step=step,
        skip_gap=skip_gap,
    )
