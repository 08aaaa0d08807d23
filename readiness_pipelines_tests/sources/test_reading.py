"""Whatever lands is kept, row for row, or refused before anything is written."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from readiness_pipelines.batches import Versions
from readiness_pipelines.contracts.readers import Places, RawBatch
from readiness_pipelines.errors import BatchNotLandedError, FileUnreadableError, LandingError
from readiness_pipelines.sources import FileDrop
from readiness_pipelines.storage import Place
from readiness_pipelines_tests.stores import new_bucket

DROP = FileDrop("in/{batch}/*")


def put(landing: Path, name: str, content: bytes, *, batch: str = "b") -> Path:
    file = landing / "in" / batch / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def places(landing: Place | Path) -> Places:
    place = landing if isinstance(landing, Place) else Place.of(landing)
    return Places(landing=place, connection=str, batches=Versions())


def opened(landing: Place | Path, batch: str = "b") -> RawBatch:
    return DROP.open(batch, places(landing))


def rows(landing: Path, drop: FileDrop = DROP, *, batch: str = "b") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = drop.open(batch, places(landing)).rows.read_all().to_pylist()
    return found


def values(landing: Path, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows(landing)]


@pytest.mark.parametrize("pack", [lambda b: b, gzip.compress, zstandard.compress], ids=["plain", "gz", "zst"])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_format_reads_plain_and_compressed(tmp_path: Path, pack: Any, kind: str) -> None:
    content = {"csv": b"a,b\n1,x\n2,\n", "jsonl": b'{"a": "1", "b": "x"}\n{"a": "2"}\n', "parquet": b""}[kind]
    if kind == "parquet":
        sink = io.BytesIO()
        pq.write_table(pa.table({"a": ["1", "2"], "b": ["x", None]}), sink)
        content = sink.getvalue()
    packed = pack(content)
    ending = {b"\x1f\x8b": ".gz", b"\x28\xb5": ".zst"}.get(packed[:2], "")
    put(tmp_path, f"f.{kind}{ending}", packed)
    assert values(tmp_path, "a", "b", "_row", "_file") == [
        ("1", "x", 0, f"in/b/f.{kind}{ending}"),
        ("2", None, 1, f"in/b/f.{kind}{ending}"),
    ]


def test_text_arrives_as_text_and_is_not_interpreted(tmp_path: Path) -> None:
    put(tmp_path, "f.csv", b"a,b,c,d\n007,1.50,NULL,?\n")
    assert values(tmp_path, "a", "b", "c", "d") == [("007", "1.50", "NULL", "?")]


def test_json_numbers_arrive_as_they_are_written(tmp_path: Path) -> None:
    put(tmp_path, "f.jsonl", b'{"a": 1.50, "b": 12345678901234567890, "c": true, "d": {"x": [1.0, null]}, "e": null}\n')
    assert values(tmp_path, "a", "b", "c", "d", "e") == [
        ("1.50", "12345678901234567890", "true", '{"x": [1.0, null]}', None)
    ]


def test_quotes_commas_newlines_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    put(tmp_path, "f.csv", b'\xef\xbb\xbfa,b\r\n"x, ""y""","two\r\nlines"\r\n1,2\r\n\r\n')
    assert values(tmp_path, "a", "b", "_row") == [('x, "y"', "two\r\nlines", 0), ("1", "2", 1)]


@pytest.mark.parametrize("quoted", [False, True], ids=["parsed by Arrow", "parsed strictly"])
def test_a_line_with_too_few_or_too_many_fields_is_kept_as_its_text(tmp_path: Path, quoted: bool) -> None:
    last = b'"5",6\n' if quoted else b"5,6\n"
    put(tmp_path, "f.csv", b"a,b\n1,2\n1,2,3\n4\n" + last)
    found = sorted(rows(tmp_path), key=lambda row: row["_row"])
    assert [(row["a"], row["b"], row["_row"], row["_unreadable"]) for row in found] == [
        ("1", "2", 0, None),
        (None, None, 1, "1,2,3"),
        (None, None, 2, "4"),
        ("5", "6", 3, None),
    ]
    assert found[1]["_unreadable_reason"] == "record 3: 3 fields where the header has 2"


def test_broken_quoting_loses_no_other_line(tmp_path: Path) -> None:
    put(tmp_path, "f.csv", b'a,b\n1,"open\n2,x\n3,"4"5\n6,y\n')
    found = sorted(rows(tmp_path), key=lambda row: row["_row"])
    assert [row["a"] or row["_unreadable"] for row in found] == ['1,"open', "2", '3,"4"5', "6"]
    assert "broken quoting" in found[0]["_unreadable_reason"]


def test_a_line_that_is_not_utf8_is_kept_escaped(tmp_path: Path) -> None:
    put(tmp_path, "f.csv", "a,b\n1,x\n2,ü\n".encode("latin-1"))
    found = sorted(rows(tmp_path), key=lambda row: row["_row"])
    assert found[1]["_unreadable"] == "2,\\xfc"
    assert "not UTF-8" in found[1]["_unreadable_reason"]


@pytest.mark.parametrize(
    ("line", "reason"), [(b"{broken", "not JSON"), (b"[1, 2]", "not a JSON object"), (b'{"a": "\xff"}', "not UTF-8")]
)
def test_a_json_line_that_is_no_object_is_kept_as_its_text(tmp_path: Path, line: bytes, reason: str) -> None:
    put(tmp_path, "f.jsonl", b'{"a": "1"}\n' + line + b'\n{"a": "2"}\n')
    found = rows(tmp_path)
    assert [row["a"] for row in found] == ["1", None, "2"]
    assert reason in found[1]["_unreadable_reason"]
    assert "line 2" in found[1]["_unreadable_reason"]


def test_rows_of_many_files_are_numbered_through_in_the_order_of_their_paths(tmp_path: Path) -> None:
    put(tmp_path, "2.csv", b"a\nx\ny\n")
    put(tmp_path, "1.csv", b"b,a\n1,u\n2,v\n")
    assert values(tmp_path, "_row", "a", "b") == [(0, "u", "1"), (1, "v", "2"), (2, "x", None), (3, "y", None)]


def test_a_header_without_rows_is_a_batch_without_rows(tmp_path: Path) -> None:
    put(tmp_path, "f.csv", b"a,b\n")
    batch = opened(tmp_path)
    assert batch.columns.names == ["a", "b"]
    assert batch.rows.read_all().num_rows == 0


def _parquet(name: str = "a") -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({name: list(range(1000))}), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("f.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 9999)[:-20], "cut off or damaged"),
        ("f.csv.zst", zstandard.compress(b"a,b\n" + b"1,2\n" * 9999)[:-9], "cut off or damaged"),
        ("f.parquet", _parquet()[: len(_parquet()) // 2], "cut off or no Parquet"),
        ("f.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("f.csv", b"", "no header"),
        ("f.csv", b"a,,b\n1,2,3\n", "column 2 has no name"),
        ("f.csv", b"a,b,a\n1,2,3\n", "a more than once"),
        ("f.csv", b"a,_row\n1,2\n", "'_row'"),
        ("f.parquet", _parquet("x\0"), "column 1 is called 'x.x00'"),
        ("f.csv", b"\xff\xfa,b\n1,2\n", "header is not UTF-8"),
    ],
    ids=["gzip", "zstd", "parquet", "utf-16", "empty", "blank name", "twice", "reserved", "NUL", "latin-1 header"],
)
def test_a_file_that_cannot_be_read_is_refused_by_name_before_any_row(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    put(tmp_path, name, content)
    with pytest.raises(FileUnreadableError, match=f"in/b/{name}(?s:.*){says}"):
        opened(tmp_path)


def grow(file: Path) -> None:
    with file.open("ab") as more:
        more.write(b"3,z\n")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = put(tmp_path, "f.csv", b"a,b\n1,x\n2,y\n")
    found = opened(tmp_path)
    grow(file)
    with pytest.raises(FileUnreadableError, match=r"in/b/f\.csv changed while it was read"):
        found.rows.read_all()


def test_a_batch_without_a_file_names_the_nearest_that_landed(tmp_path: Path) -> None:
    put(tmp_path, "f.csv", b"a\n1\n", batch="2026-01-31")
    with pytest.raises(BatchNotLandedError, match=r"2026-01-30(?s:.*)did you mean '2026-01-31'"):
        opened(tmp_path, "2026-01-30")


@pytest.mark.parametrize("batch", ["../x", "a/b", "", ".."])
def test_a_batch_key_cannot_leave_the_landing_folder(tmp_path: Path, batch: str) -> None:
    with pytest.raises(LandingError, match="not a batch key"):
        opened(tmp_path, batch)


def test_glob_characters_in_a_batch_key_match_only_themselves(tmp_path: Path) -> None:
    put(tmp_path, "f.csv", b"a\n1\n", batch="ab")
    with pytest.raises(BatchNotLandedError):
        opened(tmp_path, "a*")


def test_the_batches_that_landed_are_known(tmp_path: Path) -> None:
    put(tmp_path, "f.csv", b"a\n1\n", batch="one")
    put(tmp_path, "f.csv", b"a\n1\n", batch="two")
    assert [arrival.batch for arrival in DROP.arrivals(places(tmp_path))] == ["one", "two"]


FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=8)


@given(st.lists(st.tuples(FIELDS, FIELDS), max_size=20))
def test_csv_that_python_writes_reads_back_the_same(tmp_path_factory: pytest.TempPathFactory, table: list[Any]) -> None:
    import csv  # noqa: PLC0415  # only this test needs it

    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b"), *table])
    landing = tmp_path_factory.mktemp("landing")
    put(landing, "f.csv", text.getvalue().encode())
    assert values(landing, "a", "b") == [(a or None, b or None) for a, b in table]


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b"]), FIELDS, min_size=1), min_size=1, max_size=20))
def test_json_text_reads_back_the_same(tmp_path_factory: pytest.TempPathFactory, table: list[dict[str, str]]) -> None:
    landing = tmp_path_factory.mktemp("landing")
    put(landing, "f.jsonl", "\n".join(json.dumps(row) for row in table).encode())
    assert [{k: v for k, v in row.items() if k in {"a", "b"} and v is not None} for row in rows(landing)] == table


@given(st.binary(max_size=200))
def test_no_line_of_any_file_is_lost(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    landing = tmp_path_factory.mktemp("landing")
    lines = [line for line in noise.replace(b"\0", b"").replace(b"\r", b"").split(b"\n") if line]
    put(landing, "f.csv", b"a,b\n" + b"\n".join(lines) + b"\n")
    found = rows(landing, DROP.model_copy(update={"ignore_blank": False}))
    assert [row["_row"] for row in sorted(found, key=lambda row: row["_row"])] == list(range(len(found)))
    if b'"' not in noise:
        assert len(found) == len(lines)


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.parquet"])
def test_files_in_a_bucket_are_read_as_those_of_a_folder(tmp_path: Path, name: str) -> None:
    parquet = io.BytesIO()
    pq.write_table(pa.table({"a": ["1"]}), parquet)
    content = {"x.csv": b"a\n1\n", "x.csv.gz": gzip.compress(b"a\n1\n"), "x.parquet": parquet.getvalue()}[name]
    put(tmp_path, name, content)
    bucket = new_bucket() / "landing"
    bucket.write(f"in/b/{name}", content)
    theirs, ours = opened(bucket), opened(tmp_path)
    assert [(file.name, file.fingerprint, file.bytes) for file in theirs.origins] == [
        (file.name, file.fingerprint, file.bytes) for file in ours.origins
    ]
    assert theirs.rows.read_all() == ours.rows.read_all()
    assert [arrival.batch for arrival in DROP.arrivals(places(bucket))] == ["b"]
    with pytest.raises(BatchNotLandedError, match="s3://"):
        opened(bucket, "c")
