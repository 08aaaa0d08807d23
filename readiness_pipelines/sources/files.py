"""Files as bytes: what they hold, by their name, and how they are opened."""

import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa

from readiness_pipelines.errors import FileUnreadableError, LandingError, suggestion
from readiness_pipelines.limits import MEGABYTE, Limits, setting_of
from readiness_pipelines.masking import quoted
from readiness_pipelines.storage import Place

if TYPE_CHECKING:
    from readiness_pipelines.sources.file_drop import FileDrop, FileFormat

READ_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    RuntimeError,  # zipfile's, for a password that it lacks
    NotImplementedError,  # zipfile's, for a compression that it does not know
)
"""What reading bytes of a damaged or encrypted file raises."""

ARCHIVE_ERRORS: tuple[type[Exception], ...] = (*READ_ERRORS, ValueError, struct.error, UnicodeError)
"""What a zip's damaged directory raises beside these."""

_COMPRESSION = {".gz": "gzip", ".zst": "zstd"}
_FORMATS: "dict[str, FileFormat]" = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".xlsx": "excel",
    ".xlsm": "excel",
}
_CHUNK_BYTES = 1 << 20
MOST_MEMBERS = 10_000
"""Members of a zip: each is opened and examined by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A landed file, or a member of a landed zip, and how to read it.

    Attributes:
        landing: The landing folder.
        path: The landed file's path relative to it.
        format: What it holds.
        compression: Arrow's name of its compression; ``None`` for none.
        member: Its name in the zip; ``None`` where the landed file is no zip.
        limits: What it may demand.
        packed_bytes: Its size as it landed, or in the zip.
        archive: The zip, open for as long as its members are read; ``None`` where the landed file is no zip.
    """

    landing: Place
    path: str
    format: "FileFormat"
    compression: str | None
    member: str | None = None
    limits: Limits = field(default_factory=Limits)
    packed_bytes: int = 0
    archive: zipfile.ZipFile | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What tells it from other files of the landing folder."""
        return self.path if self.member is None else f"{self.path}/{self.member}"

    def open(self) -> pa.NativeFile:
        """Open its bytes, decompressed, to be read once."""
        if self.member is None or self.archive is None:
            return self.landing.read(self.path, compression=self.compression)
        plain = pa.PythonFile(_Member(self.archive, self.member), mode="r")
        return plain if self.compression is None else pa.CompressedInputStream(plain, self.compression)

    def open_anywhere(self) -> pa.NativeFile:
        """Open its bytes, to be read in any order; packed ones are unpacked to a temporary file first.

        Raises:
            FileUnreadableError: It unpacks to more than is allowed.
        """
        if not self.is_packed:
            return self.landing.read_anywhere(self.path)
        unpacked = tempfile.TemporaryFile()  # noqa: SIM115  # PythonFile closes it
        measured = Unpacking(self)
        with self.open() as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                measured.add(len(chunk))
                unpacked.write(chunk)
        unpacked.seek(0)
        return pa.PythonFile(unpacked, mode="r")

    @property
    def is_packed(self) -> bool:
        """Whether its bytes are other ones than those that landed."""
        return self.compression is not None or self.member is not None

    def unreadable(self, why: str, way_out: str) -> FileUnreadableError:
        """The error that says why the file cannot be read, and what to do."""
        return FileUnreadableError(f"{self.name} cannot be read: {why}", way_out=way_out)

    def beyond(self, what: str, limit: str, way_out: str = "") -> FileUnreadableError:
        """The error of a file that is beyond one of `Limits`.

        Args:
            what: What is so large, and how much is allowed.
            limit: The limit's name.
            way_out: What may be wrong with the file; the setting is named in any case.
        """
        higher = f"set {setting_of(limit)} higher, if it is meant to be so"
        return self.unreadable(what, f"{way_out}, or {higher}" if way_out else higher)

    def damaged(self, error: BaseException, what: str = "cut off or damaged") -> FileUnreadableError:
        """The error of a file whose bytes do not make sense."""
        return self.unreadable(
            f"it is {what} ({quoted(error)})", "ask the steward to send it again, then run the batch again"
        )


class Unpacking:
    """What a packed file has unpacked to so far; measured while it is unpacked, for nobody can know it before."""

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self._most = file.limits.most_unpacked_bytes(file.packed_bytes)
        self._bytes = 0

    def add(self, size: int) -> None:
        """Count bytes.

        Raises:
            FileUnreadableError: They are too many.
        """
        self._bytes += size
        if self._bytes > self._most and self._file.is_packed:
            raise unpacks_too_far(self._file, self._bytes)


def unpacks_too_far(file: SourceFile, size: int, times: float = 1) -> FileUnreadableError:
    """The error of a file that unpacks to more than is allowed, or to so many times more."""
    limits, packed = file.limits, file.packed_bytes
    if size > limits.most_unpacked_mb * MEGABYTE:
        return file.beyond(
            f"it unpacks to more than {limits.most_unpacked_mb:,g} MB", "most_unpacked_mb", "send it in smaller files"
        )
    return file.beyond(
        f"its {packed:,} bytes unpack to more than {times * limits.most_unpacked_ratio:,g} times as many",
        "most_unpacked_ratio",
        "ask the steward what it is, for no rows pack so well",
    )


class _Member:
    """A member of a zip as a file object that is read once."""

    def __init__(self, archive: zipfile.ZipFile, member: str) -> None:
        self._stream = archive.open(member)
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True
        self._stream.close()


def source_files(
    drop: "FileDrop", path: str, landing: Place, *, size: int, limits: Limits | None = None
) -> tuple[SourceFile, ...]:
    """A landed file, or the members of a landed zip in the order of their names.

    Args:
        drop: How it is read.
        path: Its path relative to the landing folder.
        landing: The landing folder.
        size: Its size in bytes.
        limits: What it may demand.

    Raises:
        FileUnreadableError: A zip that is damaged, has no file in it, too many, two of one name, or unpacks too far.
        LandingError: A name that does not tell the format, where none is declared.
    """
    limits = limits or Limits()
    plain = SourceFile(landing=landing, path=path, format="csv", compression=None, limits=limits, packed_bytes=size)
    if PurePosixPath(path).suffix.lower() != ".zip":
        return (_as_declared(plain, drop),)
    archive, members = _members(plain)
    return tuple(
        _as_declared(replace(plain, member=one.filename, packed_bytes=one.compress_size, archive=archive), drop)
        for one in members
    )


def _members(file: SourceFile) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """A zip, open, and the files in it, sorted by name."""
    try:
        archive = zipfile.ZipFile(file.landing.read_anywhere(file.path))  # its members are read as long as it is used
    except ARCHIVE_ERRORS as error:
        raise file.damaged(error) from error
    # What macOS adds beside each file is no file of the sender.
    members = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    if not members:
        raise file.unreadable("it has no file in it", "ask the steward to send it again")
    if len(members) > MOST_MEMBERS:
        raise file.unreadable(
            f"it has more than {MOST_MEMBERS:,} files in it", "ask the steward for fewer, larger ones"
        )
    name, count = Counter(one.filename for one in members).most_common(1)[0]
    if count > 1:
        raise file.unreadable(f"it has two members of the name {name!r}", "ask the steward to name each file once")
    if (unpacked := sum(one.file_size for one in members)) > file.limits.most_unpacked_bytes(file.packed_bytes):
        raise unpacks_too_far(file, unpacked)
    return archive, sorted(members, key=lambda one: one.filename)


def _as_declared(file: SourceFile, drop: "FileDrop") -> SourceFile:
    """A file with its format and compression, as its name or the declaration says."""
    from readiness_pipelines.sources.file_drop import FileFormat  # noqa: PLC0415  # it imports this module

    name = PurePosixPath(file.member or file.path)
    compression = _COMPRESSION.get(name.suffix.lower())
    inner = name.with_suffix("") if compression else name
    fixed = drop.widths or isinstance(drop.columns, dict)
    kind: Any = drop.format or ("fixed" if fixed else _FORMATS.get(inner.suffix.lower()))
    if kind is None:
        raise LandingError(
            f"the name of {file.name} does not tell its format",
            way_out=suggestion(inner.suffix.lstrip("."), get_args(FileFormat)) + " (or declare FileDrop(format=…))",
        )
    return replace(file, format=kind, compression=compression)
