"""Reconciliation proves contents: whatever is changed in tables or ledger is named, and nothing else."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyiceberg.table import Table
from sqlalchemy import create_engine, text

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery import Level, deliver, ingest, reconcile, repair
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import GOOD, ONE_BAD, gated, land, order_domain

SHOP = order_domain()
RUN = Run(who="me")
ORDERS = TableId("shop", "orders")
PAID, RATE = TableId("shop", "paid"), TableId("shop", "refund_rate")
RAW, QUARANTINE, PROFILES = ORDERS.raw, ORDERS.quarantine, ORDERS.profiles
MIXED = (*ONE_BAD[:2], "9,-1,refunded,c", *ONE_BAD[2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An installation that was delivered, for a case to tamper with."""

    folder: Path
    installation: Installation

    def file(self, table: TableId, batch: str = "day_1") -> Path:
        (one,) = self.installation.lakehouse.files(table, batch=batch)
        return Path(one.path)

    def rewrite(self, table: TableId, change: Callable[[pa.Table], pa.Table]) -> None:
        file = self.file(table)
        with pq.ParquetFile(file) as before:
            rows = before.read()
        pq.write_table(change(rows), file)

    def sql(self, statement: str) -> None:
        engine = create_engine(settings_in(self.folder).ledger_url)
        with engine.begin() as connection:
            assert connection.execute(text(statement)).rowcount > 0
        engine.dispose()

    def table(self, name: TableId) -> Table:
        return self.installation.lakehouse._catalog.load_table(str(name))


Tampering = Callable[[Place], object]


def changed(table: TableId, column: str, value: object) -> Tampering:
    """Another value in the first row."""

    def change(rows: pa.Table) -> pa.Table:
        index = rows.schema.get_field_index(column)
        values = [value, *rows[column].to_pylist()[1:]]
        return rows.set_column(index, rows.schema.field(column), pa.array(values, rows.schema.field(column).type))

    return lambda place: place.rewrite(table, change)


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


def by_catalog(table: TableId) -> Tampering:
    """The batch deleted through PyIceberg."""
    return lambda place: place.table(table).delete("_batch = 'day_1'")


def in_ledger(change: str, table: TableId = ORDERS, of: str = "ledger_batches") -> Tampering:
    return lambda place: place.sql(f"UPDATE {of} SET {change} WHERE table_name = '{table}' AND batch = 'day_1'")


CASES: dict[str, tuple[Tampering, TableId, Level]] = {
    "a raw value": (changed(RAW, "amount", "99"), RAW, Level.FILES),
    "a published value": (changed(ORDERS, "amount", 99.0), ORDERS, Level.FILES),
    "a published null": (changed(ORDERS, "note", None), ORDERS, Level.FILES),
    "a quarantined value": (changed(QUARANTINE, "amount", "99"), QUARANTINE, Level.FILES),
    "a quarantine's gate": (changed(QUARANTINE, "_gate_version", "x"), QUARANTINE, Level.FILES),
    "a derived value": (changed(PAID, "amount", 99.0), PAID, Level.FILES),
    "a KPI's value": (changed(RATE, "value", 0.9), RATE, Level.FILES),
    "a profile's value": (changed(PROFILES, "rows", 99), PROFILES, Level.FILES),
    "the place of a row": (changed(ORDERS, "_row", 70), ORDERS, Level.FILES),
    "raw row deleted": (rows_deleted(RAW), RAW, Level.FILES),
    "published row deleted": (rows_deleted(ORDERS), ORDERS, Level.FILES),
    "quarantined row deleted": (rows_deleted(QUARANTINE), QUARANTINE, Level.FILES),
    "derived row deleted": (rows_deleted(PAID), PAID, Level.FILES),
    "profile row deleted": (rows_deleted(PROFILES), PROFILES, Level.FILES),
    "raw row twice": (row_twice(RAW), RAW, Level.FILES),
    "published row twice": (row_twice(ORDERS), ORDERS, Level.FILES),
    "profile row twice": (row_twice(PROFILES), PROFILES, Level.FILES),
    "raw file deleted": (file_deleted(RAW), RAW, Level.FILES),
    "published file deleted": (file_deleted(ORDERS), ORDERS, Level.FILES),
    "KPI file deleted": (file_deleted(RATE), RATE, Level.FILES),
    "profile file deleted": (file_deleted(PROFILES), PROFILES, Level.FILES),
    "published file truncated": (file_truncated(ORDERS), ORDERS, Level.FILES),
    "quarantine file truncated": (file_truncated(QUARANTINE), QUARANTINE, Level.FILES),
    "published file of zeros": (file_of_zeros(ORDERS), ORDERS, Level.FILES),
    "another batch's raw file": (another_batch_in_place(RAW), RAW, Level.FILES),
    "another batch's derived file": (another_batch_in_place(PAID), PAID, Level.FILES),
    "published by catalog": (by_catalog(ORDERS), ORDERS, Level.LEDGER),
    "KPI by catalog": (by_catalog(RATE), RATE, Level.LEDGER),
    "profile by catalog": (by_catalog(PROFILES), PROFILES, Level.LEDGER),
    "state": (in_ledger("state = 'published'"), ORDERS, Level.LEDGER),
    "gate version": (in_ledger("gate_version = 'x'"), ORDERS, Level.LEDGER),
    "counts": (in_ledger("published = published - 1, quarantined = quarantined + 1"), ORDERS, Level.LEDGER),
    "derived gate version": (in_ledger("gate_version = 'x'", PAID), PAID, Level.LEDGER),
    "kept digest": (in_ledger("digest = 'x'", RAW, "ledger_contents"), RAW, Level.LEDGER),
    "kept rows": (in_ledger("row_count = 99", ORDERS, "ledger_contents"), ORDERS, Level.LEDGER),
}


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two batches, delivered once; the folder's copy is put in its place before each case."""
    folder = tmp_path_factory.mktemp("contents") / "here"
    (folder / "landing").mkdir(parents=True)
    installation = Installation.open(settings_in(folder))
    for batch, rows in {"day_1": MIXED, "day_2": GOOD}.items():
        land(installation.landing.path, batch, *rows)
        ingest(gated(SHOP), batch=batch, installation=installation, run=RUN)
        for table in SHOP.tables:
            deliver(table, batch=batch, installation=installation, run=RUN)
    shutil.copytree(folder, folder.with_name("copy"))
    return folder


@pytest.fixture
def place(delivered: Path) -> Place:
    shutil.rmtree(delivered)
    shutil.copytree(delivered.with_name("copy"), delivered)
    return Place(folder=delivered, installation=Installation.open(settings_in(delivered)))


def named(place: Place, level: Level) -> set[BatchRef]:
    return {problem.ref for problem in reconcile([SHOP], installation=place.installation, level=level).problems}


def test_what_was_delivered_is_proved(place: Place) -> None:
    seen = reconcile([SHOP], installation=place.installation)
    assert (seen.problems, seen.unproved, seen.level) == ((), 0, Level.ROWS)


@pytest.mark.parametrize("case", CASES)
def test_what_was_changed_is_named_and_nothing_else(case: str, place: Place) -> None:
    tamper, table, level = CASES[case]
    tamper(place)
    wrong = BatchRef(table, "day_1")
    if level is Level.FILES:
        assert named(place, Level.LEDGER) == set()
    assert named(place, level) == {wrong}
    assert wrong in (seen := named(place, Level.ROWS))
    assert seen <= {wrong, BatchRef(ORDERS, "day_1")}, "the table's rows no longer add up either"


def test_rows_in_another_order_are_another_file_and_the_same_rows(place: Place) -> None:
    reordered(ORDERS)(place)
    problems = reconcile([SHOP], installation=place.installation).problems
    assert {problem.level for problem in problems} == {Level.FILES}


def test_batches_committed_before_contents_were_kept_are_counted_and_not_named(place: Place) -> None:
    place.sql("DELETE FROM ledger_contents WHERE batch = 'day_1'")
    seen = reconcile([SHOP], installation=place.installation)
    assert seen.problems == ()
    assert seen.unproved > 0


REPAIRED = ["a raw value", "a published value", "a quarantined value", "a derived value", "a KPI's value"]


@pytest.mark.parametrize("case", [*REPAIRED, "a profile's value", "raw file deleted", "published file truncated"])
def test_a_repair_restores_what_can_be_computed_again(case: str, place: Place) -> None:
    CASES[case][0](place)
    found = reconcile([SHOP], installation=place.installation)
    repair([SHOP], found, installation=place.installation, run=RUN)
    assert reconcile([SHOP], installation=place.installation).problems == ()


def test_what_was_made_of_damaged_raw_rows_is_not_published(place: Place) -> None:
    changed(RAW, "amount", "99")(place)
    (place.installation.landing.path / "orders" / "day_1.csv").unlink()
    found = reconcile([SHOP], installation=place.installation)
    assert repair([SHOP], found, installation=place.installation, run=RUN) == ()
    assert named(place, Level.ROWS) == {BatchRef(RAW, "day_1")}
