"""Which files landed for a batch."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from readiness_pipelines.batches import VERSION_KEY, in_order
from readiness_pipelines.contracts.readers import Arrival, Origin, Places
from readiness_pipelines.errors import BatchNotLandedError, LandingError, first_line, suggestion
from readiness_pipelines.sources.batch_pattern import BatchPattern
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.landed_files import LandedFile, landed_files, shown_name
from readiness_pipelines.storage import FileFacts, Place

_CHUNK_BYTES = 1 << 20


def file_arrivals(drop: FileDrop, places: Places) -> tuple[Arrival, ...]:
    """What each batch has in the landing folder now, from old to new.

    Raises:
        LandingError: The folder cannot be read.
    """
    found = _landed_by_batch(drop, places)
    return tuple(_arrival(drop, batch, found[batch], places) for batch in in_order(places.batches, found))


def file_origins(drop: FileDrop, batch: str, places: Places) -> tuple[Origin, ...]:
    """The files of a batch, sorted by path.

    Raises:
        BatchNotLandedError: No file matches; names the pattern, the folder and the nearest batch that landed.
        LandingError: A batch key that would leave the landing folder, a link that does, a file whose name is not text,
            or a folder that cannot be read.
    """
    if "/" in batch or "\\" in batch or ".." in batch or not batch:
        raise LandingError(f"{batch!r} is not a batch key: it would leave the landing folder")
    found = _landed_by_batch(drop, places)
    if batch not in found:
        raise BatchNotLandedError(_nothing(drop, batch, places), way_out=_nearest(batch, found))
    for file in found[batch].files:
        if file.refusal:
            raise LandingError(f"batch {batch!r}: {file.refusal}", way_out=file.way_out)
    return tuple(_origin(file.facts, places.landing) for file in found[batch].files)


@dataclass(slots=True)
class _Landed:
    """What landed for a batch: its files, sorted by path, and when the sender last said that it is whole."""

    files: list[LandedFile] = field(default_factory=list)
    marked_at: datetime | None = None


def _landed_by_batch(drop: FileDrop, places: Places) -> dict[str, _Landed]:
    """What matches the pattern, by the batch that it is of."""
    pattern, marker = BatchPattern(drop.pattern), drop.marker
    key_of = pattern.reader(places.batches)
    marked_of = marker.reader(places.batches) if marker else lambda _: None
    found: dict[str, _Landed] = {}
    for file in _listed(places, {pattern.folder(), *([marker.folder()] if marker else ())}):
        if (marked := marked_of(file.facts.name)) is not None:
            one = found.setdefault(shown_name(marked), _Landed())
            one.marked_at = max(one.marked_at or file.facts.changed_at, file.facts.changed_at)
        elif (key := key_of(file.facts.name)) is not None:
            found.setdefault(shown_name(key), _Landed()).files.append(file)
    found = {key: one for key, one in found.items() if one.files}
    for one in found.values():
        one.files.sort(key=lambda file: file.facts.name)
    if not pattern.names_batch and found:
        (all_of_it,) = found.values()
        newest = max(file.facts.changed_at for file in all_of_it.files)
        return {newest.astimezone(UTC).strftime(VERSION_KEY): all_of_it}
    return found


def _listed(places: Places, folders: set[str]) -> Iterator[LandedFile]:
    """The files below some folders, each once."""
    outermost = [one for one in folders if not any(_is_below(one, other) for other in folders if other != one)]
    try:
        for folder in outermost:
            yield from landed_files(places.landing, folder)
    except OSError as error:
        raise LandingError(
            f"the landing folder {places.landing} cannot be read: {first_line(error)}",
            way_out="readiness doctor",
        ) from error


def _is_below(folder: str, other: str) -> bool:
    return other == "" or folder.startswith(f"{other}/")


def _arrival(drop: FileDrop, batch: str, landed: _Landed, places: Places) -> Arrival:
    files = [file.facts for file in landed.files]
    put_at = max(max(file.facts.changed_at, file.put_at or file.facts.changed_at) for file in landed.files)
    facts = [(file.name, file.size_bytes, file.changed_at.timestamp()) for file in files]
    newest = max(files, key=lambda file: file.changed_at)
    awaited = drop.marker if landed.marked_at is None and drop.settles is None else None
    return Arrival(
        batch=batch,
        fingerprint=hashlib.sha256(repr(facts).encode()).hexdigest()[:16],
        settled_since=newest.changed_at,
        newest=shown_name(newest.name),
        settles=drop.settles,
        # What changed after the sender said so is on its way again.
        complete=landed.marked_at is not None and landed.marked_at >= newest.changed_at,
        awaits=awaited.written(batch, places.batches) if awaited else "",
        put_at=None if BatchPattern(drop.pattern).names_batch else put_at,
    )


def _nothing(drop: FileDrop, batch: str, places: Places) -> str:
    pattern = BatchPattern(drop.pattern)
    if pattern.names_batch:
        written = pattern.written(batch, places.batches)
        return f"no file landed for batch {batch!r}: nothing matches {written} under {places.landing}"
    return f"the files of version {batch!r} are not there any more, or never were: {drop.pattern} in {places.landing}"


def _nearest(batch: str, known: Iterable[str]) -> str:
    return suggestion(batch, known) or "check the landing folder and the pattern"


def _origin(file: FileFacts, landing: Place) -> Origin:
    checksum = hashlib.sha256()
    try:
        with landing.read(file.name) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                checksum.update(chunk)
    except OSError as error:
        raise LandingError(
            f"{file.name} cannot be read: {first_line(error)}",
            way_out="see that it is there and can be read (readiness doctor), then run the batch again",
        ) from error
    return Origin(name=file.name, fingerprint=checksum.hexdigest(), bytes=file.size_bytes, arrived_at=file.changed_at)
