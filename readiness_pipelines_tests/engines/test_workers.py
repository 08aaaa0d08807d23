"""The files that Spark's executors write are read by DuckDB as they were written."""

from pathlib import Path

import pyarrow as pa

from readiness_pipelines.engines.spark.workers import write_file
from readiness_pipelines.sql import utc_connection
from readiness_pipelines.storage import Place


def test_rows_with_nan_are_found_in_a_file_that_an_executor_wrote(tmp_path: Path) -> None:
    nan = float("nan")
    table = pa.table({"_batch": ["b"] * 3, "a": [nan, 0.1, 0.2], "b": pa.array([0.5, 1.0, nan], pa.float32())})
    (written,) = write_file(iter(table.to_batches()), table.schema, Place.of(tmp_path), 1_000)
    (file,) = written.column("file").to_pylist()
    with utc_connection() as connection:
        for where in ("isnan(a)", "a > 5", "isnan(b)", "NOT b <= 5"):
            assert connection.read_parquet(file).filter(where).aggregate("count(*)").fetchall() == [(1,)], where
