"""The rows of a micro-batch as raw rows, which the executors write."""

from collections.abc import Callable

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Row, functions
from pyspark.sql.types import ArrayType, BinaryType, MapType, StructType

from readiness_pipelines.engines.spark.files import write_files
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.lakehouse.records import StagingArea

_ROWS_OF_PARTITION = (1 << 33) - 1
"""Spark's monotonic numbers count from 0 within a partition, in so many bits."""


def query_of(rows: DataFrame) -> str:
    """The id of the query that a micro-batch is of, which its checkpoint keeps; "" where Spark does not say."""
    try:
        return rows.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId") or ""
    except Exception:  # Spark Connect has no such thing, and says so in several ways
        return ""


def text_columns(rows: DataFrame) -> DataFrame:
    """All columns as text, as raw wants them: nested ones as JSON.

    Raises:
        DeclarationError: A column holds bytes, which are no text.
    """
    found = []
    for field in rows.schema.fields:
        if isinstance(field.dataType, BinaryType):
            raise DeclarationError(
                f"the column {field.name} holds bytes", way_out=f'rows.withColumn("{field.name}", …cast("string"))'
            )
        column = functions.col(f"`{field.name.replace('`', '``')}`")
        nested = isinstance(field.dataType, ArrayType | MapType | StructType)
        found.append((functions.to_json(column) if nested else column.cast("string")).alias(field.name))
    return rows.select(*found)


def write_slice(
    rows: DataFrame, *, file: str, window: str, number: Callable[[int], int], area: Callable[[int], StagingArea]
) -> tuple[StagingArea, tuple[str, ...], int]:
    """Let the executors write a micro-batch as raw rows.

    Args:
        rows: The micro-batch; all its columns are text. It is kept while it is counted and written.
        file: What ``_file`` says.
        window: The batch.
        number: The number of the row at a place, counted from 0 over the micro-batch.
        area: Gives the staging area, once it is known how many rows there are.

    Returns:
        The staging area, the files in it, and how many rows they have.
    """
    kept = rows.persist()
    try:
        part = functions.spark_partition_id()
        counts = {int(row["part"]): int(row["rows"]) for row in _counts(kept, part)}
        begins, total = {}, 0
        for one, count in sorted(counts.items()):
            begins[one], total = total, total + count
        if not total:
            return area(0), (), 0
        begin = functions.create_map(*(functions.lit(value) for pair in begins.items() for value in pair))
        place = begin[part].cast("bigint") + functions.monotonically_increasing_id().bitwiseAND(
            functions.lit(_ROWS_OF_PARTITION)
        )
        numbered = kept.select(
            "*",
            functions.lit(window).alias("_batch"),
            (place + functions.lit(number(0))).cast("bigint").alias("_row"),
            functions.lit(file).alias("_file"),
            functions.lit(None).cast("string").alias("_unreadable"),
            functions.lit(None).cast("string").alias("_unreadable_reason"),
        )
        there = area(total)
        return there, write_files(numbered, there), total
    finally:
        kept.unpersist()


def _counts(rows: DataFrame, part: Column) -> list[Row]:
    return list(rows.select(part.alias("part")).groupBy("part").agg(functions.count("*").alias("rows")).collect())


def arrow_text(rows: DataFrame) -> pa.Schema:
    """The columns of `text_columns`."""
    return pa.schema([(name, pa.string()) for name in rows.columns])
