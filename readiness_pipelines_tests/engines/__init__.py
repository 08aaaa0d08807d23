"""The engines that behaviour suites run over."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import duckdb
import pytest

from readiness_pipelines.engines import Engine
from readiness_pipelines.engines.duckdb.engine import DuckDbEngine
from readiness_pipelines.settings import EngineName
from readiness_pipelines_tests.stores import CREDENTIALS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ENGINES: tuple[EngineName, ...] = ("duckdb", "spark")
SMALL = "--conf spark.ui.enabled=false --conf spark.sql.shuffle.partitions=2 --conf spark.driver.memory=1g"
QUICK = "--conf spark.sql.codegen.wholeStage=false --conf spark.sql.adaptive.enabled=false"
"""For batches of a few rows, compiling queries takes longer than running them."""
BRIEF = '--driver-java-options "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"'
"""So does Java's second compiler for code that runs for a minute, and collecting garbage on threads of its own."""


def java_is_here() -> bool:
    """Whether there is a Java to run Spark with."""
    return bool(os.environ.get("JAVA_HOME") or shutil.which("java"))


@cache
def spark() -> "SparkSession":
    """This process's Spark, small and quiet; a test that asks for it is skipped where there is no Java."""
    if not java_is_here():
        pytest.skip("Spark wants Java 17, which is not here")
    from readiness_pipelines.engines.spark.session import spark_session  # noqa: PLC0415  # only those who ask pay

    os.environ.update(CREDENTIALS)  # executors inherit what is there when Java starts
    os.environ.setdefault("PYSPARK_SUBMIT_ARGS", f"{SMALL} {QUICK} {BRIEF} pyspark-shell")
    return spark_session("local[2]")


@contextmanager
def opened(name: EngineName) -> Iterator[Engine]:
    """A new engine, closed at the end."""
    if name == "duckdb":
        with duckdb.connect() as connection:
            yield DuckDbEngine(connection)
        return
    from readiness_pipelines.engines.spark.engine import SparkEngine  # noqa: PLC0415  # only those who ask pay

    with SparkEngine(spark()).opened() as engine:
        yield engine
