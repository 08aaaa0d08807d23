"""A batch's files as one stream of raw rows."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import assert_never

import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.contracts.readers import Origin, Places, RawBatch
from readiness_pipelines.errors import FileUnreadableError
from readiness_pipelines.masking import quoted
from readiness_pipelines.sources.csv_rows import open_csv
from readiness_pipelines.sources.excel_rows import open_excel
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import READ_ERRORS, SourceFile, source_files
from readiness_pipelines.sources.fixed_rows import open_fixed
from readiness_pipelines.sources.json_rows import open_json
from readiness_pipelines.sources.landing import file_origins
from readiness_pipelines.sources.layout import FileLayout, check_together, layout_of
from readiness_pipelines.sources.raw_rows import complete, raw_schema
from readiness_pipelines.sources.rows import FileRows
from readiness_pipelines.sources.typed_rows import open_typed
from readiness_pipelines.sources.unify import unified


def read_files(drop: FileDrop, batch: str, places: Places) -> RawBatch:
    """Open a batch's files; each one is examined before the first row is given.

    Raises:
        BatchNotLandedError: No file landed.
        FileUnreadableError: A file is damaged, of another format or encoding, or its columns cannot be told apart; or,
            after the last row, it changed meanwhile.
    """
    origins = file_origins(drop, batch, places)
    files = [
        file
        for origin in origins
        for file in source_files(drop, origin.name, places.landing, size=origin.bytes or 0, limits=places.limits)
    ]
    raw = rows_of_files(files, drop, batch)
    return RawBatch(
        origins=origins,
        columns=raw.columns,
        rows=pa.RecordBatchReader.from_batches(raw.rows.schema, _unchanged(raw.rows, origins, places)),
        renamed=raw.renamed,
    )


def rows_of_files(files: Sequence[SourceFile], drop: FileDrop, batch: str) -> RawBatch:
    """Files as the rows of one batch, without a look at whether they change meanwhile; it has no origins.

    Raises:
        FileUnreadableError: As `read_files` does.
    """
    opened = []
    for file in files:
        with _named(file, batch):
            opened.append(open_rows(file, drop))
    layouts = [layout_of(file, rows.schema, drop) for file, rows in zip(files, opened, strict=True)]
    check_together(layouts)
    columns = unified([layout.schema for layout in layouts])
    return RawBatch(
        origins=(),
        columns=columns,
        rows=pa.RecordBatchReader.from_batches(raw_schema(columns), _rows(opened, layouts, raw_schema(columns), batch)),
        renamed=_renamed(layouts),
    )


def _unchanged(stream: Iterable[pa.RecordBatch], origins: Sequence[Origin], places: Places) -> Iterator[pa.RecordBatch]:
    """The rows, and an error after them where a file is not the one any more whose checksum was taken."""
    try:
        yield from stream
    except FileUnreadableError as error:
        # What looks damaged may have been cut off, or written anew, under way.
        if (changed := _changed(origins, places)) is not None:
            raise changed from error
        raise
    if (changed := _changed(origins, places)) is not None:
        raise changed


def _changed(origins: Sequence[Origin], places: Places) -> FileUnreadableError | None:
    for origin in origins:
        now = places.landing.facts(origin.name)
        if now is None or (now.size_bytes, now.changed_at) != (origin.bytes, origin.arrived_at):
            return FileUnreadableError(
                f"{origin.name} {'vanished' if now is None else 'changed'} while it was read",
                way_out="write it under another name and rename it when it is whole; then run the batch again",
            )
    return None


@contextmanager
def _named(file: SourceFile, batch: str) -> Iterator[None]:
    """Name the file and the batch in what reading raises: it may have vanished, or break where nobody looked yet."""
    try:
        yield
    # The middle ones are Python's, of records with two fields of one name and of values that it has no type for.
    except (pa.ArrowException, ValueError, OverflowError, *READ_ERRORS) as error:
        raise FileUnreadableError(
            f"{file.name} of batch {batch!r} cannot be read: {quoted(error)}",
            way_out="ask the steward to send it again, then run the batch again",
        ) from error


def open_rows(file: SourceFile, drop: FileDrop) -> FileRows:
    """Examine a file; its columns are as they arrive, whatever they are called.

    Raises:
        FileUnreadableError: It is damaged, or of another format or encoding.
    """
    match file.format:
        case "csv":
            return open_csv(file, drop)
        case "jsonl" | "json":
            return open_json(file, drop)
        case "fixed":
            return open_fixed(file, drop)
        case "parquet" | "arrow":
            return open_typed(file, drop)
        case "excel":
            return open_excel(file, drop)
        case _:
            assert_never(file.format)


def _rows(
    opened: Sequence[FileRows], layouts: Sequence[FileLayout], schema: pa.Schema, batch: str
) -> Iterator[pa.RecordBatch]:
    first = 0
    for source, layout in zip(opened, layouts, strict=True):
        after = first
        for table in _tables(source, layout.file, batch):
            if table.num_rows == 0:
                continue
            framework = range(len(source.schema), table.num_columns)
            # By its place: a file may have a column of that name, which is renamed or ignored.
            after = max(after, first + pc.max(table.column(framework[0])).as_py() + 1)
            read = table.select([*layout.positions, *framework])
            read = read.rename_columns([*layout.schema.names, *read.column_names[len(layout.positions) :]])
            with _named(layout.file, batch):
                yield from complete(read, schema, batch=batch, file=layout.file.name, first=first)
        first = after


def _tables(source: FileRows, file: SourceFile, batch: str) -> Iterator[pa.Table]:
    with _named(file, batch):
        yield from source.batches()


def _renamed(layouts: Sequence[FileLayout]) -> dict[str, str]:
    spellings: dict[str, dict[str, None]] = {}
    for layout in layouts:
        for name, arrived in zip(layout.schema.names, layout.arrived, strict=True):
            if name != arrived:
                spellings.setdefault(name, {})[arrived] = None
    return {name: ", ".join(arrived) for name, arrived in spellings.items()}
