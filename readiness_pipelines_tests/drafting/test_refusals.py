"""Of what no page can be drafted, that is said by name; layouts are told apart; names of files tell their batches."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from readiness_pipelines.drafting.placing import place_files
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines_tests.drafting.files import lines
from readiness_pipelines_tests.drafting.running import drafted

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def test_what_cannot_be_drafted_is_refused_by_name(tmp_path: Path) -> None:
    for name, content in {
        "empty.csv": b"",
        "blank.csv": b"\n\n",
        "broken.parquet": b"PAR1",
        "x.json": b"[1, 2",
    }.items():
        (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
        archive.writestr("b.csv", "c\n1\n")
    for names, says in {
        ("empty.csv",): "is empty",
        ("blank.csv",): "has no text in it",
        ("broken.parquet",): "broken.parquet cannot be read",
        ("x.json",): "x.json",
        ("two.zip",): "files of different columns in it: a.csv and b.csv",
        ("nowhere.csv",): "is not a file",
        ("empty.csv", "./empty.csv"): "given twice",
    }.items():
        with pytest.raises(ReadinessError, match=says):
            drafted("refused", *(tmp_path / name for name in names))


def test_files_of_other_columns_are_tables_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(lines("id,amount", "1,2"))
    (tmp_path / "customers.csv").write_bytes(lines("id;name", "1;Ann"))
    draft, page = drafted("shop", tmp_path / "orders.csv", tmp_path / "customers.csv")
    assert [(table.name, table.model) for table in draft.tables] == [("orders", "Order"), ("customers", "Customer")]
    assert page.count("domain.gated(") == 2


@pytest.mark.parametrize(
    ("names", "pattern", "batches"),
    [
        (["a_2026-01-02.csv"], "a/a_{batch:%Y-%m-%d}.csv", 'DailyBatches(start="2026-01-02")'),
        (["a-202601.csv", "a-202602.csv"], "a/a-{batch:%Y%m}.csv", 'MonthlyBatches(start="2026-01-01")'),
        (["01-22-2020.csv", "01-23-2020.csv"], "given/{batch:%m-%d-%Y}.csv", 'DailyBatches(start="2020-01-22")'),
        (["03-01-2020.csv", "03-02-2020.csv"], "given/{batch:%m-%d-%Y}.csv", 'DailyBatches(start="2020-03-01")'),
        (["a_13.02.2026.csv"], "a/a_{batch:%d.%m.%Y}.csv", 'DailyBatches(start="2026-02-13")'),
        (["h_20260102T03.csv", "h_20260102T04.csv"], "h/h_{batch:%Y%m%dT%H}.csv", 'HourlyBatches(start="2026-01-02")'),
        (["n_2026-01-02.csv", "s_2026-01-02.csv"], "n/*{batch:%Y-%m-%d}.csv", 'DailyBatches(start="2026-01-02")'),
        (["north.csv", "south.csv"], "north/{batch}/*", "StaticBatches(keys=['north', 'south'])"),
        (["part-0001.csv", "part-0002.csv"], "part/*.csv", "Versions()"),
        (["a[1].csv"], "a_1/a?1?.csv", "Versions()"),
    ],
)  # fmt: skip
def test_batches_follow_from_the_names_of_files(names: list[str], pattern: str, batches: str, tmp_path: Path) -> None:
    paths = [tmp_path / "given" / name for name in names]
    paths[0].parent.mkdir()
    for path in paths:
        path.touch()
    found = place_files(paths, [], now=NOW)
    assert (found.pattern, found.batches) == (pattern, batches)
    assert len(set(found.files.values())) == len(paths)
