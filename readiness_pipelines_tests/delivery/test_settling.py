"""A batch is read when it is whole: its sender says so, or nothing of it changes for a while."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from readiness_pipelines import Domain, FileDrop, Source, Steward, Versions
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import due_work, ingest
from readiness_pipelines.delivery.settling import Settling
from readiness_pipelines.errors import BatchUnsettledError, DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.samples import Order
from readiness_pipelines_tests.stores import new_bucket

ROW = "1,1,paid,a\n"
HEADER = "order_id,amount,status,note\n"
JUST_NOW = -60.0
"""An age: not quiet yet, however long this machine takes between two lines of a test."""


@pytest.fixture
def careful(installation: Installation) -> Installation:
    """An installation whose files must be quiet for half a second."""
    return replace(installation, settles=timedelta(seconds=0.5))


def table_of(**reader: object) -> GatedTable:
    pattern = reader.pop("pattern", "orders/{batch}/*")
    source = Source(origin="x", steward=Steward("a", "b"), reader=FileDrop(str(pattern), format="csv", **reader))
    return Domain("shop", owner="a@b.example").gated("orders", schema=Order, source=source, batches=Versions())


def put(
    installation: Installation, name: str = "orders/b/x.csv", *, age: float = 0, content: str = HEADER + ROW
) -> Path:
    file = installation.landing.path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    at = time.time() - age
    os.utime(file, (at, at))
    return file


def read(table: GatedTable, installation: Installation) -> int:
    return ingest(table, batch="b", installation=installation, run=Run()).rows


def due(table: GatedTable, installation: Installation) -> list[str]:
    return [work.batch for work in due_work([table.domain], installation=installation, now=datetime.now(UTC))]


def when_it_waits(monkeypatch: pytest.MonkeyPatch, do: Callable[[float], None]) -> None:
    """What happens while a batch is waited for, which is given the seconds."""
    monkeypatch.setattr("readiness_pipelines.delivery.settling.time", SimpleNamespace(sleep=do))


def test_what_landed_a_moment_ago_is_waited_for_and_what_is_quiet_is_not(
    careful: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_of()
    put(careful, age=JUST_NOW)
    assert due(table, careful) == []
    began = time.monotonic()
    assert read(table, careful) == 1
    assert time.monotonic() - began >= 0.5
    put(careful, age=60)
    when_it_waits(monkeypatch, lambda seconds: pytest.fail(f"what is quiet was waited for, {seconds} s"))
    assert read(table_of(), careful) == 1


def test_a_file_that_grows_is_not_read_until_it_is_quiet(
    careful: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_of()
    file = put(careful, age=JUST_NOW)
    assert due(table, careful) == []

    def grow(_: float) -> None:
        with file.open("a") as opened:
            opened.write("2,1,paid,a\n")

    with monkeypatch.context() as meanwhile:
        when_it_waits(meanwhile, grow)
        with pytest.raises(
            BatchUnsettledError, match=r"batch 'b' of shop\.orders is still arriving: orders/b/x\.csv"
        ) as caught:
            read(table, careful)
    assert "READINESS_SETTLES" in caught.value.way_out
    assert careful.ledger.get(BatchRef(table.id.raw, "b")) is None
    assert read(table, careful) == len(file.read_text().splitlines()) - 1 == 2


def test_nobody_waits_longer_than_a_moment(careful: Installation) -> None:
    put(careful, age=120)
    with pytest.raises(BatchUnsettledError, match=r"was changed 2m( ?\d+s)? ago, and nothing of it may change for 1h"):
        read(table_of(settles="1h"), careful)
    assert read(table_of(settles="1m"), careful) == 1


def test_a_batch_whose_sender_says_when_it_is_whole_waits_for_that_alone(careful: Installation) -> None:
    table = table_of(complete_when="_SUCCESS")
    put(careful, age=3600)
    assert due(table, careful) == []
    with pytest.raises(BatchUnsettledError, match=r"orders/b/_SUCCESS is not there") as caught:
        read(table, careful)
    assert "put orders/b/_SUCCESS there" in caught.value.way_out
    put(careful, "orders/b/_SUCCESS", content="")
    assert due(table, careful) == ["b"]
    assert read(table, careful) == 1  # the marker is no file of the batch, though the pattern matches it


def test_files_that_changed_after_the_sender_said_so_must_be_quiet(careful: Installation) -> None:
    table = table_of(complete_when="_SUCCESS")
    put(careful, "orders/b/_SUCCESS", age=60, content="")
    put(careful, age=JUST_NOW)
    assert due(table, careful) == []
    assert read(table, careful) == 1


def test_with_both_declared_a_quiet_batch_is_read_without_its_marker(careful: Installation) -> None:
    table = table_of(complete_when="_SUCCESS", settles="10m")
    put(careful)
    assert due(table, careful) == []
    put(careful, age=601)
    assert due(table, careful) == ["b"]


@pytest.mark.parametrize(
    ("pattern", "marker", "file"),
    [
        ("orders/{batch}.csv", "{batch}.done", "orders/b.done"),
        ("orders/{batch}/**/*.csv", "_SUCCESS", "orders/b/_SUCCESS"),
        ("orders/{batch}/part-*.csv", "done/{batch}.ok", "done/b.ok"),
        ("orders/{batch}/*.csv", "manifest-*.txt", "orders/b/manifest-7.txt"),
    ],
)
def test_a_marker_lies_where_the_declaration_says(careful: Installation, pattern: str, marker: str, file: str) -> None:
    table = table_of(pattern=pattern, complete_when=marker)
    put(careful, pattern.replace("{batch}", "b").replace("**/", "").replace("*", "1"))
    assert due(table, careful) == []
    put(careful, file, content="")
    assert due(table, careful) == ["b"]


@pytest.mark.parametrize(
    ("pattern", "marker"), [("{batch}.csv", "_SUCCESS"), ("all.csv", "{batch}.ok"), ("{batch}.csv", "../{batch}.ok")]
)
def test_a_marker_that_does_not_fit_is_refused_where_it_is_written(pattern: str, marker: str) -> None:
    with pytest.raises(DeclarationError, match=r"complete_when|landing folder"):
        FileDrop(pattern, complete_when=marker)


def test_the_clock_of_the_storage_decides(careful: Installation) -> None:
    put(careful)
    (arrival,) = table_of().source.reader.arrivals(careful.places(Versions()))
    for minutes in (-50, 50):
        wrong = datetime.now(UTC) + timedelta(minutes=minutes)
        found = Settling(replace(careful, settles=timedelta(minutes=10)), wrong).unsettled(arrival)
        assert found is not None
        assert found.quiet < timedelta(minutes=5)
    for place in (careful.landing, new_bucket()):
        clock = place.clock()
        assert clock is not None
        assert abs(clock - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_file_from_the_future_is_due_and_is_looked_at_twice(careful: Installation) -> None:
    table = table_of()
    file = put(careful)
    ahead = time.time() + 400 * 24 * 3600
    os.utime(file, (ahead, ahead))
    assert due(table, careful) == ["b"]
    assert read(table, careful) == 1
