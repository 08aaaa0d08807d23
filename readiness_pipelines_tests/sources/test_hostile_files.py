"""Files that no sender means well with: rows with what cannot be read among them, or an error that names the file."""

import gzip
import io
import json
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from readiness_pipelines.batches import Versions
from readiness_pipelines.contracts.readers import Places, RawBatch
from readiness_pipelines.errors import FileUnreadableError
from readiness_pipelines.limits import Limits
from readiness_pipelines.sources import FileDrop
from readiness_pipelines.sources.json_stream import JsonText
from readiness_pipelines.storage import Place

MOST = Limits()
BAD_TEXT = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
IN_A_LIST = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), BAD_TEXT)


def opened(landing: Path, name: str, content: bytes, *, record_path: str | None = None, **limits: Any) -> RawBatch:
    (landing / "b").mkdir()
    (landing / "b" / name).write_bytes(content)
    places = Places(landing=Place.of(landing), connection=str, batches=Versions(), limits=Limits(**limits))
    return FileDrop("{batch}/*", record_path=record_path).open("b", places)


def parquet(column: pa.Array) -> bytes:
    with io.BytesIO() as file:
        pq.write_table(pa.table({"a": column}), file)
        return file.getvalue()


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("header.csv", b"a" * (5 << 20) + b",b\n1,2\n", "cannot be read"),
        ("header.csv", ",".join(f"c{number}" for number in range(MOST.most_columns + 1)).encode(), "more than 2,000"),
        ("deep.json", b"[" + nested(950) + b"]", "nested more than 100 levels"),
        ("deep.json", b"[" * 100_000 + b"]" * 100_000, "nested more than 100 levels"),
        ("twice.json", b'[{"a": 1, "a": 2}]', "key 'a' is there twice"),
        ("text.parquet", parquet(BAD_TEXT), "UTF8"),
        ("words.parquet", parquet(BAD_TEXT.dictionary_encode()), "UTF8"),
        ("list.parquet", parquet(IN_A_LIST), "UTF8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    with pytest.raises(FileUnreadableError, match=match) as caught:
        opened(tmp_path, name, content).rows.read_all()
    assert f"b/{name}" in caught.value.what
    assert caught.value.way_out


@pytest.mark.parametrize("levels", [MOST.most_nesting, 400, 950, 100_000])
def test_a_line_that_is_nested_too_deep_is_a_row_that_cannot_be_parsed(tmp_path: Path, levels: int) -> None:
    rows = opened(tmp_path, "x.jsonl", nested(levels) + b'\n{"a": 1}\n').rows.read_all().to_pylist()
    assert [row["_unreadable_reason"] for row in rows] == ["line 1: it is nested more than 100 levels deep", None]


def test_a_line_that_is_nested_as_deep_as_is_allowed_is_read(tmp_path: Path) -> None:
    levels = MOST.most_nesting - 1
    rows = opened(tmp_path, "x.jsonl", nested(levels)).rows.read_all().to_pylist()
    assert [row["a"] for row in rows] == ["[" * levels + "]" * levels]


def test_half_of_a_surrogate_pair_in_a_key_is_kept_escaped(tmp_path: Path) -> None:
    (row,) = opened(tmp_path, "x.jsonl", b'{"\\ud800": "1"}\n').rows.read_all().to_pylist()
    assert row["\\ud800"] == "1"


@pytest.mark.parametrize(("change", "says"), [(Path.unlink, "vanished"), (lambda x: os.truncate(x, 9), "changed")])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", b"a,b\n1,2\n"),
        ("x.csv.gz", gzip.compress(b"a,b\n1,2\n")),
        ("x.json", b'[{"a": 1}]'),
        ("x.parquet", parquet(pa.array([1]))),
    ],
    ids=["csv", "gz", "json", "parquet"],  # what is packed holds the time
)
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, name: str, content: bytes, change: Callable[[Path], None], says: str
) -> None:
    batch = opened(tmp_path, name, content)
    change(tmp_path / "b" / name)
    with pytest.raises(FileUnreadableError, match=f"b/{name} {says} while it was read"):
        batch.rows.read_all()


def gz(size: int, row: bytes = b"1,2\n") -> bytes:
    return gzip.compress(b"a,b\n" + row * (size // len(row)))


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.csv", content)
    return packed.getvalue()


def workbook(cells: int) -> bytes:
    book, packed = openpyxl.Workbook(), io.BytesIO()
    book.active.append([f"c{number}" for number in range(cells)])
    book.save(packed)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "limits", "says", "setting"),
    [
        ("x.csv", b"a,b,c\n1,2,3\n", {"most_columns": 2}, "3 columns, more than 2", "COLUMNS"),
        ("x.csv", b"," * 100, {"most_columns": 2}, "more than 100 columns", "COLUMNS"),
        ("x.jsonl", b'{"a": 1, "b": 2, "c": 3}', {"most_columns": 2}, "3 columns, more than 2", "COLUMNS"),
        ("x.xlsx", workbook(3), {"most_columns": 2}, "a row of 3 cells, more than 2", "COLUMNS"),
        ("x.csv", b"a,b\n" + b"1" * 3000 + b",2\n", {"most_record_mb": 0.002}, "a line of it is larger", "RECORD_MB"),
        ("x.jsonl", b'{"a": "' + b"1" * 3000 + b'"}', {"most_record_mb": 0.002}, "a line of it is larger", "RECORD_MB"),
        ("x.json", b'[{"a": "' + b"1" * 3000 + b'"}]', {"most_record_mb": 0.002}, "is too large", "RECORD_MB"),
        ("x.csv.gz", gz(3 << 20), {"most_unpacked_mb": 2}, "more than 2 MB", "UNPACKED_MB"),
        ("x.csv.gz", gz(65 << 20), {}, "more than 100 times as many", "UNPACKED_RATIO"),
        ("x.zip", zipped(a=b"a\n" * (33 << 19), b=b"a\n" * (33 << 19)), {}, "more than 100 times", "UNPACKED_RATIO"),
        ("x.xlsx", workbook(2000), {"most_unpacked_mb": 0.01}, "more than 0.01 MB", "UNPACKED_MB"),
        ("x.parquet", parquet(pa.array(range(9999))), {"most_unpacked_mb": 0.01}, "more than 0.01 MB", "UNPACKED_MB"),
        ("x.json", b"[" + nested(5) + b"]", {"most_nesting": 4}, "nested more than 4 levels", "NESTING"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_with_its_setting(
    tmp_path: Path, name: str, content: bytes, limits: dict[str, Any], says: str, setting: str
) -> None:
    with pytest.raises(FileUnreadableError, match=says) as caught:
        opened(tmp_path, name, content, **limits).rows.read_all()
    assert f"b/{name}" in caught.value.what
    assert f"READINESS_MOST_{setting}" in caught.value.way_out


def test_a_line_longer_than_a_block_is_read(tmp_path: Path) -> None:
    content = b"a,b\n1," + b"x" * (5 << 20) + b"\n3,4\n"
    found = opened(tmp_path, "x.csv", content).rows.read_all()
    assert [(a, len(b)) for a, b in zip(*found.select(["a", "b"]).to_pydict().values(), strict=True)] == [
        ("1", 5 << 20),
        ("3", 1),
    ]


def test_a_json_array_is_read_in_the_memory_of_its_largest_record(tmp_path: Path) -> None:
    row = b'{"a": "' + b"x" * 100_000 + b'"}'
    batch = opened(tmp_path, "x.json", b'{"n": [1], "rows": [' + b",\n".join([row] * 500) + b"]}", record_path="rows")
    tracemalloc.start()
    assert sum(part.num_rows for part in batch.rows) == 500
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 45 << 20  # a batch of rows, of the 50 MB of all


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'[{"a": 1}, {"a": 2}', "is missing, at character 20"),
        (b'[{"a": 1} {"a": 2}]', "',' or ']' is missing, at character 11"),
        (b'[{"a": 1}] 7', "there is more after its end"),
        (b'[{"a": 1}, {"a: 2}]', "Unterminated string"),
        (b'[{"a": nul}]', "Expecting value, at character 8"),
        (b'{"r": [{"a": 1}], "r": []}', "key 'r' is there twice"),
        (b'{"r": [{"a": 1}], "s": [}', "Expecting value"),
        (b"", "it ends too early"),
    ],
)
def test_a_json_document_that_is_broken_anywhere_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = "r" if content.startswith(b"{") else None
    with pytest.raises(FileUnreadableError, match=says):
        opened(tmp_path, "x.json", content, record_path=path).rows.read_all()


@pytest.mark.parametrize("size", range(1, 12))
def test_a_json_document_reads_alike_in_pieces_of_any_size(size: int) -> None:
    document = ' {"x": {"y": [1, [2]]}, "r": [ {"a": -12.5e3, "b": [true, null]}, "\\u00fc\\"", 12345 ] , "z": {} } '
    with io.StringIO(document) as source:
        text = JsonText(lambda _: source.read(size), most_characters=99, most_nesting=9, most_keys=9)
        assert [value for value, _ in text.records(["r"])] == json.loads(document, parse_float=str, parse_int=str)["r"]


@pytest.mark.parametrize(
    ("kind", "far"),
    [
        (pa.timestamp("ms"), 2**50),
        (pa.timestamp("us", "UTC"), -(2**60)),
        (pa.timestamp("ns"), 2**63 - 1),
        (pa.date32(), 2**31 - 1),
        (pa.timestamp("ns"), 1_001),
        (pa.time64("ns"), 1_001),
    ],
    ids=str,
)
def test_a_time_that_no_table_holds_is_a_row_that_cannot_be_parsed(tmp_path: Path, kind: pa.DataType, far: int) -> None:
    column = pa.array([0, far, None], pa.int32() if kind == pa.date32() else pa.int64()).cast(kind)
    read = opened(tmp_path, "x.parquet", parquet(column))
    assert getattr(read.columns.field("a").type, "unit", "") != "ns"
    rows = read.rows.read_all().to_pylist()
    assert [row["a"] is None for row in rows] == [False, True, True]
    assert [row["_unreadable"] for row in rows] == [None, f'{{"a": "{far}"}}', None]
    finer = far == 1_001  # a microsecond, and a bit
    why = "a is finer than a microsecond" if finer else "a is not a time that a table can hold"
    assert f"row 2: {why}" in rows[1]["_unreadable_reason"]
