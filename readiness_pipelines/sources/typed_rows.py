"""Rows of Parquet and Arrow files, with their own types."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.files import READ_ERRORS, SourceFile, unpacks_too_far
from readiness_pipelines.sources.odd_times import rows_without_odd_times
from readiness_pipelines.sources.rows import BYTES_PER_BATCH, rows_per_batch

_DECODES_TO = 10
"""A value that is in a file once comes back for each row that has it: so many times more than is unpacked."""
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_ERRORS = (pa.ArrowException, *READ_ERRORS)


@dataclass(frozen=True, slots=True)
class TypedFile:
    """A Parquet or Arrow file whose schema can be read.

    Attributes:
        file: The file.
        schema: Its columns.
        read: The places of those that are not ignored.
    """

    file: SourceFile
    schema: pa.Schema
    read: tuple[int, ...]

    def batches(self) -> Iterator[pa.Table]:
        """Its rows.

        Raises:
            FileUnreadableError: A part of it is damaged.
        """
        place = 0
        try:
            with self.file.open_anywhere() as source:
                decoded = 0
                for batch in _batches(self.file, source):
                    decoded += batch.nbytes
                    if decoded > self.file.limits.most_unpacked_bytes(_DECODES_TO * self.file.packed_bytes):
                        raise unpacks_too_far(self.file, decoded, _DECODES_TO)
                    batch.validate(full=True)  # text that is not UTF-8 would break later, far from its file
                    places = range(place, place + batch.num_rows)
                    place += batch.num_rows
                    yield rows_without_odd_times(batch, self.schema.names, read=self.read, places=places)
        except _ERRORS as error:
            raise _damaged(self.file, error) from error


def open_typed(file: SourceFile, drop: FileDrop) -> TypedFile:
    """Examine a Parquet file, or an Arrow file or stream.

    Raises:
        FileUnreadableError: It is cut off, or of another format.
    """
    try:
        with file.open_anywhere() as source:
            is_parquet = file.format == "parquet"
            if is_parquet:
                _check_footer(file, source)
            schema = _parquet_schema(file, pq.ParquetFile(source)) if is_parquet else _arrow_reader(source).schema
    except _ERRORS as error:
        raise _damaged(file, error) from error
    read = tuple(place for place, name in enumerate(schema.names) if not drop.ignores(name))
    return TypedFile(file, schema.remove_metadata(), read)


def _check_footer(file: SourceFile, source: pa.NativeFile) -> None:
    """Refuse a footer that takes all memory: it is read as a whole, and lists each column of each row group.

    Raises:
        FileUnreadableError: It is too large.
    """
    size = source.size()
    source.seek(max(size - 8, 0))
    footer = int.from_bytes(source.read(4), "little")
    source.seek(0)
    if min(footer, size) > file.limits.most_record_bytes:
        raise file.beyond(
            f"its footer is larger than {file.limits.most_record_mb:g} MB",
            "most_record_mb",
            "ask the steward for larger row groups",
        )


def _parquet_schema(file: SourceFile, opened: pq.ParquetFile) -> pa.Schema:
    """Its columns.

    Raises:
        FileUnreadableError: It says itself that it unpacks too far.
    """
    size = _unpacked_size(opened)
    if size > file.limits.most_unpacked_bytes(file.packed_bytes):
        raise unpacks_too_far(file, size)
    return opened.schema_arrow


def _unpacked_size(opened: pq.ParquetFile) -> int:
    """What it unpacks to, as it says itself: a value that is repeated takes no room in it, but its width in memory."""
    facts = opened.metadata
    widths = [_WIDTHS.get(opened.schema.column(number).physical_type, 4) for number in range(facts.num_columns)]
    groups = [facts.row_group(number) for number in range(facts.num_row_groups)]
    return sum(max(group.total_byte_size, group.num_rows * sum(widths)) for group in groups)


def _batches(file: SourceFile, source: pa.NativeFile) -> Iterator[pa.RecordBatch]:
    if file.format == "parquet":
        opened = pq.ParquetFile(source)
        row_bytes = max(1, _unpacked_size(opened) // max(opened.metadata.num_rows, 1))
        rows = min(rows_per_batch(opened.metadata.num_columns), max(1, BYTES_PER_BATCH // row_bytes))
        yield from opened.iter_batches(batch_size=rows)
        return
    reader = _arrow_reader(source)
    if isinstance(reader, ipc.RecordBatchFileReader):
        yield from (reader.get_batch(index) for index in range(reader.num_record_batches))
    else:
        yield from reader


def _arrow_reader(source: pa.NativeFile) -> ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader:
    is_file = source.read(6) == b"ARROW1"
    source.seek(0)
    return ipc.open_file(source) if is_file else ipc.open_stream(source)


def _damaged(file: SourceFile, error: BaseException) -> Exception:
    return file.damaged(error, f"cut off or no {'Parquet' if file.format == 'parquet' else 'Arrow'}")
