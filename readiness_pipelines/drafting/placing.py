"""Where files land, which batches they are, and how fresh they may be expected, by their names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from readiness_pipelines.batches import Batches, DailyBatches, HourlyBatches, MonthlyBatches
from readiness_pipelines.drafting.file_dates import NameDates, dates_in
from readiness_pipelines.drafting.naming import table_name
from readiness_pipelines.drafting.promising import draft_promise
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.sources.batch_pattern import BatchPattern
from readiness_pipelines.sources.file_drop import FileDrop

_KINDS: Mapping[str, type[HourlyBatches] | type[DailyBatches] | type[MonthlyBatches]] = {
    "hour": HourlyBatches,
    "day": DailyBatches,
    "month": MonthlyBatches,
}
_PARTS = re.compile(r"(?:[-_.]?part)?[-_.]?\d+(?:[-_.]c\d+)?$|^part[-_]?\d+.*$", re.IGNORECASE)
_LEAST_FILES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the files of a table land, or the query that reads it.

    Attributes:
        table: The table's name.
        pattern: The pattern of its reader; "" where a query reads it.
        batches: Its batches, as Python writes them.
        imports: The name of their kind.
        files: The path of each file below the landing folder.
        keys: The batch of each file, or of the table in a database; what is one batch has one key.
        notes: Why these batches, for people.
        freshness: A promise, as Python writes it; "" where nothing suggests one.
        promised: Whether the newest file keeps it now; else it is left for people to switch on.
        freshness_note: Why.
        query: The query; "" where files land.
        connection: What the settings call its database.
    """

    table: str
    pattern: str
    batches: str
    imports: str
    files: Mapping[Path, str]
    keys: Mapping[Path, str]
    notes: tuple[str, ...]
    freshness: str = ""
    promised: bool = False
    freshness_note: str = ""
    query: str = ""
    connection: str = ""


def place_files(paths: Sequence[Path], taken: Sequence[str], *, now: datetime) -> Placement:
    """Propose batches for files of one layout.

    Args:
        paths: The files.
        taken: Names of tables that are there already.
        now: The time.
    """
    names = [path.name.partition(".") if not _dotted_date(path.name) else _split(path.name) for path in paths]
    stems = [stem for stem, _, _ in names]
    endings = {f"{dot}{ending}" for _, dot, ending in names}
    ending = endings.pop() if len(endings) == 1 else ".*"
    dates = dates_in(stems)
    if dates is not None:
        return _dated(paths, dates, ending, taken, now)
    if len(paths) == 1:
        return _one(paths[0], stems[0], taken)
    return _undated(paths, stems, ending, taken)


def _dotted_date(name: str) -> bool:
    return re.search(r"\d\.\d\d\.\d", name) is not None


def _split(name: str) -> tuple[str, str, str]:
    """A name with a date like 01.02.2026 in it, and its ending."""
    match = re.search(r"\.[A-Za-z][\w.]*$", name)
    at = match.start() if match else len(name)
    return name[:at], name[at : at + 1], name[at + 1 :]


def _one(path: Path, stem: str, taken: Sequence[str]) -> Placement:
    table = table_name([stem], taken)
    return Placement(
        table=table,
        pattern=f"{table}/{_as_pattern(path.name)}",
        batches="Versions()",
        imports="Versions",
        files={path: f"{table}/{path.name}"},
        keys={path: ""},
        notes=(
            "no date in the file's name: each new content of the file replaces the whole table, as a new version;",
            f'where files only bring what is new, give each day a folder: "{table}/{{batch}}/*", DailyBatches(start=…)',
        ),
    )


def _undated(paths: Sequence[Path], stems: Sequence[str], ending: str, taken: Sequence[str]) -> Placement:
    """Several files without dates: parts of one delivery, or a batch each."""
    common = _common_start(stems)
    table = table_name([common or stems[0]], taken)
    unique = len({path.name for path in paths}) == len(paths)
    if all(_PARTS.search(stem) for stem in stems) and unique:
        return Placement(
            table=table,
            pattern=f"{table}/*{ending}",
            batches="Versions()",
            imports="Versions",
            files={path: f"{table}/{path.name}" for path in paths},
            keys=dict.fromkeys(paths, ""),
            notes=(
                f"{len(paths)} files with numbers and no dates: parts of one delivery, which replaces the one before",
            ),
        )
    keys = _keys(paths, stems)
    folders = f"{table}/{{batch}}/*"
    return Placement(
        table=table,
        pattern=folders,
        batches=f"StaticBatches(keys={keys!r})",
        imports="StaticBatches",
        files={path: f"{table}/{key}/{path.name}" for path, key in zip(paths, keys, strict=True)},
        keys=dict(zip(paths, keys, strict=True)),
        notes=("no dates in the files' names: each file is a batch, by its name; a new file needs its key here, too",),
    )


def _keys(paths: Sequence[Path], stems: Sequence[str]) -> list[str]:
    """A key for each file: its stem, with its folder where two are called alike."""
    plain = [re.sub(r"[^A-Za-z0-9_.+-]+", "_", stem).strip("_.+-") or "file" for stem in stems]
    if len(set(plain)) < len(plain):
        folders = [re.sub(r"[^A-Za-z0-9]+", "_", path.resolve().parent.name) for path in paths]
        plain = [f"{folder}_{key}".strip("_") for folder, key in zip(folders, plain, strict=True)]
    return [key if plain.count(key) == 1 else f"{key}_{place}" for place, key in enumerate(plain, start=1)]


def _dated(paths: Sequence[Path], dates: NameDates, ending: str, taken: Sequence[str], now: datetime) -> Placement:
    kind = _KINDS[dates.every]
    start = min(dates.times).date()
    if dates.every == "month":
        start = start.replace(day=1)
    batches = kind(start=start)
    stem = next(
        (one.strip(" -_.") for one in (*dates.before, *dates.after) if one.strip(" -_.")),
        paths[0].resolve().parent.name,
    )
    table = table_name([stem], taken)
    before, after = ((_as_pattern(one[0]) if len(set(one)) == 1 else "*") for one in (dates.before, dates.after))
    if len(paths) == 1:
        after = re.sub(r"\d.*", "*", after)  # the time of an export, say, which the next one has not
    pattern = f"{table}/{before}{{batch:{dates.spelling}}}{after}{ending}"
    files = {path: f"{table}/{path.name}" for path in paths}
    keys = [batches.key_at(time.replace(tzinfo=UTC)) for time in dates.times]
    if len(set(files.values())) < len(files) or not _reads(pattern, batches, list(files.values()), keys):
        pattern = f"{table}/{{batch}}/*"
        files = {
            path: f"{table}/{key}/{place}_{path.name}"
            for place, (path, key) in enumerate(zip(paths, keys, strict=True))
        }
    many = "1 file, by the date in its name" if len(paths) == 1 else f"{len(paths)} files, by the dates in their names"
    first, last = min(dates.times), max(dates.times)
    notes = [f"{many}: {first:%Y-%m-%d}" if first == last else f"{many}: {first:%Y-%m-%d} to {last:%Y-%m-%d}"]
    if dates.ambiguous:
        notes.append(f"AMBIGUOUS: the names are dates as {dates.spelling} and as {dates.ambiguous}: ask the steward")
    promise = draft_promise(dates, paths, kind(start=start), now) if len(set(keys)) >= _LEAST_FILES else None
    freshness, promised, why = promise or ("", False, "")
    return Placement(
        table=table,
        pattern=pattern,
        batches=f'{kind.__name__}(start="{start}")',
        imports=kind.__name__,
        files=files,
        keys=dict(zip(paths, keys, strict=True)),
        notes=tuple(notes),
        freshness=freshness,
        promised=promised,
        freshness_note=why,
    )


def _reads(pattern: str, batches: Batches, files: Sequence[str], keys: Sequence[str]) -> bool:
    """Whether a pattern tells the batch of each file."""
    try:
        FileDrop(pattern).check(batches)
    except DeclarationError:
        return False
    read = BatchPattern(pattern).reader(batches)
    return [read(file) for file in files] == list(keys)


def _common_start(stems: Sequence[str]) -> str:
    first, last = min(stems), max(stems)
    length = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    common = first[:length]
    if common and any(stem[length : length + 1].isalnum() for stem in stems) and common[-1].isalnum():
        common = re.sub(r"[^-_. ]+$", "", common)  # not in the middle of a word
    return common.strip(" -_.0123456789")


def _as_pattern(text: str) -> str:
    """A text as a pattern that matches it: signs that patterns read as something else match any sign."""
    return re.sub(r"[*?\[\]{}]", "?", text)
