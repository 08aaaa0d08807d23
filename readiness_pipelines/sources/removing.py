"""A landed file without some of its rows: all else stays byte for byte, and is read again before it counts."""

import codecs
import gzip
import hashlib
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from readiness_pipelines.contracts.readers import Places
from readiness_pipelines.errors import LandingError, ReadinessError, first_line
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import SourceFile, source_files
from readiness_pipelines.sources.reading import rows_of_files
from readiness_pipelines.storage import Place

_HALF = ".readiness-half"


def file_without_rows(drop: FileDrop, name: str, batch: str, places: Places, rows: Collection[int]) -> bytes:
    """What a landed file holds without some rows; nothing is written.

    Lines of CSV, JSON lines and fixed width are taken out, and rows of Parquet. What comes out is read: its rows must
    be those of the file without the ones taken out.

    Args:
        drop: How the file is read.
        name: Its path below the landing folder.
        batch: The batch that it is of.
        places: Where it lies.
        rows: The places of the rows in the file, from 0.

    Raises:
        LandingError: The file cannot be taken apart safely; says why.
    """
    try:
        return _without_rows(drop, name, batch, places, rows)
    except (ReadinessError, OSError, ValueError, pa.ArrowException) as error:
        # Arrow's words may quote what is in the file.
        why = type(error).__name__ if isinstance(error, pa.ArrowException) else first_line(error)
        raise LandingError(
            f"{name} cannot be written without {len(rows):,} of its rows: {why}",
            way_out="take them out of the file by hand, or delete it; then run the erasure again",
        ) from error


def replace_file(landing: Place, name: str, content: bytes) -> None:
    """Put content in the place of a landed file in one step; its time of change stays, where the place keeps times.

    Raises:
        OSError: It cannot be written.
    """
    if not landing.is_local:
        landing.write(name, content)
        return
    file = Path(os.path.realpath(landing.path / name))
    status = file.stat()
    half = file.with_name(f"{file.name}{_HALF}")
    with half.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    half.chmod(status.st_mode & 0o7777)
    os.utime(half, ns=(status.st_atime_ns, status.st_mtime_ns))
    half.replace(file)


def fingerprint_of_content(content: bytes) -> str:
    """The checksum by which an origin is known."""
    return hashlib.sha256(content).hexdigest()


def _without_rows(drop: FileDrop, name: str, batch: str, places: Places, rows: Collection[int]) -> bytes:
    facts = places.landing.facts(name)
    if facts is None:
        raise ValueError("it is not there any more")
    (file, *others) = source_files(drop, name, places.landing, size=facts.size_bytes, limits=places.limits)
    if others or file.member is not None:
        raise ValueError("it is an archive")
    match file.format:
        case "csv" | "jsonl" | "fixed":
            plain = _lines_left(file, drop, rows)
        case "parquet":
            plain = _parquet_left(file, rows)
        case _:
            raise ValueError(f"files of the format {file.format} are not taken apart")
    content = _packed(plain, file.compression)
    _check(drop, file, content, batch, rows)
    return content


def _packed(plain: bytes, compression: str | None) -> bytes:
    match compression:
        case None:
            return plain
        case "gzip":
            return gzip.compress(plain, mtime=0)
        case "zstd":
            return zstandard.ZstdCompressor().compress(plain)
        case _:
            raise ValueError(f"it is packed by {compression}")


def _lines_left(file: SourceFile, drop: FileDrop, rows: Collection[int]) -> bytes:
    if "a\n,".encode(drop.encoding).removeprefix(codecs.BOM_UTF8) != b"a\n,":
        raise ValueError(f"its lines are in {drop.encoding}")
    with file.open() as stream:
        content = stream.read()
    gone = frozenset(rows)
    left: list[bytes] = []
    place = 0
    for record, is_row in _records(content, file, drop):
        if is_row and place in gone:
            place += 1
            continue
        place += is_row
        left.append(record)
    return b"".join(left)


def _records(content: bytes, file: SourceFile, drop: FileDrop) -> Iterator[tuple[bytes, bool]]:
    """The records of a text file with the ends of their lines, and whether each is a row."""
    lines = content.splitlines(keepends=True)
    before = 0
    if file.format != "jsonl":
        skipped, named = drop.skip_lines, (drop.header_line and not drop.widths) or (drop.header is True)
        before = skipped + (1 + drop.skip_after_header if named else 0)
    comment = drop.comment.encode()
    for record in _joined(lines, drop.quote.encode() if file.format == "csv" else b""):
        if comment and record.startswith(comment) and file.format != "jsonl":
            yield record, False
        elif before:
            before -= 1
            yield record, False
        else:
            yield record, bool(record.strip()) or file.format == "csv"


def _joined(lines: Sequence[bytes], quote: bytes) -> Iterator[bytes]:
    """Lines, those of one record together: a quote that is open at a line's end goes on."""
    open_record: list[bytes] = []
    inside = False
    for line in lines:
        open_record.append(line)
        inside = inside ^ bool(quote and line.count(quote) % 2)
        if not inside:
            yield b"".join(open_record)
            open_record = []
    if open_record:
        yield b"".join(open_record)


def _parquet_left(file: SourceFile, rows: Collection[int]) -> bytes:
    with file.open_anywhere() as stream:
        opened = pq.ParquetFile(stream)
        metadata = opened.metadata
        table = opened.read()
    mask = np.ones(table.num_rows, dtype=bool)
    mask[sorted(rows)] = False
    codec = metadata.row_group(0).column(0).compression if metadata.num_row_groups else "SNAPPY"
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.filter(pa.array(mask)), sink, compression="NONE" if codec == "UNCOMPRESSED" else codec, version="2.6"
    )
    return bytes(sink.getvalue())


def _check(drop: FileDrop, file: SourceFile, content: bytes, batch: str, rows: Collection[int]) -> None:
    """Read what is to be written: its rows are those of the file but for the ones taken out, in the same types.

    Raises:
        ValueError: They are not.
    """
    before = rows_of_files([file], drop, batch).rows.read_all()
    with tempfile.TemporaryDirectory(prefix="readiness-") as folder:
        there = Path(folder) / file.path
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(content)
        (again,) = source_files(drop, file.path, Place.of(folder), size=len(content), limits=file.limits)
        after = rows_of_files([again], drop, batch).rows.read_all()
    gone = frozenset(rows)
    mask = pa.array([number not in gone for number in before["_row"].to_pylist()], pa.bool_())
    wanted = _rows_alone(before.filter(mask))
    if before.num_rows - wanted.num_rows != len(gone) or not _rows_alone(after).equals(wanted):
        raise ValueError("what is left would be read otherwise than now")


def _rows_alone(table: pa.Table) -> pa.Table:
    """Rows without their numbers, and without the reasons why some cannot be read, which name the line."""
    return table.drop_columns(["_row", "_unreadable_reason"]).combine_chunks()
