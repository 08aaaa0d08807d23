"""Files as bytes: what they hold, by their name, and how they are opened."""

import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa

from readiness_pipelines.errors import FileUnreadableError, LandingError, suggestion
from readiness_pipelines.storage import Place

if TYPE_CHECKING:
    from readiness_pipelines.sources.file_drop import FileDrop, FileFormat

READ_ERRORS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)  # zipfile's
"""What reading bytes of a damaged or encrypted file raises: zipfile has `RuntimeError` for a password that it lacks,
and `NotImplementedError` for a compression that it does not know."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A landed file, or a member of a landed zip, and how to read it.

    Attributes:
        landing: The landing folder.
        path: The landed file's path relative to it.
        format: What it holds.
        compression: Arrow's name of its compression; ``None`` for none.
        member: Its name in the zip; ``None`` where the landed file is no zip.
    """

    landing: Place
    path: str
    format: "FileFormat"
    compression: str | None
    member: str | None = None

    @property
    def name(self) -> str:
        """What tells it from other files of the landing folder."""
        return self.path if self.member is None else f"{self.path}/{self.member}"

    def open(self) -> pa.NativeFile:
        """Open its bytes, decompressed, to be read once."""
        if self.member is None:
            return self.landing.read(self.path, compression=self.compression)
        plain = pa.PythonFile(_Member(self.landing, self.path, self.member), mode="r")
        return plain if self.compression is None else pa.CompressedInputStream(plain, self.compression)

    def open_anywhere(self) -> pa.NativeFile:
        """Open its bytes, to be read in any order; packed ones are unpacked to a temporary file first."""
        if self.compression is None and self.member is None:
            return self.landing.read_anywhere(self.path)
        unpacked = tempfile.TemporaryFile()  # noqa: SIM115  # PythonFile closes it
        with self.open() as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                unpacked.write(chunk)
        unpacked.seek(0)
        return pa.PythonFile(unpacked, mode="r")

    def unreadable(self, why: str, way_out: str) -> FileUnreadableError:
        """The error that says why the file cannot be read, and what to do."""
        return FileUnreadableError(f"{self.name} cannot be read: {why}", way_out=way_out)

    def damaged(self, error: BaseException, what: str = "cut off or damaged") -> FileUnreadableError:
        """The error of a file whose bytes do not make sense."""
        first = (str(error).splitlines() or [type(error).__name__])[0]
        return self.unreadable(f"it is {what} ({first})", "ask the steward to send it again, then run the batch again")


class _Member:
    """A member of a zip as a file object that closes the zip with itself."""

    def __init__(self, landing: Place, path: str, member: str) -> None:
        self._zip = zipfile.ZipFile(landing.read_anywhere(path))
        self._stream = self._zip.open(member)
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
        self._zip.close()


def source_files(drop: "FileDrop", path: str, landing: Place) -> tuple[SourceFile, ...]:
    """A landed file, or the members of a landed zip in the order of their names.

    Raises:
        FileUnreadableError: A zip that is damaged, or has no file in it.
        LandingError: A name that does not tell the format, where none is declared.
    """
    if PurePosixPath(path).suffix != ".zip":
        return (_source_file(drop, path, landing, None),)
    archive = SourceFile(landing=landing, path=path, format="csv", compression=None)
    try:
        with landing.read_anywhere(path) as stream, zipfile.ZipFile(stream) as opened:
            names = sorted(info.filename for info in opened.infolist() if not info.is_dir())
    except READ_ERRORS as error:
        raise archive.damaged(error) from error
    # What macOS adds beside each file is no file of the sender.
    members = [name for name in names if not name.startswith("__MACOSX/")]
    if not members:
        raise archive.unreadable("it has no file in it", "ask the steward to send it again")
    return tuple(_source_file(drop, path, landing, member) for member in members)


def _source_file(drop: "FileDrop", path: str, landing: Place, member: str | None) -> SourceFile:
    from readiness_pipelines.sources.file_drop import FileFormat  # noqa: PLC0415  # it imports this module

    name = PurePosixPath(member or path)
    compression = _COMPRESSION.get(name.suffix.lower())
    inner = name.with_suffix("") if compression else name
    fixed = drop.widths or isinstance(drop.columns, dict)
    kind: Any = drop.format or ("fixed" if fixed else _FORMATS.get(inner.suffix.lower()))
    if kind is None:
        raise LandingError(
            f"the name of {path if member is None else f'{path}/{member}'} does not tell its format",
            way_out=suggestion(inner.suffix.lstrip("."), get_args(FileFormat)) + " (or declare FileDrop(format=…))",
        )
    return SourceFile(landing=landing, path=path, format=kind, compression=compression, member=member)
