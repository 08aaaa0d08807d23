"""Files that no sender means well with: rows with what cannot be read among them, or an error that names the file."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from readiness_pipelines.batches import Versions
from readiness_pipelines.contracts.readers import Places, RawBatch
from readiness_pipelines.errors import FileUnreadableError
from readiness_pipelines.sources import FileDrop
from readiness_pipelines.sources.json_values import MOST_NESTING
from readiness_pipelines.sources.layout import MOST_COLUMNS
from readiness_pipelines.storage import Place

BAD_TEXT = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
IN_A_LIST = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), BAD_TEXT)


def opened(landing: Path, name: str, content: bytes) -> RawBatch:
    (landing / "b").mkdir()
    (landing / "b" / name).write_bytes(content)
    return FileDrop("{batch}/*").open("b", Places(landing=Place.of(landing), connection=str, batches=Versions()))


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
        ("header.csv", ",".join(f"c{number}" for number in range(MOST_COLUMNS + 1)).encode(), "more than 2,000"),
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


@pytest.mark.parametrize("levels", [MOST_NESTING, 400, 950, 100_000])
def test_a_line_that_is_nested_too_deep_is_a_row_that_cannot_be_parsed(tmp_path: Path, levels: int) -> None:
    rows = opened(tmp_path, "x.jsonl", nested(levels) + b'\n{"a": 1}\n').rows.read_all().to_pylist()
    assert [row["_unreadable_reason"] for row in rows] == ["line 1: it is nested more than 100 levels deep", None]


def test_a_line_that_is_nested_as_deep_as_is_allowed_is_read(tmp_path: Path) -> None:
    levels = MOST_NESTING - 1
    rows = opened(tmp_path, "x.jsonl", nested(levels)).rows.read_all().to_pylist()
    assert [row["a"] for row in rows] == ["[" * levels + "]" * levels]


def test_half_of_a_surrogate_pair_in_a_key_is_kept_escaped(tmp_path: Path) -> None:
    (row,) = opened(tmp_path, "x.jsonl", b'{"\\ud800": "1"}\n').rows.read_all().to_pylist()
    assert row["\\ud800"] == "1"


def test_a_file_that_vanishes_while_it_is_read_is_named_with_its_batch(tmp_path: Path) -> None:
    batch = opened(tmp_path, "x.csv", b"a,b\n1,2\n")
    (tmp_path / "b" / "x.csv").unlink()
    with pytest.raises(FileUnreadableError, match=r"b/x\.csv of batch 'b' cannot be read"):
        batch.rows.read_all()
