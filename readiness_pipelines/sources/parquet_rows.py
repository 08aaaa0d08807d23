"""Rows of a Parquet file, with its own types."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from readiness_pipelines.sources.files import SourceFile
from readiness_pipelines.sources.rows import ROWS_PER_BATCH, check_columns, row_batch

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ParquetRows:
    """A Parquet file whose footer can be read."""

    file: SourceFile
    schema: pa.Schema

    def batches(self) -> Iterator[pa.Table]:
        """Its rows.

        Raises:
            FileUnreadableError: A page is damaged.
        """
        place = 0
        try:
            with _seekable(self.file) as source:
                for batch in pq.ParquetFile(source).iter_batches(batch_size=ROWS_PER_BATCH):
                    places = range(place, place + batch.num_rows)
                    place += batch.num_rows
                    yield row_batch(batch.columns, self.schema.names, places=places)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.file, error) from error


def open_parquet(file: SourceFile) -> ParquetRows:
    """Look a Parquet file over.

    Raises:
        FileUnreadableError: It is cut off, no Parquet, or has columns that cannot be told apart.
    """
    try:
        with _seekable(file) as source:
            schema = pq.ParquetFile(source).schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error
    check_columns(file, schema.names)
    return ParquetRows(file, schema.remove_metadata())


def _damaged(file: SourceFile, error: Exception) -> Exception:
    return file.unreadable(
        f"it is cut off or no Parquet ({str(error).splitlines()[0]})",
        "ask the steward to send it again, then run the batch again",
    )


def _seekable(file: SourceFile) -> pa.NativeFile:
    """The file's bytes with its end in reach; a compressed one is unpacked to a temporary file first."""
    if file.compression is None:
        return file.landing.read_anywhere(file.name)
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115  # PythonFile closes it
    with file.open() as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            unpacked.write(chunk)
    unpacked.seek(0)
    return pa.PythonFile(unpacked, mode="r")
