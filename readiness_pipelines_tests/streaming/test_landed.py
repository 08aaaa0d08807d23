"""What another engine lands in an Iceberg table ends in the same tables, each row once."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as pq
import pytest
from pyiceberg.types import LongType

from readiness_pipelines import FileDrop
from readiness_pipelines.delivery import do_work, due_work, reconcile
from readiness_pipelines.errors import LandedChangedError, StreamGapError, TopicReplacedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import LandedSnapshots
from readiness_pipelines.streaming import LandedMessages, Progress
from readiness_pipelines.streaming.points import Point
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.streaming.landing import (
    NAME,
    READER,
    compact,
    delete_on_read,
    expire,
    lake,
    landed,
    read_landed,
    rows,
)
from readiness_pipelines_tests.streaming.payments import START, Clock, payments_domain, payments_table, rows_of

ROWS = "payment_id, paid_at, amount, state, note"
QUARANTINED = "payment_id::BIGINT, amount::DECIMAL(12, 2), note, list_transform(_errors, lambda one: one.rule) AS rules"


def records(count: int) -> Callable[[Progress], bool]:
    return lambda progress: progress.records >= count


def sealed(domain: Any, installation: Installation, clock: Clock) -> None:
    clock.now = START + timedelta(hours=1, seconds=15)
    for work in due_work([domain], installation=installation, now=clock.now):
        do_work(work, installation=installation, run=Run(clock=clock))
    assert reconcile([domain], installation=installation).problems == ()


def test_after_the_seal_it_has_the_rows_of_the_same_parquet_file_though_processes_end_at_each_point(
    installation: Installation, tmp_path: Path
) -> None:
    catalog, clock, sent = lake(tmp_path / "lake"), Clock(), 600
    table = landed(catalog)
    for first, count in ((0, 100), (100, 10), (110, 290)):  # what is there at first is read as a whole
        table.append(rows(first, count))
    domain = payments_domain(READER)
    payments = payments_table(domain)

    def until(count: int, fails_at: Point | None = None) -> None:
        def step(point: Point) -> None:
            if point is fails_at:
                raise RuntimeError("killed")

        run = Run(clock=clock)
        try:
            read_landed(payments, tmp_path / "lake", installation, run=run, until=records(count), step=step)
        except RuntimeError:
            clock.now += timedelta(minutes=2)

    for point in (*Point, None):
        until(40, point)  # in the middle of a snapshot, too
    table.append(rows(400, 100))
    until(60, Point.LANDED)
    table.append(rows(500, 100))
    until(sent - len(rows_of(installation, payments.id.raw, "_row")))
    assert [row for (row,) in rows_of(installation, payments.id.raw, "_row")] == list(range(sent))
    assert rows_of(installation, payments.id.raw, "payment_id::INT, _row") == [(row, row) for row in range(sent)]
    sealed(domain, installation, clock)

    (tmp_path / "other" / "landing").mkdir(parents=True)
    other = Installation.open(settings_in(tmp_path / "other"))
    pq.write_table(rows(0, sent), tmp_path / "other" / "landing" / "2026-11-02-10:00.parquet")
    files = payments_domain(FileDrop("{batch}.parquet"))
    sealed(files, other, clock)
    for ident, columns in (
        (payments.id, ROWS),
        (payments.id.quarantine, QUARANTINED),
        (domain.table("refunds").id, "*"),
    ):
        assert rows_of(installation, ident, columns) == rows_of(other, ident, columns)


def test_columns_may_be_added_renamed_widened_and_dropped(installation: Installation, tmp_path: Path) -> None:
    table = landed(lake(tmp_path / "lake"))
    table.append(rows(0, 50))
    payments = payments_table(payments_domain(READER))
    read_landed(payments, tmp_path / "lake", installation, until=records(50))
    with table.update_schema() as update:
        update.add_column("terminal", LongType()).rename_column("note", "remark")
        update.update_column("payment_id", LongType())
    wide = rows(50, 50).rename_columns(["payment_id", "paid_at", "amount", "state", "remark"])
    wide = wide.set_column(0, "payment_id", arrow.array(range(1 << 40, (1 << 40) + 50), arrow.int64()))
    table.append(wide.append_column("terminal", arrow.array(range(50), arrow.int64())))
    with table.update_schema() as update:
        update.delete_column("terminal")
    table.append(wide.slice(0, 10))
    read_landed(payments, tmp_path / "lake", installation, until=records(60))
    raw = "_row, payment_id::BIGINT, note, remark, terminal"
    found = rows_of(installation, payments.id.raw, raw)
    assert found[49:51] == [(49, 49, "n49", None, None), (50, 1 << 40, None, "n50", "0")]
    assert found[100] == (100, 1 << 40, None, "n50", None)
    assert len(found) == 110


def test_rows_that_were_taken_before_a_file_of_the_next_snapshot_could_not_be_read_are_taken_once(
    tmp_path: Path,
) -> None:
    catalog = lake(tmp_path / "lake")
    table = landed(catalog)
    table.append(rows(0, 3))
    source = LandedMessages(READER.model_copy(update={"slice_every": timedelta(0)}), LandedSnapshots(NAME, catalog))
    source.partitions()
    source.begin({0: 0}, {})
    found = [*source.take(10, 0)]
    table.append(rows(3, 3))
    table.append(rows(6, 3))
    newest = table.current_snapshot()
    assert newest is not None
    listed = Path(newest.manifest_list.removeprefix("file://"))
    listed.rename(tmp_path / "away")
    found += [*source.take(10, 0), *source.take(10, 0)]
    (tmp_path / "away").rename(listed)
    found += source.take(10, 0)
    ids = [(one.offset, int(json.loads(one.value or b"")["payment_id"])) for one in found]
    assert ids == [(number, number) for number in range(9)]


def test_compaction_adds_nothing(installation: Installation, tmp_path: Path) -> None:
    catalog = lake(tmp_path / "lake")
    table = landed(catalog)
    table.append(rows(0, 20))
    payments = payments_table(payments_domain(READER))
    read_landed(payments, tmp_path / "lake", installation, until=records(20))
    table.append(rows(20, 10))
    table = compact(catalog, table)
    table.append(rows(30, 10))
    read_landed(payments, tmp_path / "lake", installation, until=records(20))
    assert len(rows_of(installation, payments.id.raw, "_row")) == 40
    read_landed(payments, tmp_path / "lake", installation, until=lambda _: False, seconds=1)
    found = rows_of(installation, payments.id.raw, "_row, payment_id::INT")
    assert found == [(row, row) for row in range(40)]


@pytest.mark.parametrize("by_key", [False, True], ids=["by place, as Spark", "by key, as Flink"])
def test_rows_that_are_deleted_on_read_end_it_after_what_came_before_and_at_first_until_they_are_compacted(
    installation: Installation, tmp_path: Path, by_key: bool
) -> None:
    folder, raw = tmp_path / "lake", payments_table(payments_domain(READER)).id.raw
    table = landed(catalog := lake(folder))
    table.append(rows(0, 50))
    payments = payments_table(payments_domain(READER))
    read_landed(payments, folder, installation, until=records(50))
    table.append(rows(50, 20))
    delete_on_read(table, 3, by_key=by_key, added=rows(70, 4) if by_key else None)
    table.append(rows(80, 5))
    if not by_key:  # PyIceberg itself does not read deletes by key
        assert 3 not in table.scan().to_arrow()["payment_id"].to_pylist()
    for _ in range(2):  # what came before is taken, and then nothing is
        with pytest.raises(LandedChangedError, match=r"changes or deletes rows .*: it adds 1 delete files"):
            read_landed(payments, folder, installation, until=lambda _: False)
        assert rows_of(installation, raw, "_row, payment_id::INT") == [(row, row) for row in range(70)]
    read_landed(payments, folder, installation, until=records(5), skip_gap="put right by hand")
    assert rows_of(installation, raw, "_row, payment_id::INT")[70:] == [(70 + n, 80 + n) for n in range(5)]

    # Another installation begins with the table as it is: with the delete file in force, it would have the row.
    (tmp_path / "other" / "landing").mkdir(parents=True)
    other = Installation.open(settings_in(tmp_path / "other"))
    with pytest.raises(LandedChangedError, match=r"\(merge on read\): 1 delete files are in force"):
        read_landed(payments, folder, other, until=lambda _: False)
    assert rows_of(other, raw, "_row") == []
    if not by_key:
        compact(catalog, table)
        read_landed(payments, folder, other, until=records(74))
        there = [number for number in [*range(70), *range(80, 85)] if number != 3]
        assert [number for (number,) in rows_of(other, raw, "payment_id::INT")] == there


def test_delete_files_of_which_the_rows_are_not_there_any_more_do_not_count(tmp_path: Path) -> None:
    table = landed(catalog := lake(tmp_path / "lake"))
    table.append(rows(0, 5))
    delete_on_read(table, 3, by_key=False, added=rows(5, 5))

    def seen() -> tuple[str, int]:
        snapshots = LandedSnapshots(NAME, catalog)
        assert snapshots.current is not None
        found = snapshots.files(snapshots.current.id, whole=True)
        return found.changes, found.rows

    assert seen() == ("1 delete files are in force", 10)
    table.delete("payment_id < 5")  # its data file goes, and another one of the same commit stays
    assert seen() == ("", 5)


def test_rows_that_are_changed_deleted_rolled_back_or_expired_end_it_and_are_passed_over_only_with_a_reason(
    installation: Installation, tmp_path: Path
) -> None:
    folder = tmp_path / "lake"
    table = landed(lake(folder))
    table.append(rows(0, 50))
    payments = payments_table(payments_domain(READER))
    read_landed(payments, folder, installation, until=records(50))
    table.append(rows(50, 20))
    table.delete("payment_id = 3")  # its file is written anew without the row
    table.append(rows(70, 5))
    for _ in range(2):  # what came before is taken, and then nothing is
        with pytest.raises(LandedChangedError, match="changes or deletes rows"):
            read_landed(payments, folder, installation, until=lambda _: False)
        assert len(rows_of(installation, payments.id.raw, "_row")) == 70
    read_landed(payments, folder, installation, until=records(5), skip_gap="the row was a test")
    assert rows_of(installation, payments.id.raw, "_row, payment_id::INT")[68:] == [(n, n) for n in range(68, 75)]

    ids = []
    for first in (75, 80, 85):
        table.append(rows(first, 5))
        ids.append(table.metadata.current_snapshot_id)
    expire(table, [one.snapshot_id for one in table.snapshots() if one.snapshot_id not in ids[2:]])
    with pytest.raises(StreamGapError, match="2 snapshots and 10 rows are not taken"):
        read_landed(payments, folder, installation, until=lambda _: False)
    read_landed(payments, folder, installation, until=records(5), skip_gap="they are in the archive")
    assert rows_of(installation, payments.id.raw, "_row, payment_id::INT")[-5:] == [(n, n + 10) for n in range(75, 80)]
    whys = [one.why for one in installation.ledger.trail() if one.what == "passed over a gap"]
    assert whys == ["the row was a test", "they are in the archive"]

    table.append(rows(90, 5))
    # What has been taken may expire: nothing is missing.
    expire(table, [one.snapshot_id for one in table.snapshots() if one != table.current_snapshot()])
    read_landed(payments, folder, installation, until=records(5))
    here = table.metadata.current_snapshot_id
    assert here is not None
    table.append(rows(95, 5))
    read_landed(payments, folder, installation, until=records(5))
    table.manage_snapshots().rollback_to_snapshot(here).commit()
    with pytest.raises(LandedChangedError, match="rolled back"):
        read_landed(payments, folder, installation, until=lambda _: False)
    lake(folder).drop_table(NAME)
    landed(lake(folder))
    with pytest.raises(TopicReplacedError, match="made anew"):
        read_landed(payments, folder, installation, until=lambda _: False)
