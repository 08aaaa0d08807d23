"""Files as bytes: what they hold, by their name, and whether they are whole."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import get_args

import pyarrow as pa

from readiness_pipelines.sources.file_drop import FileDrop, FileFormat
from readiness_pipelines.errors import FileUnreadableError, LandingError, suggestion
from readiness_pipelines.storage import Place

_COMPRESSION = {".gz": "gzip", ".zst": "zstd"}
_FORMATS: dict[str, FileFormat] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_CHUNK_BYTES = 1 << 20
_NOT_UTF8 = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16", codecs.BOM_UTF32_BE: "UTF-32"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A landed file and how to read it.

    Attributes:
        landing: The landing folder.
        name: Its path relative to the landing folder.
        format: What it holds.
        compression: Arrow's name of its compression; ``None`` for none.
    """

    landing: Place
    name: str
    format: FileFormat
    compression: str | None

    def open(self) -> pa.NativeFile:
        """Open its bytes, decompressed."""
        return self.landing.read(self.name, compression=self.compression)

    def unreadable(self, why: str, way_out: str) -> FileUnreadableError:
        """The error that says why the file cannot be read, and what to do."""
        return FileUnreadableError(f"{self.name} cannot be read: {why}", way_out=way_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFacts:
    """What one pass over a text file's bytes tells."""

    size_bytes: int
    utf8: bool
    quoted: bool


def source_file(drop: FileDrop, name: str, landing: Place) -> SourceFile:
    """How to read a landed file, by its name or by what the drop declares.

    Raises:
        LandingError: A name that tells no format, where none is declared.
    """
    path = PurePosixPath(name)
    compression = _COMPRESSION.get(path.suffix)
    inner = path.with_suffix("") if compression else path
    kind = drop.format or _FORMATS.get(inner.suffix)
    if kind is None:
        formats = get_args(FileFormat)
        raise LandingError(
            f"the name of {name} tells no format",
            way_out=suggestion(inner.suffix.lstrip("."), formats) + " (or declare FileDrop(format=…))",
        )
    return SourceFile(landing=landing, name=name, format=kind, compression=compression)


def inspect_text(file: SourceFile, *, quote: str = '"') -> TextFacts:
    """Read a text file once, to know that it is whole before anything is made of it.

    Raises:
        FileUnreadableError: The compression is cut off or damaged, or the text is no UTF-8 at all.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    size, utf8, quoted = 0, True, False
    mark = quote.encode()
    for chunk in _chunks(file):
        if size == 0:
            _refuse_other_encodings(file, chunk)
        size += len(chunk)
        quoted = quoted or mark in chunk
        if utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                utf8 = False
    if utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            utf8 = False
    return TextFacts(size_bytes=size, utf8=utf8, quoted=quoted)


def _chunks(file: SourceFile) -> Iterator[bytes]:
    try:
        with file.open() as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise file.unreadable(
            f"it is cut off or damaged ({error})", "ask the steward to send it again, then run the batch again"
        ) from error


def _refuse_other_encodings(file: SourceFile, start: bytes) -> None:
    encoding = next((name for mark, name in _NOT_UTF8.items() if start.startswith(mark)), None)
    if encoding is None and b"\0" in start:
        encoding = "binary, or in another encoding"
    if encoding is not None:
        raise file.unreadable(f"it is {encoding}, not UTF-8", "ask the steward for UTF-8, then run the batch again")
