"""Where files lie: folders of this machine and prefixes of S3 buckets, behind one driver, Arrow's.

PyIceberg, DuckDB and the readers of landed files go through the same driver, so that what one of them can reach, all
can. Credentials come from the standard chain: the environment, a profile, or the role of the machine.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import fs

S3 = "s3://"
_CLOCK = ".clock"
"""The file by which a place's clock is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStore:
    """Where S3 is.

    Attributes:
        endpoint: URL of a server that speaks S3; "" for AWS itself.
        region: Region of the buckets; "" asks the standard chain.
    """

    endpoint: str = ""
    region: str = ""

    @property
    def known_region(self) -> str | None:
        """The region to name: servers other than AWS's take any, but want one; ``None`` asks the standard chain."""
        return self.region or ("us-east-1" if self.endpoint else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """A file without a look into it.

    Attributes:
        name: Its path below the place that was listed, with forward slashes.
        uri: Where it lies.
        size_bytes: Its size.
        changed_at: When it was last changed, in UTC; to the second on S3.
    """

    name: str
    uri: str
    size_bytes: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of this machine, or a prefix of a bucket.

    Attributes:
        uri: An absolute path, or ``s3://bucket/prefix``; without a slash at the end.
        store: Where S3 is.
    """

    uri: str
    store: ObjectStore = field(default_factory=ObjectStore)

    @classmethod
    def of(cls, text: str | Path, store: ObjectStore | None = None) -> "Place":
        """The place that a path or URI names; a relative path starts at the working folder."""
        given = str(text)
        if given.startswith(S3):
            return cls(given.rstrip("/"), store or ObjectStore())
        return cls(str(Path(given.removeprefix("file://")).expanduser().resolve()), store or ObjectStore())

    def __truediv__(self, name: str) -> "Place":
        return Place(f"{self.uri}/{name}", self.store)

    def __str__(self) -> str:
        return self.uri

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return not self.uri.startswith(S3)

    @property
    def path(self) -> Path:
        """The folder of this machine.

        Raises:
            ValueError: It is in a bucket.
        """
        if not self.is_local:
            raise ValueError(f"{self.uri} is not a folder of this machine")
        return Path(self.uri)

    @property
    def filesystem(self) -> fs.FileSystem:
        """Arrow's driver, which takes paths without a scheme: see `bare`."""
        return fs.LocalFileSystem() if self.is_local else _s3(self.store)

    def make(self) -> None:
        """Make the folder and those above it; a bucket has none to make."""
        if self.is_local:
            self.path.mkdir(parents=True, exist_ok=True)

    def files(self, below: str = "") -> Iterator[FileFacts]:
        """All files below the place, or below a folder of it; none where there is no such folder.

        Raises:
            OSError: The place cannot be read.
        """
        start = bare(self.uri)
        folder = f"{start}/{below}" if below else start
        for info in self.filesystem.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True)):
            if info.type == fs.FileType.File:
                yield self._facts(info)

    def facts(self, name: str) -> FileFacts | None:
        """A file as it is now; ``None`` where it is not there.

        Raises:
            OSError: The place cannot be read.
        """
        info = self.filesystem.get_file_info(f"{bare(self.uri)}/{name}")
        return self._facts(info) if info.type == fs.FileType.File else None

    def _facts(self, info: fs.FileInfo) -> FileFacts:
        name = info.path.removeprefix(f"{bare(self.uri)}/")
        changed_at = datetime.fromtimestamp(info.mtime_ns / 1e9, tz=UTC)
        return FileFacts(name=name, uri=f"{self.uri}/{name}", size_bytes=info.size, changed_at=changed_at)

    def read(self, name: str, *, compression: str | None = None) -> pa.NativeFile:
        """Open a file's bytes, decompressed, to be read once."""
        return self.filesystem.open_input_stream(f"{bare(self.uri)}/{name}", compression=compression)

    def read_anywhere(self, name: str) -> pa.NativeFile:
        """Open a file's bytes, to be read in any order."""
        return self.filesystem.open_input_file(f"{bare(self.uri)}/{name}")

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, in place of one of that name.

        Raises:
            OSError: The place cannot be written to.
        """
        with self.filesystem.open_output_stream(f"{bare(self.uri)}/{name}", compression=None) as file:
            file.write(content)

    def clock(self) -> datetime | None:
        """The time by the storage's clock: a small file is written, and its time looked at. ``None`` where it is gone.

        Raises:
            OSError: The place cannot be written to.
        """
        self.write(_CLOCK, b"")
        written = self.facts(_CLOCK)
        return written.changed_at if written else None

    def shares_clock(self, other: "Place") -> bool:
        """Whether files here and there get their times from one clock, as far as that can be known."""
        if self.is_local and other.is_local:
            return self.path.exists() and other.path.exists() and self.path.stat().st_dev == other.path.stat().st_dev
        return not self.is_local and not other.is_local and self.store == other.store

    def create(self, name: str) -> pa.NativeFile:
        """Open a new file, to be written from its beginning to its end."""
        return self.filesystem.open_output_stream(f"{bare(self.uri)}/{name}", compression=None)

    def remove(self, name: str) -> None:
        """Remove a file; it does not matter whether it is there."""
        with suppress(FileNotFoundError):
            self.filesystem.delete_file(f"{bare(self.uri)}/{name}")

    def remove_all(self) -> None:
        """Remove the place with all that lies below it; it does not matter whether it is there.

        Raises:
            OSError: It cannot be removed.
        """
        with suppress(FileNotFoundError):
            self.filesystem.delete_dir(bare(self.uri))

    def for_duckdb(self) -> Any:
        """The driver in the shape that DuckDB's ``register_filesystem`` takes; ``None`` where DuckDB needs none."""
        return None if self.is_local else _fsspec(self.store)


def bare(uri: str) -> str:
    """A URI as Arrow's drivers take it: without its scheme."""
    return uri.removeprefix(S3).removeprefix("file://")


@cache
def _s3(store: ObjectStore) -> fs.S3FileSystem:
    return fs.S3FileSystem(region=store.known_region, endpoint_override=store.endpoint or None)


@cache
def _fsspec(store: ObjectStore) -> Any:
    from fsspec.implementations.arrow import ArrowFSWrapper  # noqa: PLC0415  # only those on S3 pay for it

    class ArrowS3(ArrowFSWrapper):  # type: ignore[misc]  # fsspec has no types
        """Arrow's driver as fsspec has them, for paths that begin with s3://."""

        protocol = "s3"

    return ArrowS3(_s3(store))
