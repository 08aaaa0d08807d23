"""Hostile Parquet, Arrow and Excel files."""

import io
import random
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from readiness_pipelines_tests.sources.hostile_batch import COLUMNS, HostileBatch, Maker, some_rows

_DEEP = 120


def _nested(levels: int) -> pa.Array:
    array = pa.array([1, 2])
    for _ in range(levels):
        array = pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), array)
    return array


def _bad_text() -> pa.Array:
    return pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff")]
    )


def _columns() -> list[pa.Array]:
    """Two values of each odd type."""
    return [
        pa.array([Decimal("1.5"), None], pa.decimal256(60, 2)),
        pa.array([Decimal("12345678901234567890.5"), Decimal(0)], pa.decimal128(38, 10)),
        pa.array([np.float16(1.5), None], pa.float16()),
        pa.array([float("inf"), float("nan")]),
        pa.array([2**64 - 1, 0], pa.uint64()),
        pa.array([date(1, 1, 1), date(9999, 12, 31)]),
        pa.array([-(2**63) + 1, None], pa.timestamp("ns")),
        pa.array([-(2**62), 2**62], pa.timestamp("s")),
        pa.array([0, 2**62], pa.timestamp("us", "Pacific/Chatham")),
        pa.array([0, None], pa.time32("ms")),
        pa.array([timedelta(days=1), None], pa.duration("ns")),
        pa.array([b"\xff\0", None], pa.binary()),
        pa.array([b"ab", b"cd"], pa.binary(2)),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        pa.array([{"a": 1, "A": None}, None], pa.struct([("a", pa.int64()), ("A", pa.string())])),
        pa.array([[1, None], []], pa.list_(pa.int32())),
        pa.array([[1, 2], [3, 4]], pa.list_(pa.int32(), 2)),
        pa.array(["x", None], pa.large_string()),
        pa.nulls(2),
        pa.array([True, None]),
        _nested(5),
        _nested(_DEEP),
        _bad_text(),
    ]


def _written(table: pa.Table, kind: str, chance: random.Random) -> bytes:
    with io.BytesIO() as file:
        if kind == "parquet":
            packing = chance.choice(("snappy", "zstd", "gzip", "none"))
            pq.write_table(table, file, compression=packing, row_group_size=chance.choice((1, 100, 10_000)))
        else:
            opened = ipc.new_file if chance.random() < 0.5 else ipc.new_stream
            with opened(file, table.schema) as writer:
                writer.write_table(table)
        return file.getvalue()


def odd_types(chance: random.Random) -> HostileBatch:
    kind = chance.choice(("parquet", "arrow"))
    columns = {f"c{number}": chance.choice(_columns()) for number in range(chance.randint(1, 4))}
    table = pa.table({"id": pa.array(["1", "2"]), **columns})
    try:
        body = _written(table, kind, chance)
    except pa.ArrowException:  # this type cannot be written in that format
        body = _written(table.select(["id"]), kind, chance)
    return HostileBatch(files={f"x.{kind}": body}, rows=2)


def other_types_in_each_file(chance: random.Random) -> HostileBatch:
    files = {}
    for number in range(chance.randint(2, 4)):
        column = chance.choice([one for one in _columns() if one.type != pa.string()])
        try:
            body = _written(pa.table({"id": ["1", "2"], "amount": column}), "parquet", chance)
        except pa.ArrowException:
            body = _written(pa.table({"id": ["1", "2"]}), "parquet", chance)
        files[f"{number}.parquet"] = body
    return HostileBatch(files=files, rows=2 * len(files))


def damaged_typed(chance: random.Random) -> HostileBatch:
    kind = chance.choice(("parquet", "arrow"))
    rows = some_rows(chance, 2_000)
    table = pa.table({name: list(column) for name, column in zip(COLUMNS, zip(*rows, strict=True), strict=True)})
    body = bytearray(_written(table, kind, chance))
    match chance.randrange(3):
        case 0:
            del body[chance.randrange(len(body)) :]
        case 1:
            for _ in range(chance.randint(1, 20)):
                body[chance.randrange(len(body))] = chance.randrange(256)
        case _:
            for _ in range(chance.randint(1, 5)):  # in the footer
                body[-chance.randint(1, min(400, len(body)))] = chance.randrange(256)
    return HostileBatch(files={f"x.{kind}": bytes(body)})


def typed_names(chance: random.Random) -> HostileBatch:
    count = chance.choice((2, 2, 2_001, 20_000))
    pairs = (("a", "a"), ("a", "A"), ("", "b"), ("_row", "b"), ("é", "e\u0301"), ("x\0", "y"), ("\ud83d", "b"))
    names = list(chance.choice(pairs)) if count == 2 else [f"c{number}" for number in range(count)]
    table = pa.table([pa.array([1])] * count, names=[name.encode("utf-8", "replace").decode() for name in names])
    return HostileBatch(files={"x.parquet": _written(table, "parquet", chance)}, rows=1)


def no_columns(chance: random.Random) -> HostileBatch:
    table = (
        pa.table({"id": ["1", "2"]}).select([])
        if chance.random() < 0.5
        else pa.table({"id": pa.array([], pa.string())})
    )
    return HostileBatch(files={"x.parquet": _written(table, "parquet", chance)})


def endless_runs(chance: random.Random) -> HostileBatch:
    """A constant takes no room, however often it is there."""
    count = chance.choice((100_000, 30_000_000))
    column = pa.array(["x" * chance.choice((1, 5_000))]).dictionary_encode()
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), column.dictionary)
    table = pa.table({"id": column})
    return HostileBatch(files={"x.parquet": _written(table, "parquet", random.Random(0))})


def large_values(chance: random.Random) -> HostileBatch:
    table = pa.table({"id": ["x" * (1 << 20)] * chance.choice((5, 150))})
    kind = chance.choice(("parquet", "arrow"))
    return HostileBatch(files={f"x.{kind}": _written(table, kind, random.Random(4))}, rows=table.num_rows)


def _workbook(fill: Any) -> bytes:
    book, packed = openpyxl.Workbook(), io.BytesIO()
    fill(book, book.active)
    book.save(packed)
    return packed.getvalue()


def excel_values(chance: random.Random) -> HostileBatch:
    values = (
        None,
        True,
        1,
        1.5,
        1e300,
        "=1/0",
        "#N/A",
        "=A1",
        date(1900, 1, 1),
        datetime(9999, 12, 31, 23, 59),  # noqa: DTZ001  # Excel knows no zones
        time(1, 2),
        "x" * 32_000,
        "a\nb",
        "'",
        timedelta(hours=30),
    )

    def fill(_: Any, sheet: Any) -> None:
        sheet.append(COLUMNS)
        for number in range(30):
            sheet.append([number, *(chance.choice(values) for _ in range(chance.randint(1, 3)))])
        if chance.random() < 0.3:
            sheet.merge_cells("A2:B3")

    return HostileBatch(files={"x.xlsx": _workbook(fill)}, rows=30)


def excel_wide(chance: random.Random) -> HostileBatch:
    place = chance.choice(("XFD1", "XFD5", "A1048576", "XFD1048576"))

    def fill(_: Any, sheet: Any) -> None:
        sheet.append(COLUMNS)
        sheet.append(["1", "2", "3"])
        sheet[place] = "far"

    return HostileBatch(files={"x.xlsx": _workbook(fill)})


def _with_part(body: bytes, name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            new.writestr(one, content if one == name else old.read(one))
    return packed.getvalue()


_LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10))


_SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'


def excel_parts(chance: random.Random) -> HostileBatch:
    body = _workbook(lambda _, sheet: sheet.append(COLUMNS))
    part = chance.choice(
        ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "[Content_Types].xml", "xl/styles.xml")
    )
    content = chance.choice(
        (
            b"",
            b"<x",
            b"<x/>",
            b"\xff\xfe",
            b'<!DOCTYPE x [<!ENTITY l0 "ha">' + _LAUGHS + b"]><x>&l9;</x>",
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
            b"<a>" * 100_000,
            b" " * (80 << 20),
            _SHEET % b'<row r="x"><c r="??" t="s"><v>99</v></c></row>',
            _SHEET % b'<row r="1"><c r="A1" t="d"><v>never</v></c><c r="A1"><v>1e999</v></c></row>',
        )
    )
    return HostileBatch(files={"x.xlsx": _with_part(body, part, content)})


def excel_damaged(chance: random.Random) -> HostileBatch:
    body = bytearray(_workbook(lambda _, sheet: [sheet.append(row) for row in [COLUMNS, *some_rows(chance)]]))
    if chance.random() < 0.3:
        body = bytearray(
            chance.choice(
                (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"<html><table></table></html>", b"a,b\n1,2\n")
            )
        )
    elif chance.random() < 0.5:
        del body[chance.randrange(len(body)) :]
    else:
        for _ in range(chance.randint(1, 30)):
            body[chance.randrange(len(body))] = chance.randrange(256)
    return HostileBatch(files={"x.xlsx": bytes(body)})


MAKERS: Mapping[str, Maker] = {
    one.__name__: one
    for one in (
        odd_types, other_types_in_each_file, damaged_typed, typed_names, no_columns, endless_runs, large_values,
        excel_values, excel_wide, excel_parts, excel_damaged,
    )
}  # fmt: skip
