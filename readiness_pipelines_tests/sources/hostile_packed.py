"""Hostile packing, names and links, and files that change while they are read."""

import gzip
import io
import random
import warnings
import zipfile
from collections.abc import Mapping
from typing import get_args

import zstandard

from readiness_pipelines_tests.sources.hostile_batch import HostileBatch, Maker, Meddling, csv_of, some_rows

NAMES = (
    "caf\udce9.csv", "[/x].csv", "two\nlines.csv", "-rf.csv", " x .csv", "x" * 240 + ".csv", "🙂.csv", "a'b\"c.csv",
    "%s{}$1.csv",
    "*?[a].csv", "back\\slash.csv", "\x01\x1b[31m.csv", "X.CSV", "x.csv.GZ", "x..csv", ".csv", "x.csv.", "a;b.csv",
    "e\u0301.csv",
    "x", "x.tar.gz", "x.pdf", "deep/er/x.csv", "x.csv/y.csv", "~", "#x.csv", "x\u202e.csv",
)  # fmt: skip


def _zip(members: list[tuple[str, bytes]], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(packed, "w", packing) as archive:
        warnings.simplefilter("ignore")
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def _flipped(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def packed_streams(chance: random.Random) -> HostileBatch:
    rows = some_rows(chance, 2_000)
    text = csv_of(rows).encode()
    ending, pack = chance.choice(((".gz", gzip.compress), (".zst", zstandard.compress)))
    body = pack(text)
    half = text.index(b"\n", len(text) // 2) + 1
    what = chance.choice(("whole", "cut", "flipped", "garbage", "parts", "twice", "plain"))
    content = {
        "whole": body,
        "cut": body[: chance.randrange(len(body))],
        "flipped": _flipped(body, chance),
        "garbage": body + b"garbage after the end",
        "parts": pack(text[:half]) + pack(text[half:]),
        "twice": pack(body),
        "plain": text,
    }[what]
    return HostileBatch(files={"x.csv" + ending: content}, rows=len(rows) if what in ("whole", "parts") else None)


def archives(chance: random.Random) -> HostileBatch:
    rows = some_rows(chance)
    text = csv_of(rows).encode()
    what = chance.randrange(10)
    if what == 0:
        return HostileBatch(files={"x.zip": _zip([("a.csv", text), ("a.csv", text)])}, refused=True)
    members = [
        [],
        [
            ("../../etc/passwd.csv", text),
            ("/abs.csv", text),
            ("b\\c.csv", text),
            ("[/x].csv", text),
            ("n\nl.csv", text),
        ],
        [("inner.zip", _zip([("a.csv", text)]))],
        [("folder/", b""), ("folder/a.csv", text), ("__MACOSX/._a.csv", b"\0")],
        [("a.csv", text), ("b.jsonl", b'{"id": "1"}\n'), ("c.json", b'[{"id": "1"}]')],
        [("readme.txt", b"hello"), ("a.csv", text)],
        [(f"{number}.csv", b"id,name,amount\n1,2,3\n") for number in range(chance.choice((50, 11_000)))],
        [("a.csv", text)],
        [("a.csv.gz", gzip.compress(text)), ("b.csv.zst", zstandard.compress(text))],
    ][what - 1]
    packing = chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    body = _zip(members, packing)
    known = {2: 5 * len(rows), 4: len(rows), 5: len(rows) + 2, 8: len(rows), 9: 2 * len(rows)}.get(what)
    if chance.random() < 0.3 and members:
        return HostileBatch(files={"x.zip": _flipped(body, chance) if chance.random() < 0.5 else body[:-9]})
    return HostileBatch(files={"x.zip": body}, rows=known)


def locked_archive(chance: random.Random) -> HostileBatch:
    body = bytearray(_zip([("a.csv", b"id\n1\n")]))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(mark) + at] |= chance.choice((1, 0x41))  # encrypted
    return HostileBatch(files={"x.zip": bytes(body)}, refused=True)


def bombs(chance: random.Random) -> HostileBatch:
    size = chance.choice((60, 70, 400)) << 20
    row = chance.choice((b"1,2,3\n", b"\0", b"\n", b"[", b"a"))
    kind = chance.choice(("csv.gz", "json.gz", "jsonl.zst", "zip", "zip of gz", "parquet.gz", "xlsx"))
    content = row * (size // len(row))
    if kind == "zip":
        return HostileBatch(files={"x.zip": _zip([("a.csv", b"id,name,amount\n" + content)])})
    if kind == "zip of gz":
        return HostileBatch(files={"x.zip": _zip([("a.csv.gz", gzip.compress(content, 1))])})
    if kind == "xlsx":
        return HostileBatch(files={"x.xlsx": _zip([("xl/workbook.xml", content)])})
    pack = zstandard.compress if kind.endswith("zst") else lambda body: gzip.compress(body, 1)
    start = b"id,name,amount\n" if kind == "csv.gz" else b""
    return HostileBatch(files={f"x.{kind}": pack(start + content)})


def json_bomb(chance: random.Random) -> HostileBatch:
    row = b'{"id": "1", "name": "' + b"x" * 50 + b'", "amount": 1},\n' * 1
    body = b"[" + row * ((chance.choice((70, 500)) << 20) // len(row)) + b"{}]"
    return HostileBatch(files={"x.json.gz": gzip.compress(body, 9)}, refused=True)


def file_names(chance: random.Random) -> HostileBatch:
    text = b"id,name,amount\n1,2,3\n"
    return HostileBatch(
        files={name: text for name in chance.sample(NAMES, chance.randint(1, 2)) if name != "x.csv/y.csv"}
    )


def links(chance: random.Random) -> HostileBatch:
    targets = ("/etc/passwd", "..", ".", "self.csv", "nowhere.csv", "/dev/zero", "/proc/self/environ", "/", "x.csv")
    chosen = chance.sample(targets, chance.randint(1, 3))
    given = {("self.csv" if target == "self.csv" else f"{number}.csv"): target for number, target in enumerate(chosen)}
    return HostileBatch(files={"x.csv": b"id,name,amount\n1,2,3\n"}, links=given)


def meddled(chance: random.Random) -> HostileBatch:
    rows = [["1", "x" * 50, "2"]] * chance.choice((10, 200_000))
    text = csv_of(rows).encode()
    name, body = chance.choice(
        (("x.csv", text), ("x.csv.gz", gzip.compress(text, 1)), ("x.zip", _zip([("a.csv", text)])))
    )
    meddling = chance.choice(get_args(Meddling)[1:])
    return HostileBatch(files={name: body}, rows=len(rows), meddling=meddling, refused=True)


MAKERS: Mapping[str, Maker] = {
    one.__name__: one
    for one in (packed_streams, archives, locked_archive, bombs, json_bomb, file_names, links, meddled)
}
