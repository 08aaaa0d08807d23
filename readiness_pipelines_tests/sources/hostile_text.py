"""Hostile text: CSV, fixed width, JSON Lines, JSON."""

import json
import random
from collections.abc import Mapping
from typing import Any

from readiness_pipelines_tests.sources.hostile_batch import COLUMNS, HostileBatch, Maker, csv_of, some_rows

NUMBERS = (
    "inf",
    "-inf",
    "Infinity",
    "NaN",
    "1e999",
    "-0",
    "9" * 400,
    "0x1F",
    "1e-400",
    "1,5",
    "١٢",
    "1__0",
    " 7 ",
    "+5",
)
KEYS = (
    "id",
    "ID",
    "",
    " ",
    "_row",
    "_BATCH",
    "a.b",
    'q"q',
    "line\nbreak",
    "select",
    "ü",
    "u\u0308",
    "x" * 2000,
    "\0",
    "%s",
)


def _csv(content: str | bytes, rows: int | None = None, *, refused: bool = False, **options: Any) -> HostileBatch:
    body = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    return HostileBatch(files={"x.csv": body}, options=options, rows=rows, refused=refused)


def ragged(chance: random.Random) -> HostileBatch:
    rows = some_rows(chance)
    changed = [row[: chance.randint(1, 3)] + ["more"] * chance.randint(0, 2) for row in rows]
    return _csv(csv_of(changed), len(rows))


def broken_quotes(chance: random.Random) -> HostileBatch:
    text = list(csv_of(some_rows(chance, 200)))
    for _ in range(chance.randint(1, 60)):
        text.insert(chance.randrange(len(text)), chance.choice(('"', '""', '"\n', '",', '\r"')))
    return _csv("".join(text), ignore_blank=chance.random() < 0.5)


def endless_quote(chance: random.Random) -> HostileBatch:
    rows = [[str(number), '"' * (number % chance.choice((3, 7, 1001)) == 0) + "x", "1"] for number in range(4000)]
    return _csv(csv_of(rows))


def bad_utf8(chance: random.Random) -> HostileBatch:
    rows = some_rows(chance)
    for row in chance.sample(rows, len(rows) // 2 + 1):
        row[1] = chance.choice(("\udcff", "\udcc3(", "\udced\udca0\udc80", "a\udc80b", "\udcf8\udc88"))
    return _csv(csv_of(rows), len(rows))


def nul_bytes(chance: random.Random) -> HostileBatch:
    rows = some_rows(chance)
    rows[-1][1] = "a\0b"
    if chance.random() < 0.5:
        rows = [["1", "x" * 2000, "1"]] * 700 + rows  # beyond what is looked at first
    return _csv(csv_of(rows))


def byte_order_marks(chance: random.Random) -> HostileBatch:
    rows = some_rows(chance)
    text = csv_of(rows)
    codec, declared = chance.choice(
        (
            ("utf-8-sig", "utf-8"),
            ("utf-16", "utf-8"),
            ("utf-16-be", "utf-16"),
            ("utf-32", "utf-8"),
            ("utf-16", "utf-16"),
            ("utf-32", "utf-32"),
            ("utf-8-sig", "latin-1"),
        )
    )
    twice = "\ufeff" * chance.randint(0, 2)
    return _csv((twice + text).encode(codec), encoding=declared)


def mixed_newlines(chance: random.Random) -> HostileBatch:
    rows = some_rows(chance)
    lines = csv_of(rows).splitlines()
    quoted = chance.random() < 0.5
    lines = [line.replace(",", ',"', 1) + '"' if quoted and line.count(",") == 1 else line for line in lines]
    ends = chance.choice((("\n", "\r\n"), ("\n", "\r\n", "\r"), ("\r",)))
    return _csv("".join(line + chance.choice(ends) for line in lines), len(rows))


def huge_line(chance: random.Random) -> HostileBatch:
    size = chance.choice((1 << 20, 5 << 20, 12 << 20, 17 << 20, 40 << 20))
    where = chance.choice(("cell", "quoted", "header", "fields", "jsonl"))
    big = "y" * size
    if where == "jsonl":
        return HostileBatch(files={"x.jsonl": (json.dumps({"id": "1", "name": big}) + '\n{"id": "2"}\n').encode()})
    return _csv(
        {
            "cell": f"id,name,amount\n1,{big},1\n2,b,1\n",
            "quoted": 'id,name,amount\n1,"' + "line\n" * (size // 5) + '",1\n2,b,1\n',
            "header": f"id,{big},amount\n1,b,1\n",
            "fields": "id,name,amount\n1,b,1\n" + "," * size + "\n2,b,1\n",
        }[where]
    )


def many_columns(chance: random.Random) -> HostileBatch:
    count = chance.choice((1_000, 2_000, 2_001, 20_000, 200_000))
    header = ",".join(f"c{number}" for number in range(count))
    rows = chance.randint(0, 20)
    return _csv(header + "\n" + (",".join("1" * count) + "\n") * rows, rows, refused=count > 2_000)


def nothing(chance: random.Random) -> HostileBatch:
    content = chance.choice(
        (b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b" ", b"\xef\xbb\xbf\n", b",,,\n", b"\0", b'""\n', b'"')
    )
    name = chance.choice(
        ("x.csv", "x.jsonl", "x.json", "x.parquet", "x.arrow", "x.xlsx", "x.csv.gz", "x.csv.zst", "x.zip")
    )
    return HostileBatch(files={name: content})


def no_end(chance: random.Random) -> HostileBatch:
    if chance.random() < 0.5:
        return _csv("id,name,amount", 0)
    rows = some_rows(chance)
    return _csv(csv_of(rows)[:-1], len(rows))


def colliding_names(chance: random.Random) -> HostileBatch:
    names = tuple(chance.choice(KEYS).replace("\n", " ").replace('"', "") for _ in range(chance.randint(2, 5)))
    return _csv(csv_of([["1"] * len(names)], names), 1)


def odd_names(chance: random.Random) -> HostileBatch:
    odd = (
        '"; DROP TABLE x; --',
        "two\nlines",
        "rowid",
        "__index_level_0__",
        "a" * 900,
        "🙂",
        "\u202e",
        "a.b.c",
        "[/x]",
        "{x}",
        "$1",
    )
    names = chance.sample(odd, chance.randint(2, 6))
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    return _csv(f"{header}\n" + ",".join("1" * len(names)) + "\n", 1)


def infinite_numbers(chance: random.Random) -> HostileBatch:
    rows = [[str(number), "x", chance.choice(NUMBERS).replace(",", ".")] for number in range(30)]
    return _csv(csv_of(rows), 30)


def blank_rows(chance: random.Random) -> HostileBatch:
    rows, blanks = some_rows(chance), chance.choice((10, 1_000, 300_000))
    between = [chance.choice((",,", ",,,", ",", ",,")) for _ in range(chance.choice((1, blanks)))]
    middle = chance.random() < 0.5
    text = csv_of(rows) + "\n".join(between) + "\n" + ("9,z,1\n" if middle else "")
    return _csv(text, len(rows) + (len(between) + 1 if middle else 0))


def odd_dialect(chance: random.Random) -> HostileBatch:
    options: dict[str, Any] = {
        "delimiter": chance.choice((";", "|", "\t", "§", " ", "\0", '"')),
        "quote": chance.choice(('"', "'", "", "|", "§")),
        "comment": chance.choice(("", "#", "1", '"')),
        "skip_lines": chance.choice((0, 1, 3, 10_000)),
        "skip_after_header": chance.choice((0, 1, 10_000)),
        "ignore_blank": chance.random() < 0.5,
    }
    return _csv(csv_of(some_rows(chance)).replace(",", chance.choice((options["delimiter"], ","))), **options)


def other_encodings(chance: random.Random) -> HostileBatch:
    codecs = (
        "cp1252",
        "shift_jis",
        "utf-7",
        "utf-16-le",
        "cp037",
        "iso2022_jp",
        "gb18030",
        "big5",
        "utf-8",
        "ascii",
        "hz",
    )
    written, declared = (
        chance.choice(codecs),
        chance.choice((*codecs, "unicode_escape", "raw_unicode_escape", "punycode", "idna")),
    )
    return _csv(csv_of(some_rows(chance)).encode(written, "replace"), encoding=declared)


def control_characters(chance: random.Random) -> HostileBatch:
    rows = [
        [str(number), chance.choice("\x01\x02\x08\x0b\x0c\x1a\x1b\x1c\x1d\x1e\x7f\x85\u2028\u2029"), "1"]
        for number in range(50)
    ]
    return _csv(csv_of(rows), 50)


def noise(chance: random.Random) -> HostileBatch:
    name = chance.choice(
        ("x.csv", "x.jsonl", "x.json", "x.parquet", "x.arrow", "x.xlsx", "x.zip", "x.csv.gz", "x.csv.zst")
    )
    content = chance.randbytes(chance.choice((10, 1_000, 100_000)))
    if chance.random() < 0.5:
        content = content.translate(bytes(chance.choice(b'abc,;"\n\r{}[]:1\xff') for _ in range(256)))
    return HostileBatch(files={name: content})


def one_column(chance: random.Random) -> HostileBatch:
    values = [chance.choice(("", "x", '""', "  ")) for _ in range(20)] + ["x"]
    return _csv("id\n" + "\n".join(values) + "\n", 21)


def fixed_width(chance: random.Random) -> HostileBatch:
    lines = ["id  name      amount"]
    for number in range(1, 40):
        line = f"{number:<4}{chance.choice(('x', 'ü', 'a b', chr(9))):<10}{chance.choice(('1', '1.5')):<6}"
        lines.append(
            line[: chance.randint(1, 20)] if chance.random() < 0.3 else line + chance.choice(("", "", " ", "more"))
        )
    body = "\n".join(lines).encode()
    if chance.random() < 0.3:
        body = body.replace(b"x", b"\xff")
    options: dict[str, Any] = {"format": "fixed", "widths": (4, 10, 6)}
    if chance.random() < 0.5:
        options = {"format": "fixed", "columns": {"id": (0, 4), "amount": (14, 6)}, "header": True}
    return HostileBatch(files={"x.txt": body}, options=options, rows=39)


def _line(chance: random.Random, number: int) -> str:
    deep = chance.choice((50, 99, 150, 1_000, 30_000))
    return chance.choice(
        (
            f'{{"id": "{number}", "amount": 1.50}}',
            f'{{"id": {number}, "name": {{"a": [1, {{"b": null}}]}}}}',
            "{broken",
            "[1, 2]",
            "null",
            '{"id": 1, "id": 2}',
            '{"id": "\\ud800", "\\udfff": 1}',
            '{"amount": 1e999, "id": NaN, "name": -Infinity}',
            '{"amount": ' + "9" * 5_000 + "}",
            "{}",
            '{"id": "\udcff"}',
            '{"id": ' + "[" * deep + "]" * deep + "}",
            '{"a":' * deep + "1" + "}" * deep,
            '{"id": "\\u0000", "name": "\x7f"}',
            '{"id": "1"} {"id": "2"}',
            '\ufeff{"id": "1"}',
            json.dumps({chance.choice(("_ROW", "a b", "é", "e\u0301")): 1}, ensure_ascii=False),
        )
    )


def json_lines(chance: random.Random) -> HostileBatch:
    lines = [_line(chance, number) for number in range(chance.randint(1, 60))]
    end = chance.choice(("\n", "\r\n"))
    return HostileBatch(files={"x.jsonl": end.join(lines).encode("utf-8", "surrogateescape")}, rows=len(lines))


def json_keys(chance: random.Random) -> HostileBatch:
    count = chance.choice((3, 500, 3_000, 150_000))
    if count == 3:
        lines = [json.dumps({chance.choice(KEYS): 1 for _ in range(3)}) for _ in range(10)]
    else:
        lines = [json.dumps({f"k{number}": 1, "id": number}) for number in range(count)]
    return HostileBatch(files={"x.jsonl": "\n".join(lines).encode()}, rows=len(lines))


def json_array(chance: random.Random) -> HostileBatch:
    records: list[Any] = [{"id": str(number), "amount": chance.random(), "name": [number]} for number in range(300)]
    for _ in range(chance.randint(0, 5)):
        records[chance.randrange(300)] = chance.choice((None, 7, [], "text", {}))
    path = chance.choice((None, "data", "data.items"))
    document: Any = {None: records, "data": {"n": [1], "data": records}, "data.items": {"data": {"items": records}}}[
        path
    ]
    text = json.dumps(document, indent=chance.choice((None, 4)))
    if chance.random() < 0.3:
        text = chance.choice(("\ufeff", "  \n", "\n" * 300_000)) + text + chance.choice(("", " ", "\n" * 300_000))
    return HostileBatch(files={"x.json": text.encode()}, options={"record_path": path} if path else {}, rows=300)


def json_broken(chance: random.Random) -> HostileBatch:
    whole = json_array(chance)
    body = bytearray(whole.files["x.json"])
    for _ in range(chance.randint(1, 4)):
        match chance.randrange(4):
            case 0:
                del body[chance.randrange(len(body)) :]
            case 1:
                body[chance.randrange(len(body) or 1) : 1] = b'"'
            case 2:
                body += chance.choice((b"]", b"}", b"x", b"[]", b"\0"))
            case _:
                at = chance.randrange(len(body) or 1)
                body[at : at + 1] = chance.choice((b"[" * 5_000, b'{"a":' * 5_000, b"\xff", b"\\ud800", b",,", b"NaN"))
        if not body:
            break
    return HostileBatch(files={"x.json": bytes(body)}, options=whole.options)


def json_large(chance: random.Random) -> HostileBatch:
    count = chance.choice((1_000, 60_000))
    kind = chance.choice(("records", "one", "numbers", "siblings"))
    record = b'{"id": "1", "name": "' + b"x" * 200 + b'", "amount": 1}'
    body = {
        "records": b"[" + b",".join([record] * count) + b"]",
        "one": b'[{"name": "' + b"x" * (200 * count) + b'"}]',
        "numbers": b'[{"name": [' + b",".join([b"1"] * 100 * count) + b"]}]",
        "siblings": b'{"other": [' + b",".join([record] * count) + b'], "rows": [{"id": "1"}]}',
    }[kind]
    path = {"record_path": "rows"} if kind == "siblings" else {}
    rows = {"records": count, "one": 1, "numbers": 1, "siblings": 1}[kind]
    return HostileBatch(files={"x.json": body}, options=path, rows=rows)


def several_files(chance: random.Random) -> HostileBatch:
    files: dict[str, bytes] = {}
    count = chance.choice((2, 30, 300))
    for number in range(count):
        names = chance.sample(COLUMNS, 3) if number else list(COLUMNS)
        files[f"{number}.csv"] = csv_of([["1", "2", "3"]], tuple(names)).encode()
    if chance.random() < 0.3:
        files["z.csv"] = chance.choice((b"Id,name\n1,2\n", b"", b"id\xff,name\n1,2\n"))
        return HostileBatch(files=files)
    return HostileBatch(files=files, rows=count)


MAKERS: Mapping[str, Maker] = {
    one.__name__: one
    for one in (
        ragged, broken_quotes, endless_quote, bad_utf8, nul_bytes, byte_order_marks, mixed_newlines, huge_line,
        many_columns,
        nothing, no_end, colliding_names, odd_names, infinite_numbers, blank_rows, odd_dialect, other_encodings,
        control_characters, noise, one_column, fixed_width, json_lines, json_keys, json_array, json_broken, json_large,
        several_files,
    )
}  # fmt: skip
