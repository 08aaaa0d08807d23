"""Another engine that lands payments in an Iceberg table of its own: PyIceberg, over a catalog in SQLite."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import _dataframe_to_data_files
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
)
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record

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


class _DeleteManifest(ManifestWriterV2):
    """PyIceberg reads delete files, and writes none: a manifest that lists them."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


class _RowDelta(_FastAppendFiles):
    """A commit as Spark and Flink make it where tables are merged on read: delete files, beside rows that are added."""

    deletes: DataFile

    def _existing_manifests(self) -> list[ManifestFile]:
        metadata = self._transaction.table_metadata
        output = self.new_manifest_output()
        with _DeleteManifest(metadata.spec(), metadata.schema(), output, self._snapshot_id, "deflate") as writer:
            writer.add(
                ManifestEntry.from_args(
                    status=ManifestEntryStatus.ADDED,
                    snapshot_id=self._snapshot_id,
                    sequence_number=None,
                    file_sequence_number=None,
                    data_file=self.deletes,
                )
            )
        return [writer.to_manifest_file(), *super()._existing_manifests()]


def delete_on_read(table: Table, payment: int, *, by_key: bool, added: arrow.Table | None = None) -> None:
    """Delete a payment by a delete file: by its place in a data file, or by its key; in the same commit, add rows."""
    if by_key:
        names, ids = ["payment_id"], [1]
        found = arrow.table({"payment_id": arrow.array([payment], arrow.int32())})
    else:
        names, ids = ["file_path", "pos"], [2147483546, 2147483545]
        file, place = _place_of(table, payment)
        found = arrow.table({"file_path": arrow.array([file]), "pos": arrow.array([place], arrow.int64())})
    fields = [
        found.schema.field(name).with_metadata({"PARQUET:field_id": str(number)})
        for name, number in zip(names, ids, strict=True)
    ]
    where = f"{table.location()}/data/deletes-{payment}-{by_key}.parquet"
    pq.write_table(found.cast(arrow.schema(fields)), where.removeprefix("file://"))
    deletes = DataFile.from_args(
        content=DataFileContent.EQUALITY_DELETES if by_key else DataFileContent.POSITION_DELETES,
        file_path=where,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=1,
        file_size_in_bytes=Path(where.removeprefix("file://")).stat().st_size,
        equality_ids=ids if by_key else None,
    )
    deletes.spec_id = table.spec().spec_id
    with table.transaction() as transaction:
        commit = _RowDelta(Operation.OVERWRITE, transaction, table.io)
        commit.deletes = deletes
        for one in _dataframe_to_data_files(table.metadata, added, table.io) if added is not None else ():
            commit.append_data_file(one)
        commit.commit()


def _place_of(table: Table, payment: int) -> tuple[str, int]:
    """The data file that has a payment, and its place there."""
    for task in table.scan().plan_files():
        ids = pq.read_table(task.file.file_path.removeprefix("file://"), columns=["payment_id"])[
            "payment_id"
        ].to_pylist()
        if payment in ids:
            return task.file.file_path, ids.index(payment)
    raise AssertionError(payment)


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
