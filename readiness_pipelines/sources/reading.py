"""A batch's files as one stream of raw rows."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.errors import FileUnreadableError
from readiness_pipelines.sources.csv_rows import CsvFile, open_csv
from readiness_pipelines.sources.files import SourceFile, source_file
from readiness_pipelines.sources.json_rows import JsonLinesFile, open_json_lines
from readiness_pipelines.sources.landing import LandedFile, landed_files
from readiness_pipelines.sources.parquet_rows import ParquetRows, open_parquet
from readiness_pipelines.storage import Place

Opened = CsvFile | JsonLinesFile | ParquetRows

FRAMEWORK_COLUMNS = pa.schema(
    [
        ("_batch", pa.string()),
        ("_row", pa.int64()),
        ("_file", pa.string()),
        ("_unreadable", pa.string()),
        ("_unreadable_reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBatch:
    """A batch as it landed.

    Attributes:
        batch: Its key.
        files: The files it comes from, sorted by path.
        columns: The columns that arrived: those of all files, in the order they first appear.
        rows: Its rows, to be read once: the columns (text for CSV and JSON Lines, their own types for Parquet; null
            where a file lacks one), then ``_batch``, ``_row`` (0 to the last, in the order of files and of rows in
            them), ``_file``, ``_unreadable`` and ``_unreadable_reason``.
    """

    batch: str
    files: tuple[LandedFile, ...]
    columns: tuple[str, ...]
    rows: pa.RecordBatchReader


def read_raw(drop: FileDrop, *, batch: str, landing: Place) -> RawBatch:
    """Open a batch's files; every one is looked over before the first row is given.

    Raises:
        BatchNotLandedError: No file landed.
        FileUnreadableError: A file is cut off, mislabelled or in another encoding, or two files have one column in
            types that no type can hold.
    """
    files = landed_files(drop, batch=batch, landing=landing)
    opened = [_open(source_file(drop, file.path, landing), drop) for file in files]
    columns = _unify(opened)
    schema = pa.schema([*columns, *FRAMEWORK_COLUMNS])
    rows = pa.RecordBatchReader.from_batches(schema, _rows(opened, schema, batch))
    return RawBatch(batch=batch, files=files, columns=tuple(columns.names), rows=rows)


def _open(file: SourceFile, drop: FileDrop) -> Opened:
    match file.format:
        case "csv":
            return open_csv(file, drop)
        case "jsonl":
            return open_json_lines(file)
        case "parquet":
            return open_parquet(file)


def _unify(opened: list[Opened]) -> pa.Schema:
    columns = opened[0].schema
    for other in opened[1:]:
        try:
            columns = pa.unify_schemas([columns, other.schema], promote_options="permissive")
        except pa.ArrowTypeError as error:
            raise FileUnreadableError(
                f"{other.file.name} has a column in another type than the files before it: {error}",
                way_out="ask the steward for files of one layout, or drop them as batches of their own",
            ) from error
    return columns


def _rows(opened: list[Opened], schema: pa.Schema, batch: str) -> Iterator[pa.RecordBatch]:
    first = 0
    for source in opened:
        after = first
        for table in source.batches():
            if table.num_rows == 0:
                continue
            after = max(after, first + pc.max(table.column("_row")).as_py() + 1)
            yield from _complete(table, schema, batch=batch, file=source.file.name, first=first).to_batches()
        first = after


def _complete(table: pa.Table, schema: pa.Schema, *, batch: str, file: str, first: int) -> pa.Table:
    rows = table.num_rows
    given = {
        "_batch": pa.array([batch] * rows, pa.string()),
        "_file": pa.array([file] * rows, pa.string()),
        "_row": pc.add(table.column("_row"), first),
    }
    columns = []
    for field in schema:
        if field.name in given:
            columns.append(given[field.name])
        elif field.name in table.column_names:
            columns.append(table.column(field.name).cast(field.type))
        else:
            columns.append(pa.nulls(rows, field.type))
    return pa.table(columns, schema=schema)
