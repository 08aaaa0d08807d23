"""Rows taken out of landed files: all else stays byte for byte, and what cannot be taken apart is refused."""

import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from readiness_pipelines.batches import StaticBatches
from readiness_pipelines.contracts.readers import Places
from readiness_pipelines.errors import LandingError
from readiness_pipelines.sources import FileDrop
from readiness_pipelines.sources.removing import file_without_rows, replace_file
from readiness_pipelines.storage import Place

CSV = b'\xef\xbb\xbfid,note\r\n1,"two\r\nlines"\r\n2,"a ""quoted"" one"\r\n3,x,too many\r\n4,\xff\r\n5,last'


def places(folder: Path) -> Places:
    return Places(landing=Place.of(folder), connection=str, batches=StaticBatches(keys=["a"]))


def left(folder: Path, name: str, content: bytes, rows: set[int], **options: Any) -> bytes:
    (folder / name).write_bytes(content)
    drop = FileDrop("{batch}." + name.partition(".")[2], **options)
    return file_without_rows(drop, name, "a", places(folder), rows)


@pytest.mark.parametrize(
    ("name", "content", "rows", "wanted", "options"),
    [
        ("a.csv", CSV, {1, 3}, b'\xef\xbb\xbfid,note\r\n1,"two\r\nlines"\r\n3,x,too many\r\n5,last', {}),
        ("a.csv", CSV, {0, 2, 4}, b'\xef\xbb\xbfid,note\r\n2,"a ""quoted"" one"\r\n4,\xff\r\n', {}),
        (
            "a.csv",
            b"about\nid;n\nunits\n# no row\n1;a\n2;b\n",
            {0},
            b"about\nid;n\nunits\n# no row\n2;b\n",
            {"delimiter": ";", "skip_lines": 1, "skip_after_header": 1, "comment": "#"},
        ),
        ("a.csv", b"1,a\n2,b\n", {0, 1}, b"", {"header": False, "columns": ("id", "n")}),
        ("a.jsonl", b'{"id": 1}\n\n{"id": 2, "n": "x"}\n{broken\n', {0}, b'\n{"id": 2, "n": "x"}\n{broken\n', {}),
        ("a.txt", b"1  a\n2  b\n", {1}, b"1  a\n", {"format": "fixed", "columns": {"id": (0, 1), "n": (3, 1)}}),
    ],
)
def test_lines_go_and_all_others_stay_byte_for_byte(
    tmp_path: Path, name: str, content: bytes, rows: set[int], wanted: bytes, options: dict[str, Any]
) -> None:
    assert left(tmp_path, name, content, rows, **options) == wanted


def test_packed_files_are_packed_again(tmp_path: Path) -> None:
    plain, wanted = b"id\n1\n2\n3\n", b"id\n1\n3\n"
    assert gzip.decompress(left(tmp_path, "a.csv.gz", gzip.compress(plain), {1})) == wanted
    packed = zstandard.ZstdCompressor().compress(plain)
    assert zstandard.ZstdDecompressor().decompress(left(tmp_path, "a.csv.zst", packed, {1})) == wanted


def test_rows_of_parquet_go_and_neither_types_nor_words_about_it_change(tmp_path: Path) -> None:
    schema = pa.schema({"id": pa.int16(), "at": pa.timestamp("ns", "UTC")}, metadata={"who": "sender"})
    table = pa.table({"id": [1, 2, 3], "at": [1, None, 3]}, schema=schema)
    pq.write_table(table, tmp_path / "made.parquet", compression="gzip")
    content = left(tmp_path, "a.parquet", (tmp_path / "made.parquet").read_bytes(), {1})
    made = pq.ParquetFile(io.BytesIO(content))
    assert made.read().equals(table.take([0, 2]), check_metadata=True)
    assert made.metadata.row_group(0).column(0).compression == "GZIP"


@pytest.mark.parametrize(
    ("name", "content", "why", "options"),
    [
        ("a.json", b'[{"id": 1}, {"id": 2}]', "files of the format json", {}),
        ("a.csv", "id\n1\n2\n".encode("utf-16-le"), "its lines are in utf-16-le", {"encoding": "utf-16-le"}),
        # Its last rows would be blank ones, which are not read.
        ("a.csv", b"id,n\n,\n1,a\n", "read otherwise than now", {}),
        ("a.jsonl", b'{"id": 1}\n', "cannot be written without 1 of its rows", {}),
    ],
)
def test_what_cannot_be_taken_apart_is_refused(
    tmp_path: Path, name: str, content: bytes, why: str, options: dict[str, Any]
) -> None:
    with pytest.raises(LandingError, match=why):
        left(tmp_path, name, content, {1 if name == "a.csv" and not options else 0}, **options)
    assert (tmp_path / name).read_bytes() == content


def test_a_file_is_replaced_with_its_time_and_permissions(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"old")
    file.chmod(0o640)
    before = file.stat()
    replace_file(Place.of(tmp_path), "a.csv", b"new")
    after = file.stat()
    assert (after.st_mtime_ns, after.st_mode) == (before.st_mtime_ns, before.st_mode)
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]
    assert file.read_bytes() == b"new"
