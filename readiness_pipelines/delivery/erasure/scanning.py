"""The proof that a person is gone: every file, unpacked, and every row of the ledger is searched."""

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from readiness_pipelines.contracts import GatedTable, Table
from readiness_pipelines.delivery.erasure.landing import LandedFiles, landed_rows
from readiness_pipelines.delivery.erasure.matching import matcher_of, subject_specs
from readiness_pipelines.delivery.erasure.needles import Needle, is_told_by_text, needles_of
from readiness_pipelines.delivery.erasure.persons import kind_of
from readiness_pipelines.delivery.erasure.searching import rows_in_stores
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import avro_blocks
from readiness_pipelines.ledger import TABLES_OF_REASONS, RegisteredPerson
from readiness_pipelines.limits import Limits
from readiness_pipelines.masking import quoted
from readiness_pipelines.storage import Place

_ROWS_AT_ONCE = 100_000

_UNSEARCHABLE = (
    OSError,
    ValueError,
    EOFError,
    NotImplementedError,  # zipfile's, for a compression that it does not know
    RuntimeError,  # and for a password
    BadZipFile,
    zlib.error,
    pa.ArrowException,
    zstandard.ZstdError,
)
"""What reading a damaged, encrypted or strange file may raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A place where a person was found.

    Attributes:
        place: The file, Iceberg table, or table of the ledger.
        what: What was found there: never the value.
        landed: Whether it is a landed file, which is its sender's: somebody may accept that it stays.
        by_text: Whether the text of the value told it, which nobody knows later.
        said: Whether it is a row of the ledger (or its file, for such rows) that has people's reasons: they are kept
            for ever, and somebody may accept that, too.
    """

    place: str
    what: str
    landed: bool = False
    by_text: bool = False
    said: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What was searched, and where a person was found.

    Attributes:
        files: Files of warehouse and landing folder that were searched byte for byte, unpacked.
        bytes: Their size.
        ledger_rows: Rows of the ledger that were searched.
        by_text: Whether bytes and ledger were searched at all: a value was given that is told by its text.
        hits: Where the person was found; empty where nowhere.
        in_columns_alone: How many of the values were looked for in columns alone.
    """

    files: int
    bytes: int
    ledger_rows: int
    by_text: bool
    hits: tuple[Hit, ...]
    in_columns_alone: int = 0


def scan(
    tables: Sequence[Table],
    persons: Sequence[RegisteredPerson] | None,
    values: Sequence[str],
    *,
    installation: Installation,
) -> ScanResult:
    """Search for a person: in the columns that name persons, and, by the text of the value, in every file and row.

    Args:
        tables: The tables, with what is computed from them.
        persons: The person as the register knows it; all of the register where it is not given.
        values: The values themselves; none where only the register is known.
        installation: What is searched.

    Raises:
        LakehouseError: A table cannot be read.
        LedgerError: The ledger cannot be read.
    """
    hits = [*_in_columns(tables, persons, installation)]
    kinds = {kind_of(one.type) for table in tables for one in subject_specs(table)}
    needles = needles_of(values, kinds)
    files = size = rows = 0
    if needles:
        ledger, in_ledger = installation.ledger, []
        for name, number, text in ledger.erasures.texts():
            rows += 1
            if any(needle.in_text(text) for needle in needles):
                said = name in TABLES_OF_REASONS
                in_ledger.append(Hit(place=name, what=f"row {number} has it", by_text=True, said=said))
        # Its file has been written anew: it has what its rows have.
        its_files = _files_of(ledger.file) if in_ledger and all(hit.said for hit in in_ledger) else ()
        for place in (*installation.lakehouse.homes.places, installation.landing):
            landed = place == installation.landing
            for file in place.files():
                files, size = files + 1, size + file.size_bytes
                try:
                    found = in_file(place, file.name, needles, landed=landed, limits=installation.limits)
                except FileNotFoundError:
                    continue  # a database's own, which comes and goes
                except _UNSEARCHABLE as error:
                    found = f"cannot be searched: {quoted(error)}"
                said = Path(file.uri).absolute() in its_files
                hits += [Hit(place=file.uri, what=found, landed=landed, by_text=True, said=said)] if found else []
        hits += in_ledger
    return ScanResult(
        files=files,
        bytes=size,
        ledger_rows=rows,
        by_text=bool(needles),
        hits=tuple(dict.fromkeys(hits)),
        in_columns_alone=sum(not is_told_by_text(value) for value in values),
    )


def _files_of(ledger: Path | None) -> tuple[Path, ...]:
    """The files of an SQLite ledger."""
    return () if ledger is None else tuple(Path(f"{ledger.absolute()}{suffix}") for suffix in ("", "-wal"))


def _in_columns(
    tables: Sequence[Table], persons: Sequence[RegisteredPerson] | None, installation: Installation
) -> Iterator[Hit]:
    for store, batches in rows_in_stores(tables, persons, installation=installation).items():
        for batch, rows in batches.items():
            yield Hit(place=str(store), what=f"{len(rows):,} rows of batch {batch}")
    for table in tables:
        if not isinstance(table, GatedTable) or (matcher := matcher_of(table, installation, persons)) is None:
            continue
        files = LandedFiles()
        for batches_of_files in landed_rows(table, matcher, files, installation=installation).values():
            for name, places in batches_of_files.items():
                yield Hit(place=name, what=f"{len(places):,} rows of a landed file", landed=True)
        for name, why in files.refused.items():
            yield Hit(place=name, what=f"cannot be searched: {why}", landed=True)


def in_file(
    place: Place, name: str, needles: Sequence[Needle], *, landed: bool = False, limits: Limits | None = None
) -> str:
    """How a file has one of some texts, whatever their case; "" where it has none.

    Args:
        place: Where the file lies.
        name: The file.
        needles: The texts.
        landed: Whether it is somebody else's, in whatever format: values may follow one another in its bytes.
        limits: How much an archive may hold; the defaults where not given.

    Raises:
        OSError: It cannot be read.
        ValueError: It cannot be unpacked.
        BadZipFile: As above.
    """
    with place.read(name) as stream:
        content = bytes(stream.read())
    in_rows = content.startswith(b"PAR1")
    if _in_bytes(content, needles, landed=landed and not in_rows):
        return "its bytes have it"
    if in_rows:
        return "its rows have it" if _in_parquet(content, needles) else ""
    parts = _unpacked(content, limits or Limits())
    return "it has it, unpacked" if any(_in_bytes(part, needles, landed=landed) for part in parts) else ""


def _in_bytes(content: bytes, needles: Sequence[Needle], *, landed: bool) -> bool:
    low, run_on = content.lower(), landed and _is_binary(content)
    return any(needle.in_bytes(low, run_on=run_on) for needle in needles)


_MOST_ARCHIVES = 3
"""So deep archives may be in each other."""


def _unpacked(content: bytes, limits: Limits, inside: int = 0) -> Iterator[bytes]:
    """What a packed file holds, a part at a time; of an archive or workbook, its members."""
    if not content.startswith(b"PK\x03\x04"):
        yield _whole(content)
        return
    with ZipFile(BytesIO(content)) as archive:
        most = limits.most_unpacked_bytes(len(content))
        if inside == _MOST_ARCHIVES or sum(one.file_size for one in archive.infolist()) > most:
            raise ValueError(f"it has archives in each other, or more than {most:,} bytes, unpacked")
        for member in archive.infolist():
            part = archive.read(member)
            yield part
            yield from _unpacked(part, limits, inside + 1)


def _whole(content: bytes) -> bytes:
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    if content.startswith(b"\x28\xb5\x2f\xfd"):
        return zstandard.ZstdDecompressor().stream_reader(BytesIO(content)).read()
    return avro_blocks(content)


def _in_parquet(content: bytes, needles: Sequence[Needle]) -> bool:
    file = pq.ParquetFile(BytesIO(content))
    for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if any(_has_text(column, needle) for needle in needles if name not in _NUMBERED):
                return True
    return False


_NUMBERED = frozenset({"_row"})
"""Columns of our own that are numbers, and of nobody."""


_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def _is_binary(content: bytes) -> bool:
    """Whether bytes are of a binary format, in which those of a length or a type may look like digits."""
    return _NO_TEXT.search(content) is not None


def _has_text(column: pa.Array, needle: Needle) -> bool:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _has_text(column.dictionary, needle)
    if pa.types.is_integer(kind):
        return needle.number is not None and bool(pc.any(pc.equal(column.cast(pa.string()), needle.number)).as_py())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return bool(pc.any(pc.match_substring_regex(column, needle.pattern, ignore_case=True)).as_py())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        values = (value for value in column.to_pylist() if value is not None)
        return any(needle.in_bytes(value.lower(), run_on=_is_binary(value)) for value in values)
    if pa.types.is_nested(kind):
        return any(needle.in_text(str(value)) for value in column.to_pylist() if value is not None)
    return False
