"""Files as strangers send them: every row arrives, whatever the format, encoding and layout."""

import gzip
import io
import json
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from readiness_pipelines.batches import Batches, DailyBatches, HourlyBatches, MonthlyBatches, Versions, WeeklyBatches
from readiness_pipelines.contracts.readers import Places, RawBatch, Reader
from readiness_pipelines.errors import (
    BatchNotLandedError,
    DeclarationError,
    FileUnreadableError,
    LandingError,
    UnknownNameError,
)
from readiness_pipelines.sources import FileDrop
from readiness_pipelines.storage import Place


def put(landing: Path, name: str, content: bytes) -> Path:
    file = landing / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def places(landing: Path, batches: Batches | None = None) -> Places:
    return Places(landing=Place.of(landing), connection=str, batches=batches or Versions())


def opened(landing: Path, **options: Any) -> RawBatch:
    return FileDrop("{batch}/*", **options).open("b", places(landing))


def rows(landing: Path, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = opened(landing, **options).rows.read_all().to_pylist()
    return sorted(found, key=lambda row: row["_row"])


def values(landing: Path, **options: Any) -> list[tuple[Any, ...]]:
    return [tuple(v for k, v in row.items() if not k.startswith("_")) for row in rows(landing, **options)]


def test_a_file_drop_is_a_reader() -> None:
    assert isinstance(FileDrop("{batch}.csv"), Reader)
    assert FileDrop("{batch}.csv", missing="?").missing == ("?",)


@pytest.mark.parametrize("quote", ["", '"'], ids=["parsed by Arrow", "parsed strictly"])
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "shift_jis", "utf-8"])
def test_any_encoding_that_is_declared_is_read(tmp_path: Path, encoding: str, quote: str) -> None:
    text = "ort" if encoding == "shift_jis" else "größe"
    put(tmp_path, "b/x.csv", f"a,{text}\r\n1,{quote}{text}{quote}\r\n".encode(encoding))
    assert rows(tmp_path, encoding=encoding)[0][text] == text


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-8"])
def test_a_line_that_cannot_be_decoded_is_a_row_of_its_own(tmp_path: Path, encoding: str) -> None:
    bad = {"cp1252": b"\x81", "utf-16-le": b"\x00\xd8", "utf-8": b"\xff"}[encoding]
    put(tmp_path, "b/x.csv", "a,b\n1,2\n3,".encode(encoding) + bad + "\n5,6\n".encode(encoding))
    found = rows(tmp_path, encoding=encoding)
    assert [row["a"] for row in found] == ["1", None, "5"]
    assert "\\x" in found[1]["_unreadable"]
    assert "it is not" in found[1]["_unreadable_reason"]


def test_decimal_commas_broken_header_and_empty_trailing_lines(tmp_path: Path) -> None:
    put(tmp_path, "b/x.csv", b"Date;CO(GT);\r\n10/03/2004;2,6;\r\n;;\r\n11/03/2004;2;\r\n;;\r\n;;;;\r\n;;\r\n")
    drop: dict[str, Any] = {"delimiter": ";", "columns": ("date", "co", "end"), "ignore": "end"}
    assert values(tmp_path, **drop) == [("10/03/2004", "2,6"), (None, None), ("11/03/2004", "2")]
    assert len(rows(tmp_path, **drop, ignore_blank=False)) == 6
    with pytest.raises(FileUnreadableError, match=r"column 3 has no name(?s:.*)columns="):
        opened(tmp_path, delimiter=";")
    assert values(tmp_path, delimiter=";", ignore="")[0] == ("10/03/2004", "2,6")


def test_lines_before_and_after_the_header_and_comments_are_skipped(tmp_path: Path) -> None:
    put(tmp_path, "b/x.csv", b"Report\n\na,b\nm,s\n1,2\n3\n5,6\n")
    found = rows(tmp_path, skip_lines=2, skip_after_header=1)
    assert [(row["a"], row["_unreadable"], row["_row"]) for row in found] == [
        ("1", None, 0),
        (None, "3", 1),
        ("5", None, 2),
    ]
    put(tmp_path, "b/x.csv", b'#c\na,b\n#x,y\n1,"#2"\n')
    assert values(tmp_path, comment="#") == [("1", "#2")]


def test_a_file_without_a_header_has_the_declared_columns(tmp_path: Path) -> None:
    put(tmp_path, "b/x.csv", b"1,2\n3,4\n")
    assert rows(tmp_path, header=False, columns=("a", "b"))[1]["b"] == "4"
    put(tmp_path, "b/x.csv", b"")
    assert rows(tmp_path, header=False, columns=("a", "b")) == []


def test_a_file_of_one_column_keeps_its_empty_lines_but_those_at_its_end(tmp_path: Path) -> None:
    put(tmp_path, "b/x.csv", b"a\n1\n\n3\n\n\n")
    assert values(tmp_path) == [("1",), (None,), ("3",)]


def test_a_huge_field_arrives_whole(tmp_path: Path) -> None:
    put(tmp_path, "b/x.csv", b'a,b\n1,"' + b"x" * 3_000_000 + b'"\n')
    assert len(rows(tmp_path)[0]["b"]) == 3_000_000


def test_quotes_can_mean_nothing(tmp_path: Path) -> None:
    put(tmp_path, "b/x.csv", b'a,b\n5",x\n')
    assert values(tmp_path, quote="") == [('5"', "x")]


def test_all_members_of_a_zip_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("two.csv", "a,b\n3,4\n")
        archive.writestr("one.csv.gz", gzip.compress(b"a,b\n1,2\n"))
        archive.writestr("__MACOSX/._two.csv", b"\0\1")
    put(tmp_path, "b/a.zip", packed.getvalue())
    batch = opened(tmp_path)
    assert [origin.name for origin in batch.origins] == ["b/a.zip"]
    assert [(row["a"], row["_row"], row["_file"]) for row in batch.rows.read_all().to_pylist()] == [
        ("1", 0, "b/a.zip/one.csv.gz"),
        ("3", 1, "b/a.zip/two.csv"),
    ]
    put(tmp_path, "b/a.zip", packed.getvalue()[:-30])
    with pytest.raises(FileUnreadableError, match="cut off or damaged"):
        opened(tmp_path)


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_json_in_a_zip_is_read(tmp_path: Path, name: str) -> None:
    content = b'{"a": "1"}\n' if name == "x.jsonl" else b'[{"a": "1"}]'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    put(tmp_path, "b/a.zip", packed.getvalue())
    assert [(row["a"], row["_file"]) for row in rows(tmp_path)] == [("1", f"b/a.zip/{name}")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_two_members_of_one_name_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for content in ("a\n1\n", "a\n2\n"):
            archive.writestr("x.csv", content)
    put(tmp_path, "b/a.zip", packed.getvalue())
    with pytest.raises(FileUnreadableError, match=r"b/a\.zip cannot be read: it has two members .*'x\.csv'"):
        opened(tmp_path)


def test_an_array_of_records_is_found_by_its_path(tmp_path: Path) -> None:
    body = '{"data": {"items": [{"a": 1.50, "b": {"x": [1, 2.0]}}, {"a": null, "c": "z"}, 7]}, "n": 3}'
    put(tmp_path, "b/x.json", body.encode())
    found = rows(tmp_path, record_path="data.items")
    assert [(row["a"], row["b"], row["c"]) for row in found] == [
        ("1.50", '{"x": [1, 2.0]}', None),
        (None, None, "z"),
        (None, None, None),
    ]
    assert found[2]["_unreadable"] == "7"
    with pytest.raises(FileUnreadableError, match=r"did you mean 'items'"):
        opened(tmp_path, record_path="data.item")
    with pytest.raises(FileUnreadableError, match=r"record_path=\"data.items\""):
        opened(tmp_path, record_path="data")


def test_a_json_key_that_is_there_twice_is_not_dropped(tmp_path: Path) -> None:
    put(tmp_path, "b/x.jsonl", b'{"a": 1, "a": 2}\n{"a": 3}\n')
    found = rows(tmp_path)
    assert [(row["a"], row["_unreadable"]) for row in found] == [(None, '{"a": 1, "a": 2}'), ("3", None)]


def test_a_json_file_of_lines_says_so(tmp_path: Path) -> None:
    put(tmp_path, "b/x.json", b'{"a": 1}\n{"a": 2}\n')
    with pytest.raises(FileUnreadableError, match="jsonl"):
        opened(tmp_path)
    assert values(tmp_path, format="jsonl") == [("1",), ("2",)]


def test_half_of_a_surrogate_pair_in_json_is_kept_escaped(tmp_path: Path) -> None:
    put(tmp_path, "b/x.jsonl", b'{"a": "\\ud800"}\n')
    assert values(tmp_path) == [("\\ud800",)]


def test_fixed_width_is_read_by_widths_or_by_starts(tmp_path: Path) -> None:
    put(tmp_path, "b/x.txt", b"id  name \n007 Anna \n008 B\n009 Eve  more\n\n")
    found = rows(tmp_path, widths=(4, 5))
    assert [(row["id"], row["name"]) for row in found] == [("007", "Anna"), ("008", "B"), (None, None)]
    assert found[2]["_unreadable"] == "009 Eve  more"
    starts = {"who": (4, 5), "id": (0, 3)}
    assert values(tmp_path, columns=starts, header=True)[:2] == [("Anna", "007"), ("B", "008")]
    assert len(values(tmp_path, columns=starts)) == 4


def test_excel_cells_arrive_as_a_person_sees_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Data")
    for row in [
        ["a", "day", "at", "ok", "x", None],
        [1, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5), True, "007"],  # noqa: DTZ001  # Excel has no zones
        [1.5, None, None, None, "#N/A"],
        [None],
    ]:
        sheet.append(row)
    kept = io.BytesIO()
    book.save(kept)
    put(tmp_path, "b/x.xlsx", kept.getvalue())
    assert values(tmp_path, sheet="Data") == [
        ("1", "2026-01-02", "2026-01-02T03:04:05", "true", "007"),
        ("1.5", None, None, None, "#N/A"),
    ]
    with pytest.raises(FileUnreadableError, match="did you mean 'Data'"):
        opened(tmp_path, sheet="data")
    with pytest.raises(FileUnreadableError, match="row 1 of the sheet is not a header"):
        opened(tmp_path)
    put(tmp_path, "b/x.xlsx", b"PK not really")
    with pytest.raises(FileUnreadableError, match=r"not an \.xlsx"):
        opened(tmp_path)


def test_formulas_without_a_value_and_formats_of_dates_are_read_as_a_person_sees_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [
        ["a", "total", "day", "took"],
        [1, '=IF(A2=1,"","x")', date(2026, 1, 2), timedelta(hours=26)],
        [2, "=A3*2", date(2026, 1, 2), None],
        ["=A2", "=B2"],
    ]:
        book.active.append(row)
    book.active["C2"].number_format = "[$-zh-CN]yyyy/m/d"
    book.active["C3"].number_format = "yyyy/m/d h:mm"
    written, changed = io.BytesIO(), io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            # As Excel keeps a formula whose value is the empty text.
            new.writestr(name, old.read(name).replace(b'<c r="B2">', b'<c r="B2" t="str">'))
    put(tmp_path, "b/x.xlsx", changed.getvalue())
    first, *others = rows(tmp_path)
    assert (first["a"], first["total"], first["day"], first["took"]) == ("1", None, "2026-01-02", "26:00:00")
    assert [row["_unreadable"] for row in others] == ['["2", "=A3*2", "2026-01-02T00:00:00"]', '["=A2", "=B2"]']
    assert others[1]["_unreadable_reason"].startswith(
        "row 4: 2 formulas, the first one in column A, were never computed"
    )
    assert [row["a"] for row in rows(tmp_path, ignore=("total",))] == ["1", "2", None]


@pytest.mark.parametrize("stream", [False, True])
def test_arrow_files_and_streams_keep_their_types(tmp_path: Path, stream: bool) -> None:
    table = pa.table({"a": pa.array([1, 2], pa.int32()), "b": pa.array(["x", None], pa.large_string())})
    sink = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    put(tmp_path, "b/x.arrow", sink.getvalue())
    assert values(tmp_path) == [(1, "x"), (2, None)]
    assert opened(tmp_path).columns.types == [pa.int32(), pa.string()]


def parquet(landing: Path, name: str, **columns: pa.Array) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    put(landing, name, sink.getvalue())


def test_types_that_a_table_cannot_hold_become_text(tmp_path: Path) -> None:
    arrays = {
        "wide": pa.array([Decimal("1.50")], pa.decimal256(50, 2)),
        "span": pa.array([5], pa.duration("us")),
        "pairs": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())),
        "half": pa.array([1.5], pa.float16()),
        "dict": pa.array(["x"]).dictionary_encode(),
        "at": pa.array([0], pa.timestamp("us", "Europe/Berlin")),
        "many": pa.array([[1]], pa.large_list(pa.uint8())),
        "money": pa.array([Decimal("1.50")], pa.decimal128(9, 2)),
        "t": pa.array([1], pa.time64("us")),
    }
    table = pa.table(arrays)
    with pa.OSFile(str(tmp_path / "x"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    put(tmp_path, "b/x.arrow", (tmp_path / "x").read_bytes())
    batch = opened(tmp_path)
    kinds = dict(zip(batch.columns.names, batch.columns.types, strict=True))
    assert kinds == {
        "wide": pa.string(),
        "span": pa.string(),
        "pairs": pa.string(),
        "half": pa.float32(),
        "dict": pa.string(),
        "at": pa.timestamp("us", "Europe/Berlin"),
        "many": pa.list_(pa.uint8()),
        "money": pa.decimal128(9, 2),
        "t": pa.time64("us"),
    }
    (row,) = batch.rows.read_all().to_pylist()
    assert (row["wide"], row["span"], row["pairs"], row["half"]) == ("1.50", "5 us", '[["k", 1]]', 1.5)


def test_a_time_that_no_table_holds_costs_no_other_value(tmp_path: Path) -> None:
    begun = pa.array([0, None, 1_001], pa.int64()).cast(pa.timestamp("ns"))
    ended = pa.array([0, 0, 2**31 - 1], pa.int32()).cast(pa.date32())
    seen = pa.array([0, 0, 1], pa.int64()).cast(pa.timestamp("s", "Europe/Berlin"))
    within = pa.array([[0], [], [2**60]], pa.list_(pa.int64())).cast(pa.list_(pa.timestamp("s")))
    name = pa.array(["a", "b", "c"], pa.string_view())
    table = pa.table({"name": name, "begun": begun, "ended": ended, "seen": seen, "within": within})
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    put(tmp_path, "b/x.arrow", sink.getvalue())
    *whole, odd = rows(tmp_path)
    assert [row["_unreadable"] for row in whole] == [None, None]
    beyond, finer = "is not a time that a table can hold (of the years 1 to 9999)", "is finer than a microsecond"
    assert odd["_unreadable_reason"].startswith(f"row 3: begun {finer}")
    assert odd["_unreadable_reason"].endswith(f"; ended {beyond}; within {beyond}")
    assert odd["name"] is None
    line = json.loads(odd["_unreadable"])
    assert (line["name"], line["begun"], line["ended"]) == ("c", "1001", "2147483647")
    assert line["seen"] == "1970-01-01 00:00:01Z"
    assert "out of range" in line["within"]
    assert rows(tmp_path, ignore=("begun", "ended", "within"))[-1]["name"] == "c"


_FINE = pa.array([0, 1_001, 2_000], pa.int64()).cast(pa.timestamp("ns"))
_FAR = pa.array([0, 6_674_000, 1], pa.int32()).cast(pa.date32())


@pytest.mark.parametrize("times", [_FINE, _FAR], ids=["fine", "far"])
@pytest.mark.parametrize(
    "put_within",
    [
        lambda times: pa.StructArray.from_arrays([times, times], ["at", "seen"]),
        lambda times: pa.ListArray.from_arrays([0, 1, 3, 3], pa.concat_arrays([times[:1], times[:2]])),
        lambda times: pa.MapArray.from_arrays([0, 1, 2, 3], pa.array(["a", "b", "c"]), times),
        lambda times: times.dictionary_encode(),
        lambda times: pa.StructArray.from_arrays([times, times], ["at", "AT"]),
    ],
    ids=["record", "list", "map", "dictionary", "record as text"],
)
def test_a_time_that_no_table_holds_is_found_wherever_it_lies(
    tmp_path: Path, put_within: Callable[[pa.Array], pa.Array], times: pa.Array
) -> None:
    sink = io.BytesIO()
    table = pa.table({"id": ["1", "2", "3"], "within": put_within(times)})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    put(tmp_path, "b/x.arrow", sink.getvalue())
    found = rows(tmp_path)
    assert [row["id"] for row in found] == ["1", None, "3"]
    assert [row["within"] is None for row in found] == [False, True, False]
    assert found[1]["_unreadable_reason"].startswith("row 2: within is ")
    line = json.loads(found[1]["_unreadable"])
    assert line["id"] == "2"
    assert any(written in line["within"] for written in ("1001", "6674000", "20242-"))


@pytest.mark.parametrize(
    ("one", "other", "becomes"),
    [
        (pa.array([1], pa.int32()), pa.array([2**40]), pa.int64()),
        (pa.array([1]), pa.array([1.5]), pa.string()),
        (pa.array([1], pa.int32()), pa.array([1.5]), pa.float64()),
        (pa.array([None]), pa.array([1.5]), pa.float64()),
        (pa.array([1]), pa.array(["x"]), pa.string()),
        (pa.array([{"a": 1}]), pa.array([{"a": "x"}]), pa.string()),
        (pa.array([b"\xff"]), pa.array(["x"]), pa.string()),
        (pa.array([0], pa.timestamp("us")), pa.array([0], pa.timestamp("us", "UTC")), pa.string()),
    ],
    ids=lambda value: str(getattr(value, "type", value)),
)
def test_files_whose_types_differ_are_never_refused(
    tmp_path: Path, one: pa.Array, other: pa.Array, becomes: pa.DataType
) -> None:
    parquet(tmp_path, "b/1.parquet", a=one)
    parquet(tmp_path, "b/2.parquet", a=other)
    batch = opened(tmp_path)
    assert batch.columns.field("a").type == becomes
    found = batch.rows.read_all()
    assert found.num_rows == 2
    assert found.column("a").null_count == one.null_count + other.null_count


def test_columns_are_renamed_and_ignored(tmp_path: Path) -> None:
    put(tmp_path, "b/1.csv", b"Country/Region,n,tmp_1\nDE,1,x\n")
    put(tmp_path, "b/2.csv", b"Country_Region,n\nFR,2\n")
    batch = opened(tmp_path, rename={"Country/Region": "country", "Country_Region": "country"}, ignore="tmp_*")
    assert batch.columns.names == ["country", "n"]
    assert batch.renamed == {"country": "Country/Region, Country_Region"}
    assert batch.rows.read_all().column("country").to_pylist() == ["DE", "FR"]


@pytest.mark.parametrize(
    ("header", "options", "says"),
    [
        ("a,A", {}, "'a' and 'A' differ in letter case only(?s:.*)rename="),
        ("x/y,x_y", {"rename": {"x/y": "x_y"}}, "'x/y' and 'x_y' are both called 'x_y'"),
        ("a,a", {}, "a more than once(?s:.*)columns="),
        ("a,_Row", {}, "'_Row'(?s:.*)ignore="),
        ("a, a", {}, "'a' and ' a' differ in blanks around them"),
        ("caf\u00e9,cafe\u0301", {}, "how accents are written, only(?s:.*)ignore="),
    ],
)
def test_columns_that_cannot_be_told_apart_are_refused_by_name(
    tmp_path: Path, header: str, options: dict[str, Any], says: str
) -> None:
    put(tmp_path, "b/x.csv", f"{header}\n1,2\n".encode())
    with pytest.raises(FileUnreadableError, match=f"b/x.csv(?s:.*){says}"):
        opened(tmp_path, **options)


def test_blanks_around_names_and_ways_to_write_accents_are_not_told_apart(tmp_path: Path) -> None:
    put(tmp_path, "b/1.csv", "\ufeffcafe\u0301 ,\u00a0n\n1,2\n".encode())
    put(tmp_path, "b/2.csv", "caf\u00e9,n\n3,4\n".encode())
    batch = opened(tmp_path)
    assert batch.columns.names == ["caf\u00e9", "n"]
    assert batch.renamed == {"caf\u00e9": "cafe\u0301 ", "n": "\u00a0n"}
    assert [row["n"] for row in batch.rows.read_all().to_pylist()] == ["2", "4"]
    assert opened(tmp_path, rename={"\u00a0n": "number", "n": "number"}).columns.names == ["caf\u00e9", "number"]


def test_two_files_whose_columns_differ_in_case_are_named(tmp_path: Path) -> None:
    put(tmp_path, "b/1.csv", b"a,b\n1,2\n")
    put(tmp_path, "b/2.csv", b"A,b\n1,2\n")
    with pytest.raises(FileUnreadableError, match=r"'a' of b/1.csv and 'A' of b/2.csv(?s:.*)rename"):
        opened(tmp_path)
    assert values(tmp_path, rename={"A": "a"}) == [("1", "2"), ("1", "2")]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"encoding": "klingon"}, "unknown encoding"),
        ({"encoding": "idna"}, "unknown encoding"),
        ({"header": False}, "columns="),
        ({"format": "fixed"}, "widths="),
        ({"widths": (1,), "columns": ("a", "b")}, "1 widths and 2 columns"),
        ({"rename": {"a": "_row"}}, "_row"),
        ({"columns": ("a", "A")}, "letter case"),
        ({"skip_lines": -1}, "skip_lines"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused_where_it_is_written(options: dict[str, Any], error: str) -> None:
    with pytest.raises(DeclarationError, match=error):
        FileDrop("{batch}.csv", **options)


def test_a_wrong_option_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'delimiter'"):
        FileDrop("{batch}.csv", delimeter=";")


@pytest.mark.parametrize("pattern", ["/x/{batch}", "../{batch}", "{batch:%q}", "{batch:x}", "{day}.csv"])
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(DeclarationError, match=r"pattern|batch"):
        FileDrop(pattern)


SPELLED: list[tuple[str, Batches, str, str]] = [
    ("d/{batch:%m-%d-%Y}.csv", DailyBatches(start=date(2020, 1, 1)), "d/01-22-2020.csv", "2020-01-22"),
    ("d/{batch:%-m-%-d-%y}.csv", DailyBatches(start=date(2020, 1, 1)), "d/1-2-20.csv", "2020-01-02"),
    ("{batch:%Y}/{batch:%m}/{batch:%d}/*.csv", DailyBatches(start=date(2020, 1, 1)), "2020/03/04/x.csv", "2020-03-04"),
    ("d/{batch:%Y/%m/%d}/*.csv", DailyBatches(start=date(2020, 1, 1)), "d/2020/03/04/x.csv", "2020-03-04"),
    ("{batch:%Y/%m/%d}.csv", DailyBatches(start=date(2020, 1, 1)), "2020/03/04.csv", "2020-03-04"),
    ("m_{batch:%Y%m}.csv", MonthlyBatches(start=date(2020, 1, 1)), "m_202003.csv", "2020-03"),
    ("w_{batch:%G-W%V}.csv", WeeklyBatches(start=date(2020, 1, 1)), "w_2020-W02.csv", "2020-01-06"),
    (
        "h/{batch:%Y%m%dT%H}.csv",
        HourlyBatches(start=date(2020, 1, 1), timezone="Europe/Berlin"),
        "h/20200304T17.csv",
        "2020-03-04-17:00",
    ),
]


@pytest.mark.parametrize(("pattern", "batches", "name", "key"), SPELLED, ids=lambda value: str(value)[:24])
def test_a_batch_can_be_spelled_as_strftime_does(
    tmp_path: Path, pattern: str, batches: Batches, name: str, key: str
) -> None:
    drop = FileDrop(pattern)
    drop.check(batches)
    put(tmp_path, name, b"a\n1\n")
    put(tmp_path, "d/99-99-2020.csv", b"a\n1\n")
    where = places(tmp_path, batches)
    assert [arrival.batch for arrival in drop.arrivals(where)] == [key]
    assert drop.open(key, where).origins[0].name == name


@pytest.mark.parametrize(
    ("pattern", "batches"),
    [
        ("{batch:%m-%d}.csv", DailyBatches(start=date(2020, 1, 1))),
        ("{batch:%Y-%m-%d}.csv", HourlyBatches(start=date(2020, 1, 1))),
        ("{batch:%Y}.csv", Versions()),
        ("all.csv", DailyBatches(start=date(2020, 1, 1))),
    ],
)
def test_a_pattern_that_spells_batches_alike_is_refused(pattern: str, batches: Batches) -> None:
    with pytest.raises(DeclarationError, match="pattern"):
        FileDrop(pattern).check(batches)


def test_each_content_of_a_file_without_a_batch_is_a_version(tmp_path: Path) -> None:
    drop, where = FileDrop("rates.csv"), places(tmp_path)
    drop.check(Versions())
    assert list(drop.arrivals(where)) == []
    file = put(tmp_path, "rates.csv", b"a\n1\n")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    (first,) = drop.arrivals(where)
    assert (first.batch, first.settled_since) == ("2023-11-14T221320Z", datetime.fromtimestamp(1_700_000_000, UTC))
    assert drop.open(first.batch, where).rows.read_all().num_rows == 1
    os.utime(put(tmp_path, "rates.csv", b"a\n2\n"), (1_700_000_100, 1_700_000_100))
    (second,) = drop.arrivals(where)
    assert second.fingerprint != first.fingerprint
    with pytest.raises(BatchNotLandedError, match=r"2023-11-14T221320Z(?s:.*)2023-11-14T221500Z"):
        drop.open(first.batch, where)


def test_a_changed_file_changes_the_fingerprint_of_its_batch_only(tmp_path: Path) -> None:
    drop, where = FileDrop("{batch}/*.csv"), places(tmp_path)
    put(tmp_path, "a/x.csv", b"a\n1\n")
    put(tmp_path, "b/x.csv", b"a\n1\n")
    before = {arrival.batch: arrival.fingerprint for arrival in drop.arrivals(where)}
    put(tmp_path, "b/y.csv", b"a\n1\n")
    after = {arrival.batch: arrival.fingerprint for arrival in drop.arrivals(where)}
    assert before["a"] == after["a"]
    assert before["b"] != after["b"]


def test_a_name_that_does_not_tell_its_format_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "b/x.dat", b"a\n1\n")
    with pytest.raises(LandingError, match=r"x.dat does not tell its format(?s:.*)format="):
        opened(tmp_path)


def test_nested_json_reads_back(tmp_path: Path) -> None:
    put(tmp_path, "b/x.json", json.dumps([{"a": {"b": [1, {"c": "ü"}]}}]).encode())
    assert json.loads(values(tmp_path)[0][0]) == {"b": [1, {"c": "ü"}]}
