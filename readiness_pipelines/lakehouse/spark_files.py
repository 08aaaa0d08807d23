"""Data files that Spark's executors read and write; PyIceberg plans and commits them as it does DuckDB's."""

from collections.abc import Iterator, Sequence
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from readiness_pipelines.lakehouse.records import DataFileInfo
from readiness_pipelines.lakehouse.spark_workers import read_groups, write_file
from readiness_pipelines.storage import Place


def read_with_spark(
    session: SparkSession, files: Sequence[DataFileInfo], *, place: Place, schema: pa.Schema | None
) -> DataFrame:
    """Read data files lazily, by the names of their columns.

    Spark reads files of a folder, which all executors must see, itself; from a bucket, executors read with Arrow.

    Args:
        session: Where the rows will live.
        files: The files; all below the place.
        place: Where they lie.
        schema: Columns to read, null where a file lacks one; ``None`` for the columns that the files have.
    """
    if schema is None:
        schema = _arrived(files, place)
    columns = from_arrow_schema(schema)
    if not files:
        return session.createDataFrame([], columns)
    if place.is_local:
        return session.read.schema(columns).parquet(*(file.path for file in files))
    groups = list(_groups(files, place))
    spread = session.createDataFrame(groups, "name string, number int").repartition(len(groups))
    return spread.mapInArrow(partial(read_groups, schema=schema, place=place), columns)


def write_with_spark(rows: DataFrame, *, folder: Place, schema: pa.Schema) -> tuple[tuple[str, ...], int]:
    """Let the executors write rows, one file for each partition that has any.

    Args:
        rows: The rows.
        folder: Where the files are to lie.
        schema: Their columns, with Iceberg's field ids.

    Returns:
        The files, and the count of rows.
    """
    columns = [f"`{name.replace('`', '``')}`" for name in schema.names]
    written = rows.select(*columns).mapInArrow(
        partial(write_file, schema=schema, folder=folder), "file string, rows bigint"
    )
    found = [(str(row["file"]), int(row["rows"])) for row in written.collect()]
    return tuple(sorted(file for file, _ in found)), sum(count for _, count in found)


def _arrived(files: Sequence[DataFileInfo], place: Place) -> pa.Schema:
    """The columns that files have, in the order they first appear."""
    schemas = []
    for file in files:
        with place.read_anywhere(_name(file, place)) as opened:
            schemas.append(pq.read_schema(opened).remove_metadata())
    plain = [pa.schema([pa.field(field.name, field.type) for field in schema]) for schema in schemas]
    return pa.unify_schemas(plain, promote_options="permissive")


def _groups(files: Sequence[DataFileInfo], place: Place) -> Iterator[tuple[str, int]]:
    for file in files:
        name = _name(file, place)
        with place.read_anywhere(name) as opened:
            yield from ((name, number) for number in range(pq.ParquetFile(opened).num_row_groups))


def _name(file: DataFileInfo, place: Place) -> str:
    return file.path.removeprefix("file://").removeprefix(f"{place}/")
