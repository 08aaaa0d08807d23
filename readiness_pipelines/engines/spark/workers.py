"""What Spark's executors do with data files: read row groups and write files with Arrow, through the one driver.

Executors need this package, and no jars: neither Hadoop's S3 drivers nor Iceberg's run time.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from readiness_pipelines.storage import Place


def read_groups(groups: Iterator[pa.RecordBatch], schema: pa.Schema, place: Place) -> Iterator[pa.RecordBatch]:
    """The rows of row groups, given as ``name`` below a place and ``number``; null where a file lacks a column."""
    for batch in groups:
        for group in batch.to_pylist():
            with place.read_anywhere(group["name"]) as file:
                parquet = pq.ParquetFile(file)
                there = [name for name in schema.names if name in parquet.schema_arrow.names]
                rows = parquet.read_row_group(group["number"], columns=there)
            columns = [
                rows.column(field.name).cast(field.type) if field.name in there else pa.nulls(rows.num_rows, field.type)
                for field in schema
            ]
            yield from pa.table(columns, schema=schema).to_batches(max_chunksize=10_000)


def write_file(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, folder: Place, row_group_rows: int
) -> Iterator[pa.RecordBatch]:
    """Write a partition's rows into one file, and give its ``file`` and ``rows``; nothing where there are no rows.

    A partition that is computed again, because an executor died or was slow, writes another file. Only the files that
    the job answers with are committed.
    """
    filled = (batch for batch in batches if batch.num_rows)
    first = next(filled, None)
    if first is None:
        return
    folder.make()
    name, rows = f"{uuid4().hex}.parquet", 0
    with (
        folder.create(name) as file,
        pq.ParquetWriter(
            file, schema, compression="zstd", compression_level=1, write_statistics=_bounded(schema)
        ) as writer,
    ):
        for table in _row_groups(chain([first], filled), schema, row_group_rows):
            writer.write_table(table, row_group_size=row_group_rows)
            rows += table.num_rows
    yield pa.RecordBatch.from_pydict({"file": [f"{folder}/{name}"], "rows": [rows]})


def _bounded(schema: pa.Schema) -> list[str]:
    """The columns whose least and greatest value a file may tell.

    Arrow leaves NaN out of them, and DuckDB, by which it is the greatest, would then pass over its rows unread.
    """
    return [field.name for field in schema if not (pa.types.is_floating(field.type) or pa.types.is_nested(field.type))]


def _row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
    """Batches, of which Spark makes many small ones, as tables of at least a row group but for the last."""
    waiting: list[pa.Table] = []
    for batch in batches:
        waiting.append(pa.Table.from_batches([batch]).cast(schema))
        if sum(table.num_rows for table in waiting) >= rows:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
