"""Which files landed for a batch."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from readiness_pipelines.sources.file_drop import BATCH_PLACEHOLDER, FileDrop
from readiness_pipelines.errors import BatchNotLandedError, LandingError, suggestion
from readiness_pipelines.storage import FileFacts, Place

_CHUNK_BYTES = 1 << 20
_BATCH = "(?P<batch>[A-Za-z0-9][^/]*?)"
_WILD = re.compile(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])")


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


def landed_files(drop: FileDrop, *, batch: str, landing: Place) -> tuple[LandedFile, ...]:
    """The files of a batch, sorted by path.

    Raises:
        BatchNotLandedError: No file matches; names the pattern, the folder and the nearest batch that landed.
        LandingError: A batch key that would leave the landing folder, or a folder that cannot be read.
    """
    if "/" in batch or "\\" in batch or ".." in batch or not batch:
        raise LandingError(f"{batch!r} is no batch key: it would leave the landing folder")
    found = sorted((file for _, file in _matches(drop, landing, batch)), key=lambda file: file.name)
    if not found:
        pattern = drop.pattern.replace(BATCH_PLACEHOLDER, batch)
        raise BatchNotLandedError(
            f"no file landed for batch {batch!r}: nothing matches {pattern} under {landing}",
            way_out=suggestion(batch, known_batches(drop, landing=landing))
            or "check the landing folder and the pattern",
        )
    return tuple(_landed(file, landing) for file in found)


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


def file_sets(drop: FileDrop, *, landing: Place) -> tuple[FileSet, ...]:
    """What each batch has in the landing folder now, by batch: one listing, whatever the number of batches.

    Raises:
        LandingError: The folder cannot be read.
    """
    found: dict[str, list[FileFacts]] = {}
    for batch, file in _matches(drop, landing):
        found.setdefault(batch, []).append(file)
    return tuple(_file_set(batch, sorted(found[batch], key=lambda file: file.name)) for batch in sorted(found))


def _file_set(batch: str, files: list[FileFacts]) -> FileSet:
    facts = [(file.name, file.size_bytes, file.changed_at.timestamp()) for file in files]
    return FileSet(
        batch=batch,
        digest=hashlib.sha256(repr(facts).encode()).hexdigest()[:16],
        sizes={file.name: file.size_bytes for file in files},
        changed_at=max(file.changed_at for file in files),
    )


def known_batches(drop: FileDrop, *, landing: Place) -> tuple[str, ...]:
    """The keys of the batches that have files now, sorted.

    Raises:
        LandingError: The folder cannot be read.
    """
    return tuple(sorted({batch for batch, _ in _matches(drop, landing)}))


def _matches(drop: FileDrop, landing: Place, batch: str | None = None) -> Iterator[tuple[str, FileFacts]]:
    """The files that match the pattern, with the batch that each is of; of one batch, or of all."""
    before, after = drop.pattern.split(BATCH_PLACEHOLDER, 1)
    if batch is None:
        pattern = _regex(before) + _BATCH + _regex(after.replace(BATCH_PLACEHOLDER, "*"))
        fixed = before.split("/")[:-1]
    else:
        pattern = re.escape(batch).join(map(_regex, drop.pattern.split(BATCH_PLACEHOLDER)))
        fixed = drop.pattern.split("/")[:-1]
    # Only below the folders that the pattern names without a wildcard.
    below = "/".join(takewhile(lambda part: not _WILD.search(part), fixed)).replace(BATCH_PLACEHOLDER, batch or "")
    whole = re.compile(pattern)
    try:
        for file in landing.files(below):
            if match := whole.fullmatch(file.name):
                yield batch or match["batch"], file
    except OSError as error:
        raise LandingError(
            f"the landing folder {landing} cannot be read: {str(error).splitlines()[0]}",
            way_out="readiness doctor",
        ) from error


def _regex(part: str) -> str:
    kinds = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = _WILD.split(part)
    return "".join(
        kinds.get(piece) or (_set(piece) if _WILD.fullmatch(piece) else re.escape(piece)) for piece in pieces
    )


def _set(piece: str) -> str:
    return f"[^{piece[2:]}" if piece.startswith("[!") else piece


def _landed(file: FileFacts, landing: Place) -> LandedFile:
    checksum = hashlib.sha256()
    with landing.read(file.name) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            checksum.update(chunk)
    return LandedFile(
        path=file.name, size_bytes=file.size_bytes, sha256=checksum.hexdigest(), landed_at=file.changed_at
    )
