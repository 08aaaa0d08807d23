"""Which rules mean the same on Spark, and how their expressions are written for it."""

import narwhals.stable.v1 as nw
import pyarrow as pa

from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates.expressions import is_elementwise, operations_of, with_patterns
from readiness_pipelines.gates.java_patterns import java_pattern
from readiness_pipelines.gates.schema.columns import SchemaSpec
from readiness_pipelines.gates.schema.declaring import probe_column, probe_frame
from readiness_pipelines.gates.schema.lifting import FRAME, expression
from readiness_pipelines.gates.schema.rules import Runner
from readiness_pipelines.gates.schema.tests import Checked, GateTest
from readiness_pipelines.gates.spark_sql import SPARK, USE_DUCKDB

SAME = frozenset(
    [
        "col",
        "lit",
        "all_horizontal",
        "any_horizontal",
        "when_then",
        "__and__",
        "__or__",
        "__invert__",
        "__eq__",
        "__ne__",
        "__gt__",
        "__ge__",
        "__lt__",
        "__le__",
        "__add__",
        "__sub__",
        "__mul__",
        "__truediv__",
        "__neg__",
        "abs",
        "floor",
        "ceil",
        "clip",
        "clip_lower",
        "clip_upper",
        "is_null",
        "is_nan",
        "is_finite",
        "is_in",
        "is_between",
        "fill_null",
        "fill_nan",
        "alias",
        "is_unique",
        "is_duplicated",
        "over",
        "len",
        "count",
        "null_count",
        "n_unique",
        "sum",
        "mean",
        "min",
        "max",
        "std",
        "var",
        "any",
        "all",
        "str.contains",
        "str.starts_with",
        "str.ends_with",
        "str.len_chars",
        "dt.year",
        "dt.month",
        "dt.day",
    ]
)
"""Operations of Narwhals that answer alike on DuckDB and Spark; shown by the tests that run over both."""


def refuse_on_spark(spec: SchemaSpec, tests: tuple[GateTest, ...]) -> None:
    """Refuse a gate that would mean something else on Spark, or could not be spread over executors.

    Raises:
        GateBuildError: A type or cleansing step that Spark does not have alike, a check that needs Pandera or Python
            for its answer, an operation or pattern with another meaning; names the rule or column.
    """
    for column in spec.columns:
        try:
            if column.type is not None:
                SPARK.type_name(column.type)
            for step in column.steps:
                SPARK.cleansed(step, "x")
        except GateBuildError as error:
            raise GateBuildError(f"column {column.name!r}: {error.what}", way_out=error.way_out) from error
    for test in tests:
        if isinstance(test, Checked):
            _refuse_check(test, spec)


def _refuse_check(test: Checked, spec: SchemaSpec) -> None:
    name = test.rule.name
    if test.rule.runs_on is not Runner.QUERY:
        raise GateBuildError(
            f"the rule {name!r} cannot be spread over Spark's executors: {test.rule.because}",
            way_out=f"write it as an expression (native=False), or {USE_DUCKDB}",
        )
    lifted = expression(test.check, probe_column(test.spec) if test.spec else FRAME, probe_frame(spec))
    if other := sorted(set(operations_of(lifted)) - SAME):
        raise GateBuildError(
            f"the rule {name!r} uses {', '.join(other)}, which may mean something else on Spark", way_out=USE_DUCKDB
        )
    try:
        for_spark(lifted)
    except ValueError as error:
        raise GateBuildError(
            f"the pattern of rule {name!r} has {error}", way_out=f"write it otherwise, or {USE_DUCKDB}"
        ) from error
    floats = any(column.type is None or pa.types.is_floating(column.type) for column in spec.columns)
    if test.spec is None and test.of_rows and floats and not is_elementwise(lifted):
        raise GateBuildError(
            f"the rule {name!r} compares rows that may have NaN: Pandera would need the whole batch in memory",
            way_out=USE_DUCKDB,
        )


def for_spark(lifted: nw.Expr) -> nw.Expr:
    """The expression with its patterns as Java reads them.

    Raises:
        ValueError: A pattern that cannot be rewritten.
    """
    return with_patterns(lifted, java_pattern)
