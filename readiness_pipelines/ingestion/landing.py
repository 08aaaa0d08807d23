"""Which files landed for a batch."""

import glob
import hashlib
import re
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


def known_batches(drop: FileDrop, *, landing: Path) -> tuple[str, ...]:
    """The keys of the batches that have files now, sorted."""
    before, after = drop.pattern.split(BATCH_PLACEHOLDER, 1)
    after = after.replace(BATCH_PLACEHOLDER, "*")
    pattern = re.compile(f"{_regex(before)}(?P<batch>[^/]+?){_regex(after)}")
    found = (
        pattern.fullmatch(path.relative_to(landing).as_posix())
        for path in landing.glob(f"{before}*{after}")
        if path.is_file()
    )
    return tuple(sorted({match["batch"] for match in found if match}))


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
