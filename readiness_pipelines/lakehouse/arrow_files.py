"""Arrow rows into a Parquet file, by Arrow's own writer.

For rows that come as Arrow and are stored as they are, text above all: it takes less than half of the processor time
of DuckDB's writer, which builds a dictionary for each column of each row group before it knows whether it is of use.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from readiness_pipelines.storage import Place

FIELD_ID = b"PARQUET:field_id"
"""Where Arrow keeps a Parquet column's field id."""
ROW_GROUP_ROWS = 122_880
"""As DuckDB reads them best."""
ROW_GROUP_BYTES = 64 << 20
"""A row group of wide or long rows has fewer: two of them are in memory."""
ZSTD_LEVEL = 1
"""As Arrow's and PyIceberg's own writers have it: a little faster than DuckDB's default, files 3 % larger."""
DICTIONARY_VALUES = 4_096
"""A column with more values than this in a row group is written without a dictionary, which DuckDB would first build
and then throw away: a sixth of the time to write, for files 2 % larger."""


def write_rows(
    rows: pa.RecordBatchReader, place: Place, name: str, *, columns: pa.Schema, field_ids: Mapping[str, int]
) -> None:
    """Write rows into a new file, in their order; the next ones are read meanwhile.

    Args:
        rows: The rows, to be read once; their columns have the types of `columns`, in that order. None is nested, nor
            floating: DuckDB passes over NaN in files whose bounds leave it out, as Arrow's do.
        place: The folder.
        name: The file's name.
        columns: What the columns are called in the file.
        field_ids: The Iceberg field id of each of them.

    Raises:
        OSError: It cannot be written; what there is of it stays.
    """
    schema = pa.schema(
        [field.with_nullable(True).with_metadata({FIELD_ID: str(field_ids[field.name])}) for field in columns]
    )
    with place.create(name) as file, ThreadPoolExecutor(1) as pool:
        writer, written = None, Future[None]()
        written.set_result(None)
        try:
            for group in _row_groups(rows, schema):
                writer = writer or pq.ParquetWriter(
                    file,
                    schema,
                    compression="zstd",
                    compression_level=ZSTD_LEVEL,
                    use_dictionary=_of_few_values(group),
                    store_decimal_as_integer=True,
                )
                written.result()
                written = pool.submit(writer.write_table, group, ROW_GROUP_ROWS)
            written.result()
        finally:
            if writer is not None:
                pool.submit(writer.close).result()


def _row_groups(rows: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows, in tables of as many as a row group has; one without rows where there are none."""
    waiting: list[pa.RecordBatch] = []
    count = size = groups = 0
    for batch in rows:
        for part in _parts(batch):
            if waiting and (count + part.num_rows > ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES):
                yield _table(waiting, schema)
                waiting, count, size, groups = [], 0, 0, groups + 1
            waiting.append(part)
            count += part.num_rows
            size += part.nbytes
    if waiting or not groups:
        yield _table(waiting, schema)


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, ROW_GROUP_ROWS):
        yield batch.slice(start, ROW_GROUP_ROWS)


def _table(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    if not batches:
        return schema.empty_table()
    return pa.Table.from_batches(batches).rename_columns(schema.names).cast(schema)


def _of_few_values(rows: pa.Table) -> list[str]:
    """The columns that a dictionary makes smaller, by the file's first rows."""
    most = min(DICTIONARY_VALUES, rows.num_rows // 2)
    return [
        field.name
        for field in rows.schema
        if not pa.types.is_boolean(field.type) and pc.count_distinct(rows.column(field.name)).as_py() <= most
    ]
