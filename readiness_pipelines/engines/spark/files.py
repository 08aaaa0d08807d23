"""Data files that Spark's executors read and write; PyIceberg plans and commits them as it does DuckDB's."""

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from readiness_pipelines.engines.spark.sql import SPARK
from readiness_pipelines.engines.spark.workers import read_groups, write_file
from readiness_pipelines.lakehouse.records import PlannedFiles, StagingArea


def read_files(session: SparkSession, planned: PlannedFiles) -> DataFrame:
    """Read data files lazily, by the names of their columns.

    Spark reads files of a folder, which all executors must see, itself; from a bucket, executors read with Arrow.

    Args:
        session: Where the rows will live.
        planned: The files, and the columns to read.
    """
    place = planned.place
    schema = _arrived(planned) if planned.schema is None else planned.schema
    columns = from_arrow_schema(schema, prefer_timestamp_ntz=True)
    if not planned.paths:
        return session.createDataFrame([], columns)
    if place.is_local:
        rows = session.read.schema(columns).parquet(*planned.paths)
    else:
        groups = list(_groups(planned))
        spread = session.createDataFrame(groups, "name string, number int").repartition(len(groups))
        rows = spread.mapInArrow(partial(read_groups, schema=schema, place=place), columns)
    # The filter is applied again: a plan may name files that hold more than the batches.
    return rows if planned.batches is None else rows.filter(rows["_batch"].isin(list(planned.batches)))


def write_files(rows: DataFrame, area: StagingArea) -> tuple[str, ...]:
    """Let the executors write rows into a staging area, one file for each partition that has any.

    Returns:
        The files, for `Lakehouse.accept`.
    """
    columns = [SPARK.identifier(name) for name in area.schema.names]
    write = partial(write_file, schema=area.schema, folder=area.folder, row_group_rows=area.row_group_rows)
    written = rows.select(*columns).mapInArrow(write, "file string, rows bigint")
    return tuple(sorted(str(row["file"]) for row in written.collect()))


def _arrived(planned: PlannedFiles) -> pa.Schema:
    """The columns that files have, in the order they first appear."""
    schemas = []
    for name in _names(planned):
        with planned.place.read_anywhere(name) as opened:
            schemas.append(pq.read_schema(opened).remove_metadata())
    plain = [pa.schema([pa.field(field.name, field.type) for field in schema]) for schema in schemas]
    return pa.unify_schemas(plain, promote_options="permissive")


def _groups(planned: PlannedFiles) -> Iterator[tuple[str, int]]:
    for name in _names(planned):
        with planned.place.read_anywhere(name) as opened:
            yield from ((name, number) for number in range(pq.ParquetFile(opened).num_row_groups))


def _names(planned: PlannedFiles) -> Iterator[str]:
    """The files, below their place."""
    for path in planned.paths:
        yield path.removeprefix("file://").removeprefix(f"{planned.place}/")
