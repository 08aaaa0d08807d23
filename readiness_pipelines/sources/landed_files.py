"""The files of the landing folder. Links that lead out of it, and names that are not text, are listed with why not."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from readiness_pipelines.storage import FileFacts, Place

MOST_LINKED_FILES = 1_000
"""Files that are listed behind one link that leads out: enough to know the batches that it would be part of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedFile:
    """A file of the landing folder.

    Attributes:
        facts: The file.
        refusal: Why it is not read; "" where it is.
        way_out: What to do about it.
        put_at: When it was put there, in UTC; later than its change where a copy keeps the time of that. ``None`` where
            the place does not tell.
    """

    facts: FileFacts
    refusal: str = ""
    way_out: str = ""
    put_at: datetime | None = None


def landed_files(landing: Place, below: str = "") -> Iterator[LandedFile]:
    """All files below a folder of the landing folder; none where there is no such folder.

    Raises:
        OSError: The folder cannot be read.
    """
    if not landing.is_local:
        yield from (LandedFile(facts=facts) for facts in landing.files(below))
        return
    start = os.path.realpath(landing.path)
    folder = Path(start, below) if below else Path(start)
    if folder.is_dir():
        inside = os.path.realpath(folder)
        yield from _walk(folder, start, link="" if _is_inside(inside, start) else below, above=(inside,))


def _walk(folder: Path, start: str, *, link: str, above: tuple[str, ...]) -> Iterator[LandedFile]:
    """A folder's files, sorted by name.

    Args:
        folder: The folder.
        start: The real path of the landing folder.
        link: The link that led out of the landing folder; "" where none did.
        above: The real paths of the folder and those above it: a link to one of them would never end.
    """
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return  # it was taken away since
    for entry in found:
        if entry.is_symlink() and not Path(entry.path).exists():
            continue  # it leads nowhere
        outer = link
        name = os.path.relpath(entry.path, start)
        real = os.path.realpath(entry.path) if entry.is_symlink() else f"{above[-1]}/{entry.name}"
        if not outer and not _is_inside(real, start):
            outer = name
        if entry.is_dir():
            if real not in above:
                inner = _walk(Path(entry.path), start, link=outer, above=(*above, real))
                yield from _some(inner) if outer and not link else inner
        elif entry.is_file():
            try:
                status = entry.stat()
            except FileNotFoundError:
                continue  # it was taken away since
            yield _landed(name, entry.path, status, outer)


def _some(files: Iterator[LandedFile]) -> Iterator[LandedFile]:
    try:
        for _, file in zip(range(MOST_LINKED_FILES), files, strict=False):
            yield file
    except OSError:
        return  # what is behind the link is not ours to read


def _landed(name: str, path: str, status: os.stat_result, link: str) -> LandedFile:
    facts = FileFacts(
        name=name,
        uri=path,
        size_bytes=status.st_size,
        changed_at=datetime.fromtimestamp(status.st_mtime_ns / 1e9, tz=UTC),
    )
    put_at = datetime.fromtimestamp(status.st_ctime_ns / 1e9, tz=UTC)
    if link:
        return LandedFile(
            facts=facts,
            refusal=f"{shown_name(link)} is a link that leads out of the landing folder",
            way_out="put the file itself in its place, then run the batch again",
        )
    if shown_name(name) != name:
        return LandedFile(
            facts=facts,
            refusal=f"the name of the file {shown_name(name)} is not UTF-8",
            way_out="rename it, or ask the steward to send it under another name, then run the batch again",
        )
    return LandedFile(facts=facts, put_at=put_at)


def shown_name(name: str) -> str:
    """A file's name as text that can be stored and printed: bytes that are not UTF-8 are escaped."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_inside(path: str, start: str) -> bool:
    return path == start or path.startswith(start.rstrip("/") + "/")
