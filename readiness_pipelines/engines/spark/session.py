"""The Spark session of this process."""

import atexit
import os
import platform
import re
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

from readiness_pipelines.errors import EngineError, first_line
from readiness_pipelines.masking import quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from readiness_pipelines.engines.spark.engine import SparkEngine

OPTIONS = {
    # Times are UTC, and what overflows is an error: as on DuckDB.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # A time without a zone stays one, in rows, files and checks, wherever Python and Java believe they are.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # A column called ${spark.…} must not become what a setting says.
    "spark.sql.variable.substitute": "false",
    # What is kept has as many parts as it has rows for, not as many as rows were spread over.
    "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "true",
    # Staged files carry microseconds in UTC, as Iceberg wants them.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}

CONNECT_PORT = 15002
"""Where Spark Connect listens, unless the URL says otherwise."""

ANSWERS_WITHIN = 10
"""Seconds that a server has to take a connection."""

_SERVER = re.compile(r"sc://(?:[^/@]*@)?(?P<host>[^:/;,]+)(?::(?P<port>\d+))?")


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
            f"a table is judged by Spark, which is not installed: {error}",
            way_out="pip install 'readiness-pipelines[spark]', which needs Java 17; or READINESS_ENGINE=duckdb",
        ) from error
    _check_listening(url)
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
        raise _no_answer(url, error) from error


@contextmanager
def open_spark(url: str) -> Iterator["SparkEngine"]:
    """Join this process's session for one batch; what the batch made in it is dropped at the end.

    Raises:
        EngineError: Spark is not installed, does not answer, or broke while it was used.
    """
    session = spark_session(url)
    from py4j.protocol import Py4JError  # noqa: PLC0415  # an extra that few install
    from pyspark.errors import PySparkException  # noqa: PLC0415  # as above

    from readiness_pipelines.engines.spark.engine import SparkEngine  # noqa: PLC0415  # as above

    try:
        with SparkEngine(session).opened() as engine:
            yield engine
    except (PySparkException, Py4JError) as error:
        spark_session.cache_clear()  # the next batch joins anew
        raise EngineError(
            f"Spark broke while it judged: {quoted(error)}", way_out="look at its logs, then run it again"
        ) from error


def examine(url: str) -> str:
    """Join Spark, and let an executor import what it will need; what it found, for people.

    Raises:
        EngineError: Spark is not installed or does not answer, or its executors lack this package.
    """
    session = spark_session(url)
    from pyspark.errors import PySparkException  # noqa: PLC0415  # an extra that few install

    try:
        (row,) = session.range(1, numPartitions=1).mapInArrow(_versions, "versions string").collect()
    except PySparkException as error:
        raise EngineError(
            f"Spark answers at {shown(url)}, but its executors cannot work: {first_line(error)}",
            way_out="install this package where the executors run, for the same minor version of Python",
        ) from error
    return f"Spark {session.version} answers at {shown(url)}; executors have {row['versions']}"


def _versions(_: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    from readiness_pipelines.engines.spark import workers  # noqa: PLC0415  # on the executor

    versions = f"Python {platform.python_version()}, pyarrow {pa.__version__}, {workers.__name__.split('.')[0]}"
    yield pa.RecordBatch.from_pydict({"versions": [versions]})


def _check_listening(url: str) -> None:
    """Check that a server listens at all: Spark Connect's client tries for ten minutes before it gives up.

    Raises:
        EngineError: No server listens.
    """
    server = _SERVER.match(url)
    if server is None:
        return
    try:
        socket.create_connection((server["host"], int(server["port"] or CONNECT_PORT)), timeout=ANSWERS_WITHIN).close()
    except OSError as error:
        raise _no_answer(url, error) from error


def shown(url: str) -> str:
    """Where Spark is, for people: without the token or user that the address may carry."""
    return re.sub(r"//[^/@]*@", "//", url).split(";")[0]


def _no_answer(url: str, error: Exception) -> EngineError:
    return EngineError(
        f"Spark does not answer at {shown(url)}: {first_line(error)}",
        way_out="check READINESS_SPARK_URL, and JAVA_HOME for a master of this machine: readiness doctor",
    )
