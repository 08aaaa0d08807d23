"""Which files landed for a batch."""

import glob
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from readiness_pipelines.contracts.readers import BATCH_PLACEHOLDER, FileDrop
from readiness_pipelines.errors import BatchNotLandedError, LandingError, suggestion

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedFile:
    """A file as it landed.

    Attributes:
        path: Relative to the landing folder, with forward slashes.
        size_bytes: Its size.
        sha256: Checksum of its bytes, hexadecimal.
        landed_at: When it was last changed, in UTC.
    """

    path: str
    size_bytes: int
    sha256: str
    landed_at: datetime


def landed_files(drop: FileDrop, *, batch: str, landing: Path) -> tuple[LandedFile, ...]:
    """The files of a batch, sorted by path.

    Raises:
        BatchNotLandedError: No file matches; names the pattern, the folder and the nearest batch that landed.
        LandingError: A batch key that would leave the landing folder.
    """
    if "/" in batch or "\\" in batch or ".." in batch or not batch:
        raise LandingError(f"{batch!r} is no batch key: it would leave the landing folder")
    pattern = drop.pattern.replace(BATCH_PLACEHOLDER, glob.escape(batch))
    paths = sorted(path for path in landing.glob(pattern) if path.is_file())
    if not paths:
        raise BatchNotLandedError(
            f"no file landed for batch {batch!r}: nothing matches {pattern} under {landing}",
            way_out=suggestion(batch, known_batches(drop, landing=landing))
            or "check the landing folder and the pattern",
        )
    return tuple(_landed(path, landing) for path in paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSet:
    """The files that a batch has now, without opening them.

    Attributes:
        batch: The batch.
        digest: Tells this set from any other, by paths, sizes and times.
        sizes: Sizes in bytes, by path relative to the landing folder.
        changed_at: When the newest of them was changed, in UTC.
    """

    batch: str
    digest: str
    sizes: Mapping[str, int]
    changed_at: datetime


def file_sets(drop: FileDrop, *, landing: Path) -> tuple[FileSet, ...]:
    """What each batch has in the landing folder now, by batch: one listing, whatever the number of batches."""
    found: dict[str, list[tuple[str, int, int]]] = {}
    for batch, path in _matches(drop, landing):
        facts = path.stat()
        place = path.relative_to(landing).as_posix()
        found.setdefault(batch, []).append((place, facts.st_size, facts.st_mtime_ns))
    return tuple(_file_set(batch, sorted(found[batch])) for batch in sorted(found))


def _file_set(batch: str, files: list[tuple[str, int, int]]) -> FileSet:
    return FileSet(
        batch=batch,
        digest=hashlib.sha256(repr(files).encode()).hexdigest()[:16],
        sizes={place: size for place, size, _ in files},
        changed_at=datetime.fromtimestamp(max(changed for _, _, changed in files) / 1e9, tz=UTC),
    )


def known_batches(drop: FileDrop, *, landing: Path) -> tuple[str, ...]:
    """The keys of the batches that have files now, sorted."""
    return tuple(sorted({batch for batch, _ in _matches(drop, landing)}))


def _matches(drop: FileDrop, landing: Path) -> Iterator[tuple[str, Path]]:
    """The files that match the pattern, with the batch that each is of."""
    before, after = drop.pattern.split(BATCH_PLACEHOLDER, 1)
    after = after.replace(BATCH_PLACEHOLDER, "*")
    pattern = re.compile(f"{_regex(before)}(?P<batch>[A-Za-z0-9][^/]*?){_regex(after)}")
    for path in landing.glob(f"{before}*{after}"):
        match = pattern.fullmatch(path.relative_to(landing).as_posix())
        if match and path.is_file():
            yield match["batch"], path


def _regex(part: str) -> str:
    kinds = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", part)
    return "".join(kinds.get(piece) or (piece if piece.startswith("[") else re.escape(piece)) for piece in pieces)


def _landed(path: Path, landing: Path) -> LandedFile:
    checksum = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            checksum.update(chunk)
    facts = path.stat()
    return LandedFile(
        path=path.relative_to(landing).as_posix(),
        size_bytes=facts.st_size,
        sha256=checksum.hexdigest(),
        landed_at=datetime.fromtimestamp(facts.st_mtime, tz=UTC),
    )
