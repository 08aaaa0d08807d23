"""Landed files without the rows of a person. The others keep their numbers: the ledger knows which lines are gone."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from readiness_pipelines.contracts import Arrival, GatedTable, Origin, Places
from readiness_pipelines.delivery.erasure.matching import TableMatcher, subject_columns
from readiness_pipelines.errors import LandingError, ReadinessError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.masking import quoted
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.removing import file_without_rows, fingerprint_of_content, replace_file


@dataclass(slots=True, kw_only=True)
class LandedFiles:
    """What was done to landed files.

    Attributes:
        rewritten: Rows taken out, by file.
        refused: Why a file could not be written without them, by file.
        elsewhere: Sources that are no files of ours: the person has to be erased there, too.
    """

    rewritten: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relanded:
    """What a batch was read from, now that rows are taken out of its files.

    Attributes:
        origins: Its files.
        arrival: Fingerprint of what has landed.
    """

    origins: tuple[Origin, ...]
    arrival: str


def landed_rows(
    table: GatedTable, matcher: TableMatcher, files: LandedFiles, *, installation: Installation
) -> dict[str, dict[str, tuple[int, ...]]]:
    """The places of a person's rows in the landed files of a table, by batch and file.

    Args:
        table: The table.
        matcher: Tells the rows.
        files: Gets what cannot be read.
        installation: Where files land.

    Raises:
        LandingError: The landing folder cannot be read.
    """
    reader = table.source.reader
    if not isinstance(reader, FileDrop):
        said = f"{table.id}: {reader.describe()}"
        if said not in files.elsewhere:
            files.elsewhere.append(said)
        return {}
    places = installation.places(table.batches)
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for arrival in reader.arrivals(places):
        try:
            rows = _rows_by_file(table, reader, arrival.batch, matcher, places)
        except ReadinessError as error:
            files.refused[f"batch {arrival.batch} of {table.id}"] = error.what
            continue
        if rows:
            found[arrival.batch] = rows
    return found


def _rows_by_file(
    table: GatedTable, reader: FileDrop, batch: str, matcher: TableMatcher, places: Places
) -> dict[str, tuple[int, ...]]:
    opened = reader.open(batch, places)
    subjects = {column.name: column for column in subject_columns(table, opened.columns)}
    found: dict[str, list[int]] = {}
    file, first, after = None, 0, 0
    for rows in opened.rows:
        numbers, names = np.asarray(rows.column("_row")), rows.column("_file").to_pylist()
        mask = matcher.mask(rows, subjects)
        for place, name in enumerate(names):
            if name != file:
                file, first = name, after
            after = max(after, int(numbers[place]) + 1)
            if mask[place]:
                found.setdefault(name, []).append(int(numbers[place]) - first)
    return {name: tuple(sorted(rows)) for name, rows in found.items()}


def rewrite_landed(
    table: GatedTable,
    batch: str,
    rows: dict[str, tuple[int, ...]],
    files: LandedFiles,
    *,
    ingested: str | None,
    installation: Installation,
    run: Run,
    done: Callable[[str], None] = lambda _: None,
) -> Relanded | None:
    """Take rows out of the landed files of a batch.

    The ledger knows what a file will lack before it is put in its place: whoever reads it then gives each row the
    number that it had.

    Args:
        table: The table.
        batch: The batch.
        rows: The places of the rows, by file.
        files: Gets what was done, and what could not be.
        ingested: Fingerprint of the arrival that was ingested of the batch; ``None`` where none was.
        installation: Where files land, and the ledger.
        run: Who, and when.
        done: Called with each file that was written.

    Returns:
        What the batch is read from now; ``None`` where no file was written, or something else has landed than what was
        ingested, which is due in any case.
    """
    reader = table.source.reader
    assert isinstance(reader, FileDrop)  # noqa: S101  # only of files rows are found
    places, ledger = installation.places(table.batches), installation.ledger
    before = _arrival(reader, batch, places)
    origins = {origin.name: origin for origin in reader.open(batch, places).origins}
    written = False
    for name, taken in rows.items():
        try:
            if name not in origins:
                raise LandingError(f"{name} is part of an archive", way_out="take the rows out of it by hand")
            _refuse_new_version(table, reader, installation)
            content = file_without_rows(reader, name, batch, places, taken)
            lacking = ledger.erasures.lines([origins[name]]).get(name, ())
            lines = sorted({*lacking, *_original_places(taken, lacking)})
            ledger.erasures.note_lines(name, fingerprint_of_content(content), lines, at=run.clock())
            replace_file(installation.landing, name, content)
        except (LandingError, OSError) as error:
            files.refused[name] = error.what if isinstance(error, LandingError) else quoted(error)
            continue
        files.refused.pop(name, None)
        files.rewritten[name] = files.rewritten.get(name, 0) + len(taken)
        written = True
        done(name)
    after = _arrival(reader, batch, places)
    if not written or before is None or after is None or before.fingerprint != ingested:
        return None
    return Relanded(origins=tuple(reader.open(batch, places).origins), arrival=after.fingerprint)


def _original_places(places: Sequence[int], lacking: Collection[int]) -> list[int]:
    """The places that rows had in a file before others were taken out of it."""
    gone = np.asarray(sorted(lacking), dtype=np.int64)
    shifted = gone - np.arange(len(gone))
    return [int(place + np.searchsorted(shifted, place, side="right")) for place in places]


def _arrival(reader: FileDrop, batch: str, places: Places) -> Arrival | None:
    return next((one for one in reader.arrivals(places) if one.batch == batch), None)


def _refuse_new_version(table: GatedTable, reader: FileDrop, installation: Installation) -> None:
    """Refuse to write what would be taken for a new version: where the time of a change is the version's name."""
    if "{batch" not in reader.pattern and not installation.landing.is_local:
        raise LandingError(
            f"a file of {table.id} that is written anew is a new version of it",
            way_out="send it again without the person, and delete the older file",
        )
