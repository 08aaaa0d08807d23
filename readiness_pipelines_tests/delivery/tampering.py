"""Kinds of tampering with an installation, each with the batch that must be named and the level that promises it."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.table import Table
from sqlalchemy import create_engine, text

from readiness_pipelines import Domain, FileDrop, Source, Steward, Versions
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery import Level, deliver, ingest
from readiness_pipelines.delivery.attempts import OpenAttempt
from readiness_pipelines.delivery.commit import commit_rows, record_batch
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ALL_BATCHES
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import GOOD, ONE_BAD, Paid, gated, land, order_domain

RUN = Run(who="me")
ORDERS, RATES = TableId("shop", "orders"), TableId("shop", "rates")
PAID, RATE = TableId("shop", "paid"), TableId("shop", "refund_rate")
RAW, QUARANTINE = ORDERS.raw, ORDERS.quarantine
OLD, NEW = "2026-11-01T000000Z", "2026-11-02T000000Z"
MIXED = (*ONE_BAD[:2], "9,-1,refunded,c", *ONE_BAD[2:])


def tampered_domain() -> Domain:
    """Orders with what is derived from them, and a table with versions."""
    shop = order_domain()
    shop.gated(
        "rates",
        source=Source(origin="Bank", steward=Steward("Bank", "bank@bank.example"), reader=FileDrop("rates.csv")),
        schema=Paid,
        batches=Versions(),
    )
    return shop


SHOP = tampered_domain()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An installation that was delivered, for a case to tamper with."""

    folder: Path
    installation: Installation

    def file(self, table: TableId, batch: str = "day_1") -> Path:
        (one,) = self.installation.lakehouse.files(table, batch=batch)
        return Path(one.path)

    def rewrite(self, table: TableId, change: Callable[[pa.Table], pa.Table], batch: str = "day_1") -> None:
        file = self.file(table, batch)
        with pq.ParquetFile(file) as before:
            rows = before.read()
        pq.write_table(change(rows), file)

    def sql(self, *statements: str) -> None:
        engine = create_engine(settings_in(self.folder).ledger_url)
        with engine.begin() as connection:
            for statement in statements:
                assert connection.execute(text(statement)).rowcount != 0
        engine.dispose()

    def table(self, name: TableId) -> Table:
        return self.installation.lakehouse._catalog.load_table(str(name))

    def metadata(self, table: TableId) -> Path:
        return Path(self.table(table).metadata_location)


Tampering = Callable[[Place], object]


def delivered_in(folder: Path) -> None:
    """Two batches of orders and two versions of rates, with all that is computed from them."""
    (folder / "landing").mkdir(parents=True)
    installation = Installation.open(settings_in(folder))
    for batch, rows in {"day_1": MIXED, "day_2": GOOD}.items():
        land(installation.landing.path, batch, *rows)
        ingest(gated(SHOP), batch=batch, installation=installation, run=RUN)
        for table in SHOP.tables[:3]:
            deliver(table, batch=batch, installation=installation, run=RUN)
    rates = gated(SHOP, "rates")
    for version, lines in {OLD: "1,1.5", NEW: "1,1.6\n2,3"}.items():
        file = folder / "landing" / "rates.csv"
        file.write_text(f"order_id,amount\n{lines}\n")
        noon = 1_793_491_200 if version == OLD else 1_793_577_600
        os.utime(file, (noon, noon))
        ingest(rates, batch=version, installation=installation, run=RUN)
        deliver(rates, batch=version, installation=installation, run=RUN)


def cell(rows: pa.Table, column: str, value: object) -> pa.Table:
    """Rows with another value in the first of them."""
    index = rows.schema.get_field_index(column)
    values = [value, *rows[column].to_pylist()[1:]]
    return rows.set_column(index, rows.schema.field(column), pa.array(values, rows.schema.field(column).type))


def changed(table: TableId, column: str, value: object, batch: str = "day_1") -> Tampering:
    return lambda place: place.rewrite(table, lambda rows: cell(rows, column, value), batch)


def rows_deleted(table: TableId) -> Tampering:
    return lambda place: place.rewrite(table, lambda rows: rows.slice(1))


def row_twice(table: TableId) -> Tampering:
    return lambda place: place.rewrite(table, lambda rows: pa.concat_tables([rows, rows.slice(0, 1)]))


def reordered(table: TableId) -> Tampering:
    return lambda place: place.rewrite(
        table, lambda rows: rows.take(pc.sort_indices(rows["_row"], sort_keys=[("", "descending")]))
    )


def file_deleted(table: TableId) -> Tampering:
    return lambda place: place.file(table).unlink()


def file_truncated(table: TableId) -> Tampering:
    return lambda place: place.file(table).write_bytes(place.file(table).read_bytes()[:-40])


def file_of_zeros(table: TableId) -> Tampering:
    return lambda place: place.file(table).write_bytes(bytes(place.file(table).stat().st_size))


def another_batch_in_place(table: TableId) -> Tampering:
    return lambda place: place.file(table).write_bytes(place.file(table, "day_2").read_bytes())


def contents_never_kept(place: Place) -> None:
    """As an earlier version left it: neither the ledger nor the snapshots say what was committed."""
    place.sql("DELETE FROM ledger_contents")
    for name in place.installation.lakehouse.tables():
        file = place.metadata(name)
        metadata = json.loads(file.read_text())
        for snapshot in metadata["snapshots"]:
            snapshot["summary"].pop("readiness.digest", None)
        file.write_text(json.dumps(metadata))


def by_catalog(table: TableId, batch: str = "day_1") -> Tampering:
    """The batch deleted through PyIceberg."""
    return lambda place: place.table(table).delete(f"_batch = '{batch}'")


def appended(table: TableId, batch: str = "day_1") -> Tampering:
    """A row more through PyIceberg, of a batch that is there or of one that never was."""

    def append(place: Place) -> None:
        there = place.table(table)
        row = there.scan(row_filter="_batch = 'day_1'", limit=1).to_arrow()
        there.append(cell(row, "_batch", batch))

    return append


def rolled_back(table: TableId) -> Tampering:
    """The snapshot before the last is the current one again."""

    def roll_back(place: Place) -> None:
        there = place.table(table)
        before = there.snapshots()[-1].parent_snapshot_id
        assert before is not None
        with there.manage_snapshots() as snapshots:
            snapshots.rollback_to_snapshot(before)

    return roll_back


def dropped(table: TableId) -> Tampering:
    return lambda place: place.installation.lakehouse._catalog.drop_table(str(table))


def metadata_deleted(table: TableId) -> Tampering:
    return lambda place: place.metadata(table).unlink()


def metadata_cut_off(table: TableId) -> Tampering:
    return lambda place: place.metadata(table).write_text(place.metadata(table).read_text()[:-100])


def fact_changed(table: TableId, name: str) -> Tampering:
    """Something else in the summary of the last snapshot."""

    def change(place: Place) -> None:
        file = place.metadata(table)
        metadata = json.loads(file.read_text())
        (last,) = (one for one in metadata["snapshots"] if one["summary"].get("readiness.batch") == "day_1")
        last["summary"][name] = "7"
        file.write_text(json.dumps(metadata))

    return change


def manifests_deleted(table: TableId) -> Tampering:
    def delete(place: Place) -> None:
        for file in place.metadata(table).parent.glob("*.avro"):
            file.unlink()

    return delete


def manifests_of_zeros(table: TableId) -> Tampering:
    def overwrite(place: Place) -> None:
        for file in place.metadata(table).parent.glob("*.avro"):
            file.write_bytes(bytes(file.stat().st_size))

    return overwrite


def in_ledger(change: str, table: TableId = ORDERS, of: str = "ledger_batches", batch: str = "day_1") -> Tampering:
    return lambda place: place.sql(f"UPDATE {of} SET {change} WHERE table_name = '{table}' AND batch = '{batch}'")


def forgotten(table: TableId, of: str = "ledger_batches") -> Tampering:
    return lambda place: place.sql(f"DELETE FROM {of} WHERE table_name = '{table}' AND batch = 'day_1'")


def forged(table: TableId, store: TableId, change: Callable[[pa.Table], pa.Table]) -> Tampering:
    """Other rows, committed and recorded as a delivery does: tables, catalog, ledger and trail agree about them."""

    def forge(place: Place) -> None:
        installation, ref = place.installation, BatchRef(table, "day_1")
        record = installation.ledger.get(ref)
        assert record is not None
        attempt = OpenAttempt(id=uuid4().hex, confirm=lambda: None)
        installation.ledger.begin(ref, attempt=attempt.id, run_id="x", who="me", at=RUN.clock())
        lakehouse = installation.lakehouse
        facts = {
            "state": record.state.value,
            "gate_version": record.gate_version,
            **{f"{name}_rows": getattr(record.counts, name) for name in ("ingested", "published", "quarantined")},
            "discarded_rows": record.counts.discarded,
        }
        with installation.engine() as engine:
            rows = change(lakehouse.relation(engine, store, batch="day_1").order("_row").to_arrow_table())
            staged = lakehouse.stage(store, engine.from_arrow(rows), batch="day_1", schema=lakehouse.schema(store))
            snapshot = commit_rows(
                store, staged, ref, attempt=attempt, installation=installation, engine=engine, run=RUN, facts=facts
            )
        where = "quarantine" if store == table.quarantine else "published"
        snapshots = replace(record.snapshots, **{where: snapshot})
        record_batch(
            replace(record, attempt=attempt.id, run_id="x", snapshots=snapshots, updated_at=RUN.clock()),
            attempt=attempt,
            installation=installation,
            run=RUN,
            what=record.state.value,
            details={"decisions": []},
        )

    return forge


def _swapped(rows: pa.Table) -> pa.Table:
    """The amounts of the first two rows in each other's place."""
    first, second, *rest = rows["amount"].to_pylist()
    index = rows.schema.get_field_index("amount")
    return rows.set_column(index, rows.schema.field("amount"), pa.array([second, first, *rest], pa.float64()))


CASES: Mapping[str, tuple[Tampering, TableId, Level]] = {
    "a raw value": (changed(RAW, "amount", "99"), RAW, Level.FILES),
    "a published value": (changed(ORDERS, "amount", 99.0), ORDERS, Level.FILES),
    "a published null": (changed(ORDERS, "note", None), ORDERS, Level.FILES),
    "a quarantined value": (changed(QUARANTINE, "amount", "99"), QUARANTINE, Level.FILES),
    "a quarantine's gate": (changed(QUARANTINE, "_gate_version", "x"), QUARANTINE, Level.FILES),
    "a derived value": (changed(PAID, "amount", 99.0), PAID, Level.FILES),
    "a KPI's value": (changed(RATE, "value", 0.9), RATE, Level.FILES),
    "the place of a row": (changed(ORDERS, "_row", 70), ORDERS, Level.FILES),
    "an old version's value": (changed(RATES.versions, "amount", 9.0, OLD), RATES.versions, Level.FILES),
    "the shown version's value": (changed(RATES, "amount", 9.0, NEW), RATES, Level.FILES),
    "raw row deleted": (rows_deleted(RAW), RAW, Level.FILES),
    "published row deleted": (rows_deleted(ORDERS), ORDERS, Level.FILES),
    "quarantined row deleted": (rows_deleted(QUARANTINE), QUARANTINE, Level.FILES),
    "derived row deleted": (rows_deleted(PAID), PAID, Level.FILES),
    "raw row twice": (row_twice(RAW), RAW, Level.FILES),
    "published row twice": (row_twice(ORDERS), ORDERS, Level.FILES),
    "rows in another order": (reordered(ORDERS), ORDERS, Level.FILES),
    "raw file deleted": (file_deleted(RAW), RAW, Level.FILES),
    "published file deleted": (file_deleted(ORDERS), ORDERS, Level.FILES),
    "KPI file deleted": (file_deleted(RATE), RATE, Level.FILES),
    "published file truncated": (file_truncated(ORDERS), ORDERS, Level.FILES),
    "quarantine file truncated": (file_truncated(QUARANTINE), QUARANTINE, Level.FILES),
    "published file of zeros": (file_of_zeros(ORDERS), ORDERS, Level.FILES),
    "another batch's raw file": (another_batch_in_place(RAW), RAW, Level.FILES),
    "another batch's derived file": (another_batch_in_place(PAID), PAID, Level.FILES),
    "raw by catalog": (by_catalog(RAW), RAW, Level.LEDGER),
    "published by catalog": (by_catalog(ORDERS), ORDERS, Level.LEDGER),
    "KPI by catalog": (by_catalog(RATE), RATE, Level.LEDGER),
    "an old version by catalog": (by_catalog(RATES.versions, OLD), RATES.versions, Level.LEDGER),
    "raw row appended": (appended(RAW), RAW, Level.LEDGER),
    "published row appended": (appended(ORDERS), ORDERS, Level.LEDGER),
    "a batch appended": (appended(ORDERS, "day_3"), ORDERS, Level.LEDGER),
    "a KPI's batch appended": (appended(RATE, "day_3"), RATE, Level.LEDGER),
    "published rolled back": (rolled_back(ORDERS), ORDERS, Level.LEDGER),
    "derived rolled back": (rolled_back(PAID), PAID, Level.LEDGER),
    "versions rolled back": (rolled_back(RATES.versions), RATES.versions, Level.LEDGER),
    "the shown version rolled back": (rolled_back(RATES), RATES, Level.LEDGER),
    "published dropped": (dropped(ORDERS), ORDERS, Level.LEDGER),
    "derived dropped": (dropped(PAID), PAID, Level.LEDGER),
    "quarantine dropped": (dropped(QUARANTINE), QUARANTINE, Level.LEDGER),
    "metadata deleted": (metadata_deleted(PAID), PAID, Level.LEDGER),
    "metadata cut off": (metadata_cut_off(RATE), RATE, Level.LEDGER),
    "manifests deleted": (manifests_deleted(ORDERS), ORDERS, Level.LEDGER),
    "manifests of zeros": (manifests_of_zeros(QUARANTINE), QUARANTINE, Level.LEDGER),
    "a snapshot's state": (fact_changed(ORDERS, "readiness.state"), ORDERS, Level.LEDGER),
    "a snapshot's digest": (fact_changed(PAID, "readiness.digest"), PAID, Level.LEDGER),
    "state": (in_ledger("state = 'published'"), ORDERS, Level.LEDGER),
    "gate version": (in_ledger("gate_version = 'x'"), ORDERS, Level.LEDGER),
    "counts": (in_ledger("published = published - 1, quarantined = quarantined + 1"), ORDERS, Level.LEDGER),
    "reason": (in_ledger("reason = 'all is well'"), ORDERS, Level.LEDGER),
    "inputs": (in_ledger("inputs = '{}'", RATE), RATE, Level.LEDGER),
    "origins": (in_ledger("origins = '[]'", RAW), RAW, Level.LEDGER),
    "snapshot": (in_ledger("published_snapshot = 7", PAID), PAID, Level.LEDGER),
    "time": (in_ledger("updated_at = '2020-01-01 00:00:00.000000'"), ORDERS, Level.LEDGER),
    "derived gate version": (in_ledger("gate_version = 'x'", PAID), PAID, Level.LEDGER),
    "a version's state": (in_ledger("state = 'held'", RATES, batch=OLD), RATES, Level.LEDGER),
    "batch forgotten": (forgotten(ORDERS), ORDERS, Level.LEDGER),
    "KPI's batch forgotten": (forgotten(RATE), RATE, Level.LEDGER),
    "a profile's value": (
        in_ledger("profile = replace(profile, 'number', 'text')", ORDERS, "ledger_profiles"),
        ORDERS,
        Level.LEDGER,
    ),
    "a profile's digest": (in_ledger("digest = 'x'", ORDERS, "ledger_profiles"), ORDERS, Level.LEDGER),
    "profile forgotten": (forgotten(ORDERS, "ledger_profiles"), ORDERS, Level.LEDGER),
    "kept digest": (in_ledger("digest = 'x'", RAW, "ledger_contents"), RAW, Level.LEDGER),
    "kept rows": (in_ledger("row_count = 99", ORDERS, "ledger_contents"), ORDERS, Level.LEDGER),
    "kept files": (in_ledger("files = '[]'", PAID, "ledger_contents"), PAID, Level.LEDGER),
    "kept contents forgotten": (forgotten(ORDERS, "ledger_contents"), ORDERS, Level.LEDGER),
    "a published value forged": (
        forged(ORDERS, ORDERS, lambda rows: cell(rows, "amount", 99.0)),
        ORDERS,
        Level.RECOMPUTE,
    ),
    "two published values swapped": (forged(ORDERS, ORDERS, _swapped), ORDERS, Level.RECOMPUTE),
    "a quarantined value forged": (
        forged(ORDERS, QUARANTINE, lambda rows: cell(rows, "amount", "-3")),
        ORDERS,
        Level.RECOMPUTE,
    ),
    "a derived value forged": (forged(PAID, PAID, _swapped), PAID, Level.RECOMPUTE),
    "a KPI forged": (forged(RATE, RATE, lambda rows: cell(rows, "value", 0.1)), RATE, Level.RECOMPUTE),
}


def copy_in_place(folder: Path) -> Place:
    """The installation as it was delivered, in its place again."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(folder.with_name("copy"), folder)
    return Place(folder=folder, installation=Installation.open(settings_in(folder)))


WHOLE_TABLES = (
    "published dropped",
    "derived dropped",
    "quarantine dropped",
    "metadata deleted",
    "metadata cut off",
    "manifests deleted",
    "manifests of zeros",
)

BATCH_OF: Mapping[str, str] = {
    "an old version's value": OLD,
    "an old version by catalog": OLD,
    "a version's state": OLD,
    "the shown version's value": NEW,
    "versions rolled back": NEW,
    "the shown version rolled back": NEW,
    "a batch appended": "day_3",
    "a KPI's batch appended": "day_3",
    "published rolled back": "day_2",
    "derived rolled back": "day_2",
    **dict.fromkeys(WHOLE_TABLES, ALL_BATCHES),
}
"""The batch that is wrong, where it is not the first day."""
