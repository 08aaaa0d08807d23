"""The Spark session of this process."""

import atexit
import os
import sys
import warnings
from functools import cache
from typing import TYPE_CHECKING

from readiness_pipelines.errors import EngineError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OPTIONS = {
    # Times are UTC, and what overflows is an error: as on DuckDB.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # A column called ${spark.…} must not become what a setting says.
    "spark.sql.variable.substitute": "false",
    # What is kept has as many parts as it has rows for, not as many as rows were spread over.
    "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "true",
    # Staged files carry microseconds in UTC, as Iceberg wants them.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


@cache
def spark_session(url: str) -> "SparkSession":
    """Open, or join, this process's session.

    Args:
        url: A master (``local[2]``, ``spark://host:7077``, ``k8s://…``), or Spark Connect (``sc://host:15002``). More
            is in Spark's own configuration: ``spark-defaults.conf`` in ``$SPARK_CONF_DIR``.

    Raises:
        EngineError: PySpark is not installed, or Spark does not answer.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PySpark's, about pandas, which is not used
            from pyspark.sql import SparkSession  # noqa: PLC0415  # an extra that few install
    except ImportError as error:
        raise EngineError(
            f"a table is to be judged by Spark, which is not installed: {error}",
            way_out="pip install 'readiness-pipelines[spark]', which needs Java 17; or READINESS_ENGINE=duckdb",
        ) from error
    builder = SparkSession.builder.appName("readiness_pipelines")
    for name, value in OPTIONS.items():
        builder = builder.config(name, value)
    try:
        if url.startswith("sc://"):
            return builder.remote(url).getOrCreate()
        if url.startswith("local"):
            # The workers of this machine run in the same environment.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            builder = builder.config("spark.ui.showConsoleProgress", "false").config("spark.log.level", "ERROR")
        session = builder.master(url).getOrCreate()
        # Without this, executors see the driver vanish, and say so at length.
        atexit.register(session.stop)
        return session
    except Exception as error:  # whatever Java or gRPC raise, there is no session
        raise EngineError(
            f"Spark does not answer at {url}: {str(error).splitlines()[0]}",
            way_out="check READINESS_SPARK_URL, and JAVA_HOME for a master of this machine: readiness doctor",
        ) from error
