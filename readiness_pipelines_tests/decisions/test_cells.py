"""Cells from a file: read as text, an empty field is no value, and what cannot be meant is refused."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from readiness_pipelines.decisions import CellCorrection, correct_cells, read_cells
from readiness_pipelines.errors import DeclarationError


def file_of(folder: Path, text: str) -> Path:
    file = folder / "fix.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_cells_are_read_from_csv(tmp_path: Path) -> None:
    cells = read_cells(file_of(tmp_path, "\ufeff_row,amount,note\n1,21.5,\n 2 ,,x\n"))
    assert cells == CellCorrection(
        cells={"amount": {"1": "21.5", "2": None}, "note": {"1": None, "2": "x"}}, file="fix.csv"
    )


def test_cells_are_read_from_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"_row": [3], "amount": [1.5], "note": [""]}), tmp_path / "fix.parquet")
    assert read_cells(tmp_path / "fix.parquet").cells == {"amount": {"3": "1.5"}, "note": {"3": None}}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "has no rows with a column _row"),
        ("_row\n1\n", "has no rows with a column _row and a column to set"),
        ("amount\n1\n", "has no rows with a column _row"),
        ("_row,amount\none,1\n", "names in its row 1 the _row «text, 3 characters, letters»"),
        ("_row,amount\n1,1\n1,2\n", "names in its row 2 the _row"),
        ("_row,amount\n1,1\n01,2\n", "names in its row 2 the _row"),
        ('_row,amount\n1,"1', "cannot be read"),
        ("_row,amount\n²,1\n", "names in its row 1"),
        (f"_row,amount\n{'9' * 30},1\n", "names in its row 1"),
        ("_row,amount\n1,2,3\n", "a row with more fields than columns"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(DeclarationError, match=match):
        read_cells(file_of(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="cannot be read"):
        read_cells(tmp_path / "none.csv")


def test_a_ledger_keeps_so_many_cells_and_not_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correct_cells, "MOST_CELLS", 2)
    assert read_cells(file_of(tmp_path, "_row,amount\n1,1\n2,2\n"))
    with pytest.raises(DeclarationError, match="has 3 cells, more than the 2"):
        read_cells(file_of(tmp_path, "_row,amount\n1,1\n2,2\n3,3\n"))
