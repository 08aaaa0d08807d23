"""Spark behind the port: one session's views, gone when the batch is judged and written."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import narwhals.stable.v1 as nw
import pyarrow as pa
from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    DateTimeException,
    IllegalArgumentException,
    NumberFormatException,
    SparkRuntimeException,
)
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.engines.expressions import with_patterns
from readiness_pipelines.engines.spark.files import read_files, write_files
from readiness_pipelines.engines.spark.sql import SPARK, USE_DUCKDB
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.lakehouse.records import PlannedFiles, StagingArea


class SparkEngine:
    """Judges batches in a Spark session, by a master or by Spark Connect; see `Engine`.

    Args:
        session: The session that the rows live in; by UTC, with ANSI SQL.
    """

    sql: Dialect = SPARK
    refusals: tuple[type[Exception], ...] = (
        AnalysisException,
        ArithmeticException,
        DateTimeException,
        IllegalArgumentException,
        NumberFormatException,
        SparkRuntimeException,
    )
    conversions_at_once = 100_000  # a join costs more here than planning
    tests_at_once = 250

    def __init__(self, session: SparkSession) -> None:
        self.session = session
        self._kept: dict[str, DataFrame] = {}
        self._views: list[str] = []

    def view(self, name: str, rows: Any) -> None:
        """Give rows, a query or an Arrow table a name."""
        if isinstance(rows, str):
            rows = self.session.sql(rows)
        elif isinstance(rows, pa.Table):
            rows = self.session.createDataFrame(rows)
        rows.createOrReplaceTempView(name)
        self._views.append(name)

    def keep(self, name: str, query: str) -> None:
        """Compute a query now, and give the result a name.

        An executor that dies takes its part of it along, which is computed again where it is needed.
        """
        computed = self.session.sql(query).persist()
        computed.count()
        self._kept[name] = computed
        self.view(name, computed)

    def forget(self, name: str) -> None:
        """Let go of what `keep` computed."""
        # What was made of it is computed and kept itself; were it lost, Spark computes this again on the way.
        self._kept.pop(name).unpersist()

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """The few rows of a query."""
        return [tuple(row) for row in self.session.sql(query).collect()]

    def arrow(self, query: str) -> pa.Table:
        """The rows of a query, in memory."""
        return self.session.sql(query).toArrow()

    def rows(self, query: str) -> DataFrame:
        """The rows of a query, lazily."""
        return self.session.sql(query)

    def read(self, planned: PlannedFiles) -> DataFrame:
        """The rows of a table's files, lazily."""
        return read_files(self.session, planned)

    def write(self, rows: DataFrame, area: StagingArea) -> tuple[str, ...]:
        """Let the executors write rows into a staging area; the files, for `Lakehouse.accept`."""
        return write_files(rows, area)

    def collect(self, rows: DataFrame) -> pa.Table:
        """Rows, in memory, in the order of ``_row``."""
        return rows.orderBy("_row").toArrow()

    def schema(self, name: str) -> pa.Schema:
        """Arrow schema of a named view or table."""
        return to_arrow_schema(self.session.table(name).schema, timezone="UTC")

    def frame(self, name: str) -> Any:
        """A named view or table as a lazy Narwhals frame.

        Raises:
            GateBuildError: A column's name that PySpark reads as a path into a column.
        """
        table = self.session.table(name)
        if odd := [column for column in table.columns if set(column) & set("`.")]:
            raise GateBuildError(
                f"Spark cannot judge columns with a dot or backtick in their name: {', '.join(map(repr, odd))}",
                way_out=USE_DUCKDB,
            )
        return nw.from_native(table)

    def adapted(self, lifted: nw.Expr) -> nw.Expr:
        """The expression with its patterns as Java reads them."""
        return with_patterns(lifted, self.sql.pattern)

    def select(self, frame: Any) -> list[tuple[Any, ...]]:
        """The few rows of a Narwhals frame."""
        return [tuple(row) for row in nw.to_native(frame).collect()]

    def candidates(self, rows: str, columns: list[str], *, into: str) -> str:  # noqa: ARG002  # the port's
        """All rows: Spark groups by spreading the keys over its executors."""
        return rows

    def remember(self, name: str, value: bytes) -> str:
        """SQL of some bytes that no query or plan spells out: they are in a table of one row."""
        self.view(name, pa.table({"value": pa.array([value], pa.binary())}))
        return f"(SELECT value FROM {name})"

    def error_lists(self, name: str, query: str) -> tuple[str, str]:
        """Remember the errors of each combination of words in a table, which is sent to all executors."""
        self.keep(name, query)
        return "p._errors", f"coalesce(w.pattern, CAST(array() AS {self.sql.error_list}))"

    @contextmanager
    def opened(self) -> Iterator["SparkEngine"]:
        """Let go of everything at the end."""
        try:
            yield self
        finally:
            for kept in self._kept.values():
                kept.unpersist()
            for view in self._views:
                self.session.catalog.dropTempView(view)
