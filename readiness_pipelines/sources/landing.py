"""Which files landed for a batch."""

import hashlib
from collections.abc import Iterator
from datetime import UTC

from readiness_pipelines.batches import in_order
from readiness_pipelines.contracts.readers import Arrival, Origin, Places
from readiness_pipelines.errors import BatchNotLandedError, LandingError, first_line, suggestion
from readiness_pipelines.sources.batch_pattern import BatchPattern
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.landed_files import LandedFile, landed_files, shown_name
from readiness_pipelines.storage import FileFacts, Place

_CHUNK_BYTES = 1 << 20
_VERSION_KEY = "%Y-%m-%dT%H%M%SZ"


def file_arrivals(drop: FileDrop, places: Places) -> tuple[Arrival, ...]:
    """What each batch has in the landing folder now, from old to new.

    Raises:
        LandingError: The folder cannot be read.
    """
    found = _files_by_batch(drop, places)
    return tuple(_arrival(batch, [file.facts for file in found[batch]]) for batch in in_order(places.batches, found))


def file_origins(drop: FileDrop, batch: str, places: Places) -> tuple[Origin, ...]:
    """The files of a batch, sorted by path.

    Raises:
        BatchNotLandedError: No file matches; names the pattern, the folder and the nearest batch that landed.
        LandingError: A batch key that would leave the landing folder, a link that does, a file whose name is not text,
            or a folder that cannot be read.
    """
    if "/" in batch or "\\" in batch or ".." in batch or not batch:
        raise LandingError(f"{batch!r} is not a batch key: it would leave the landing folder")
    found = _files_by_batch(drop, places)
    if batch not in found:
        raise BatchNotLandedError(_nothing(drop, batch, places), way_out=_nearest(batch, found))
    for file in found[batch]:
        if file.refusal:
            raise LandingError(f"batch {batch!r}: {file.refusal}", way_out=file.way_out)
    return tuple(_origin(file.facts, places.landing) for file in found[batch])


def _files_by_batch(drop: FileDrop, places: Places) -> dict[str, list[LandedFile]]:
    """The files that match the pattern, sorted by path, by the batch that they are of."""
    pattern = BatchPattern(drop.pattern)
    found: dict[str, list[LandedFile]] = {}
    for key, file in _matches(pattern, places):
        found.setdefault(key, []).append(file)
    for files in found.values():
        files.sort(key=lambda file: file.facts.name)
    if not pattern.names_batch and found:
        (files,) = found.values()
        newest = max(file.facts.changed_at for file in files)
        return {newest.astimezone(UTC).strftime(_VERSION_KEY): files}
    return found


def _matches(pattern: BatchPattern, places: Places) -> Iterator[tuple[str, LandedFile]]:
    key_of = pattern.reader(places.batches)
    try:
        for file in landed_files(places.landing, pattern.folder()):
            key = key_of(file.facts.name)
            if key is not None:
                yield shown_name(key), file
    except OSError as error:
        raise LandingError(
            f"the landing folder {places.landing} cannot be read: {first_line(error)}",
            way_out="readiness doctor",
        ) from error


def _arrival(batch: str, files: list[FileFacts]) -> Arrival:
    facts = [(file.name, file.size_bytes, file.changed_at.timestamp()) for file in files]
    return Arrival(
        batch=batch,
        fingerprint=hashlib.sha256(repr(facts).encode()).hexdigest()[:16],
        settled_since=max(file.changed_at for file in files),
    )


def _nothing(drop: FileDrop, batch: str, places: Places) -> str:
    pattern = BatchPattern(drop.pattern)
    if pattern.names_batch:
        written = pattern.written(batch, places.batches)
        return f"no file landed for batch {batch!r}: nothing matches {written} under {places.landing}"
    return f"the files of version {batch!r} are not there any more, or never were: {drop.pattern} in {places.landing}"


def _nearest(batch: str, known: dict[str, list[LandedFile]]) -> str:
    return suggestion(batch, known) or "check the landing folder and the pattern"


def _origin(file: FileFacts, landing: Place) -> Origin:
    checksum = hashlib.sha256()
    try:
        with landing.read(file.name) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                checksum.update(chunk)
    except OSError as error:
        raise LandingError(f"{file.name} cannot be read: {first_line(error)}") from error
    return Origin(name=file.name, fingerprint=checksum.hexdigest(), bytes=file.size_bytes, arrived_at=file.changed_at)
