"""A bounded sample of a file, as the project's own readers read it, with the options that they need for it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa

from readiness_pipelines.columns import RAW_COLUMNS
from readiness_pipelines.drafting.dialect import guess_dialect, guess_encoding
from readiness_pipelines.drafting.naming import ColumnName, column_names
from readiness_pipelines.errors import DeclarationError, FileUnreadableError, LandingError
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import SourceFile, source_files
from readiness_pipelines.sources.json_stream import JsonSyntaxError, NoArrayError
from readiness_pipelines.sources.reading import open_rows, rows_of_files
from readiness_pipelines.storage import Place

MOST_ROWS = 100_000
"""Rows of all files together that are looked at."""

_START_BYTES = 1 << 20
_DEEPEST = 3
_MOST_DOCUMENT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSample:
    """What was read of one file.

    Attributes:
        path: The file.
        options: Arguments of `FileDrop`, but for its pattern.
        notes: Why, for people, by option.
        names: Its columns, in order.
        rows: Its first rows as they are ingested: its columns as they are published, then those that every raw row has.
        whole: Whether these are all of its rows.
        ascii_only: Whether its text is the same in every encoding.
    """

    path: Path
    options: Mapping[str, Any]
    notes: Mapping[str, str]
    names: tuple[ColumnName, ...]
    rows: pa.Table
    whole: bool
    ascii_only: bool

    @property
    def columns(self) -> pa.Schema:
        """The file's own columns."""
        return pa.schema([field for field in self.rows.schema if field.name not in RAW_COLUMNS.names])


def read_sample(path: Path, *, most_rows: int = MOST_ROWS) -> FileSample:
    """Guess how a file is read, and read the first rows of it.

    Raises:
        DeclarationError: It is not there, is empty, or has no columns.
        FileUnreadableError: No reader can make anything of it.
    """
    if not path.is_file():
        raise DeclarationError(f"{path} is not a file", way_out="give the path of one: --from orders.csv")
    if path.stat().st_size == 0:
        raise DeclarationError(
            f"{path} is empty: not even the names of columns are in it", way_out="give a file with a header, or rows"
        )
    options: dict[str, Any] = {}
    notes: dict[str, str] = {}
    if (kind := _format(path)) is not None:
        options["format"] = kind
        notes["format"] = f"by what is in it: the ending {path.suffix!r} does not tell"
    ascii_only = True
    first = _files(path, options)[0]
    if first.format in ("csv", "jsonl", "json"):
        start = _start(first)
        encoding = guess_encoding(start)
        ascii_only = encoding.ascii_only
        options |= encoding.options
        notes |= encoding.notes
        if first.format == "csv":
            text = start.decode(options.get("encoding", "utf-8-sig"), "replace").removeprefix("\ufeff")
            if not text.strip():
                raise DeclarationError(f"{path} has no text in it", way_out="give a file with a header, or rows")
            if len(start) == _START_BYTES:
                text = text[: text.rfind("\n") + 1] or text  # the last line is cut
            dialect = guess_dialect(text)
            options |= dialect.options
            notes |= dialect.notes
        elif first.format == "json":
            options |= _json_options(path, options, notes)
    names = _named(path, options, notes)
    rows, whole = _rows(path, options, most_rows)
    return FileSample(
        path=path, options=options, notes=notes, names=names, rows=rows, whole=whole, ascii_only=ascii_only
    )


def _drop(options: Mapping[str, Any]) -> FileDrop:
    return FileDrop("drafted", **options)


def _files(path: Path, options: Mapping[str, Any]) -> tuple[SourceFile, ...]:
    place = Place.of(path.resolve().parent)
    return source_files(_drop(options), path.resolve().name, place, size=path.stat().st_size)


def _format(path: Path) -> str | None:
    """The format to declare, where the file's name does not tell it."""
    try:
        source_files(_drop({}), path.resolve().name, Place.of(path.resolve().parent), size=path.stat().st_size)
    except FileUnreadableError:
        raise
    except LandingError:
        start = path.read_bytes()[:8] if path.stat().st_size < _START_BYTES else _first_bytes(path)
        if start.startswith(b"PAR1"):
            return "parquet"
        return "arrow" if start.startswith(b"ARROW1") else "jsonl" if start.lstrip().startswith(b"{") else "csv"
    return None


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _start(file: SourceFile) -> bytes:
    with _errors_of(file), file.open() as stream:
        return bytes(stream.read(_START_BYTES))


@contextmanager
def _errors_of(file: SourceFile) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, EOFError) as error:
        raise file.damaged(error) from error


def _json_options(path: Path, options: Mapping[str, Any], notes: dict[str, str]) -> dict[str, Any]:
    """Where in a JSON document its records are; or that each of its lines is one."""
    paths: list[str] = [""]
    first: FileUnreadableError | None = None
    while paths:
        found = paths.pop(0)
        given = {"record_path": found} if found else {}
        try:
            open_rows(_files(path, options)[0], _drop({**options, **given}))
        except FileUnreadableError as error:
            first = first or error
            cause = error.__cause__
            if isinstance(cause, JsonSyntaxError) and not found:
                notes["format"] = "each line is a record of its own, in spite of the file's ending"
                return {"format": "jsonl"}
            if isinstance(cause, NoArrayError) and not found:
                paths += _array_paths(path, options)
        else:
            if found:
                notes["record_path"] = "the array of records that was found first"
            return given
    raise first or DeclarationError(f"{path} has no records")


def _array_paths(path: Path, options: Mapping[str, Any]) -> list[str]:
    """Where in a document there are arrays of objects; none in one that is too large to be looked at as a whole."""
    with _files(path, options)[0].open() as stream:
        text = stream.read(_MOST_DOCUMENT_BYTES + 1)
    if len(text) > _MOST_DOCUMENT_BYTES:
        return []
    found: list[str] = []
    levels: list[tuple[str, Any]] = [("", json.loads(text.decode(options.get("encoding", "utf-8-sig"))))]
    for _ in range(_DEEPEST):
        inner = [
            (f"{above}.{key}".lstrip("."), value)
            for above, level in levels
            if isinstance(level, dict)
            for key, value in level.items()
            if "." not in key
        ]
        found += [at for at, value in inner if isinstance(value, list) and any(isinstance(one, dict) for one in value)]
        levels = inner
    return found


def _named(path: Path, options: dict[str, Any], notes: dict[str, str]) -> tuple[ColumnName, ...]:
    """The columns of a file, with options that give them names which can be written."""
    drop = _drop(options)
    files = _files(path, options)
    layouts = [[name for name in open_rows(file, drop).schema.names if not drop.ignores(name)] for file in files]
    arrived = layouts[0]
    for file, other in zip(files, layouts, strict=True):
        if other != arrived:
            raise DeclarationError(
                f"{path} has files of different columns in it: {files[0].member} and {file.member}",
                way_out="unpack it, and give its files: those of the same columns become one table",
            )
    if not arrived:
        raise DeclarationError(f"{path} has no columns", way_out="give a file with a header, or records with keys")
    names = column_names(arrived)
    if "columns" in options:
        options["columns"] = tuple(one.name for one in names)
    elif renamed := {one.arrived: one.name for one in names if one.arrived != one.name}:
        options["rename"] = renamed
        notes.setdefault("rename", "names that Python or a query cannot write, or that differ in letter case only")
    return names


def _rows(path: Path, options: Mapping[str, Any], most: int) -> tuple[pa.Table, bool]:
    raw = rows_of_files(_files(path, options), _drop(options), PurePath(path).name)
    batches: list[pa.RecordBatch] = []
    left, whole = most, True
    for batch in raw.rows:
        if batch.num_rows > left:
            whole = False
        batches.append(batch.slice(0, left))
        left -= batches[-1].num_rows
        if not whole:
            break
    return pa.Table.from_batches(batches, raw.rows.schema), whole
