"""A KPI's rows: the total, and one row for each combination of its dimensions' values."""

from collections.abc import Sequence
from typing import Any, ClassVar, assert_never

import duckdb
import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines.contracts.tables import Kpi
from readiness_pipelines.errors import TRACEBACK, DeclarationError, UnknownNameError
from readiness_pipelines.masking import quoted
from readiness_pipelines.products.measures import Mean, Measure, Ratio, Sum, Value
from readiness_pipelines.products.noise import NoisyCount, NoisyMeasure, Release, bounded_counts, bounded_query
from readiness_pipelines.products.suppression import CELL, SUPPRESSED, without_small_cells
from readiness_pipelines.sql import identifier

KPI_COLUMNS = ("is_total", "value", "numerator", "denominator", "unit", "target", "met")
"""What every KPI's table has beside its dimensions: whether the row is the total, its value, what was counted and of
how many (null where the measure has no such thing), its unit, its target and whether it is met (null without one)."""


class NoTotalError(DeclarationError):
    """A KPI whose function gives no total, or more than one: with other rows it may give one."""

    code: ClassVar[str] = "no-total"


def kpi_schema(kpi: Kpi) -> Any:
    """The Pandera schema of a KPI's rows; what must be plausible is a check of its value.

    Raises:
        DeclarationError: A dimension with the name of a column that every KPI has.
    """
    if clash := sorted(set(kpi.by) & {*KPI_COLUMNS, SUPPRESSED}):
        raise DeclarationError(
            f"the KPI {kpi.id} has a dimension {clash[0]!r}, a column that every KPI has",
            way_out="rename the column in a derived table",
        )
    columns = {name: pa.Column(arrow.string(), nullable=True) for name in kpi.by}
    columns |= {
        "is_total": pa.Column(arrow.bool_()),
        "value": pa.Column(arrow.float64(), checks=list(kpi.gating.rules), nullable=True),
        "numerator": pa.Column(arrow.float64(), nullable=True),
        "denominator": pa.Column(arrow.float64(), nullable=True),
        "unit": pa.Column(arrow.string()),
        "target": pa.Column(arrow.string(), nullable=True),
        "met": pa.Column(arrow.bool_(), nullable=True),
    }
    if kpi.suppress_below is not None:
        columns[SUPPRESSED] = pa.Column(arrow.string(), nullable=True)
    return pa.DataFrameSchema(columns)


def kpi_relation(
    kpi: Kpi,
    given: Any,
    inputs: Sequence[duckdb.DuckDBPyRelation],
    engine: duckdb.DuckDBPyConnection,
    *,
    release: Release | None = None,
) -> duckdb.DuckDBPyRelation:
    """A KPI's rows for one batch: the total first.

    Args:
        kpi: The KPI.
        given: What its function returned: a measure, or a relation with ``value`` (and ``numerator`` and
            ``denominator``, and the dimensions, null in the total's row).
        inputs: The relations that the function was given.
        engine: Their connection.
        release: Gives the counts of a noisy measure; where it is not given, a noisy measure has no value.

    Raises:
        DeclarationError: Something else was returned, or an expression that DuckDB refuses.
        UnknownNameError: A dimension that the aggregated relation does not have.
    """
    if isinstance(given, NoisyMeasure):
        given = _released(kpi, given, inputs, engine, release)
    else:
        given = kpi_query(kpi, given, inputs)
    return engine.from_arrow(_rows(kpi, given))


def kpi_query(kpi: Kpi, given: Any, inputs: Sequence[duckdb.DuckDBPyRelation]) -> duckdb.DuckDBPyRelation:
    """The query that a KPI's numbers come from: ``value``, and as far as it has them ``numerator``, ``denominator``.

    Of a noisy measure, it is what is counted before noise is added. It has not run yet.

    Args:
        kpi: The KPI.
        given: What its function returned; see `kpi_relation`.
        inputs: The relations that the function was given.

    Raises:
        DeclarationError: Something else was returned, or an expression that DuckDB refuses.
        UnknownNameError: A column that the aggregated relation does not have.
    """
    if isinstance(given, NoisyMeasure):
        return bounded_query(given, _aggregated(kpi, given, inputs))
    if isinstance(given, Measure):
        return _measured(kpi, given, inputs)
    if not isinstance(given, duckdb.DuckDBPyRelation):
        raise DeclarationError(
            f"the KPI {kpi.id} returned a {type(given).__name__}",
            way_out='return Ratio("…", "…"), Sum("…"), Mean("…"), Value("…"), or a DuckDB relation with a column value',
        )
    return given


def _aggregated(
    kpi: Kpi, measure: Measure | NoisyMeasure, inputs: Sequence[duckdb.DuckDBPyRelation]
) -> duckdb.DuckDBPyRelation:
    """The relation that a measure is about."""
    of: duckdb.DuckDBPyRelation | None = measure.of
    if of is not None:
        return of
    if len(inputs) != 1:
        raise DeclarationError(
            f"the KPI {kpi.id} reads {len(inputs)} tables: nothing says which is aggregated",
            way_out="say it: Ratio(…, of=orders.join(…))",
        )
    return inputs[0]


def _released(
    kpi: Kpi,
    measure: NoisyMeasure,
    inputs: Sequence[duckdb.DuckDBPyRelation],
    engine: duckdb.DuckDBPyConnection,
    release: Release | None,
) -> duckdb.DuckDBPyRelation:
    """The total of a noisy measure, as it was released or is now."""
    if kpi.by or kpi.suppress_below is not None:
        raise DeclarationError(
            f"the KPI {kpi.id} is released with noise, and has dimensions or suppresses cells",
            way_out="leave out by= and suppress_below=: which values a dimension has is not protected by noise",
        )
    of = _aggregated(kpi, measure, inputs)
    counts = release(measure, lambda: bounded_counts(measure, of)) if release else None
    met, others = counts or (None, None)
    of_how_many = None if met is None or others is None else met + others
    if isinstance(measure, NoisyCount):
        value: float | None = met
        of_how_many = None
    else:
        value = met / of_how_many if met is not None and of_how_many else None
    return engine.sql(
        "SELECT true AS is_total, $value::DOUBLE AS value, $met::DOUBLE AS numerator, $whole::DOUBLE AS denominator",
        params={"value": value, "met": met, "whole": of_how_many},
    )


def _measured(kpi: Kpi, measure: Measure, inputs: Sequence[duckdb.DuckDBPyRelation]) -> duckdb.DuckDBPyRelation:
    of = _aggregated(kpi, measure, inputs)
    for name in kpi.by:
        if name not in of.columns:
            raise UnknownNameError(f"dimension of {kpi.id}", name, [c for c in of.columns if not c.startswith("_")])
    match measure:
        case Ratio(numerator=numerator, denominator=denominator):
            numbers = f"({numerator})::DOUBLE AS numerator, ({denominator})::DOUBLE AS denominator"
            value = "numerator / nullif(denominator, 0)"
        case Sum(expression=expression):
            numbers = f"sum({expression})::DOUBLE AS numerator, NULL::DOUBLE AS denominator"
            value = "numerator"
        case Mean(expression=expression):
            numbers = f"sum({expression})::DOUBLE AS numerator, count({expression})::DOUBLE AS denominator"
            value = "numerator / nullif(denominator, 0)"
        case Value(expression=expression):
            numbers = f"NULL::DOUBLE AS numerator, NULL::DOUBLE AS denominator, ({expression})::DOUBLE AS measured"
            value = "measured"
        case _:
            assert_never(measure)
    dimensions = [identifier(name) for name in kpi.by]
    if kpi.suppress_below is not None:
        cell = "count(*)" if kpi.persons is None else f"count(DISTINCT {_person(kpi, of)})"
        numbers += f", {cell} AS {CELL}"
    name = f"measured_{kpi.id.name}"
    groups = f" GROUP BY GROUPING SETS (({', '.join(dimensions)}), ())" if dimensions else ""
    shown = "".join(f"CAST({column} AS VARCHAR) AS {column}, " for column in dimensions)
    total = f"(grouping({dimensions[0]}) = 1)" if dimensions else "true"
    try:
        measured: Any = of.query(
            # Outside: the input may have columns that are called so, too.
            name,
            f"SELECT *, {value} AS value FROM (SELECT {shown}{total} AS is_total, {numbers} FROM {name}{groups})",
        )
    except duckdb.Error as error:
        if isinstance(error, duckdb.IOException) or str(error).startswith(TRACEBACK):
            raise  # a file that cannot be read: the measure is not to blame
        raise DeclarationError(
            f"DuckDB refuses the measure of {kpi.id}: {quoted(error)}",
            way_out="write aggregates over the columns of its input",
        ) from error
    found: duckdb.DuckDBPyRelation = measured
    return found


def _person(kpi: Kpi, of: duckdb.DuckDBPyRelation) -> str:
    """The column that tells persons apart."""
    if kpi.persons not in of.columns:
        raise UnknownNameError(f"persons of {kpi.id}", str(kpi.persons), [c for c in of.columns if c[0] != "_"])
    return identifier(kpi.persons)


def _rows(kpi: Kpi, relation: duckdb.DuckDBPyRelation) -> arrow.Table:
    """The rows in order, the total first, with unit, target and whether it is met."""
    columns = relation.columns
    if "value" not in columns:
        raise DeclarationError(
            f"the KPI {kpi.id} returned the columns {', '.join(columns)}",
            way_out="return a column value (and numerator and denominator for a ratio)",
        )
    for name in kpi.by:
        if name not in columns:
            raise UnknownNameError(f"dimension of {kpi.id}", name, columns)
    given = relation.to_arrow_table().to_pylist()
    if kpi.suppress_below is not None and CELL not in columns:
        raise DeclarationError(
            f"the KPI {kpi.id} suppresses small cells, and the relation it returned does not say how large they are",
            way_out=f"return a measure, Ratio(…, of=…) say, or a column {CELL} with the rows or persons of each",
        )
    rows = [_row(kpi, row) for row in given]
    totals = [row for row in rows if row["is_total"]]
    if len(totals) != 1 or (not kpi.by and len(rows) != 1):
        raise NoTotalError(
            f"the KPI {kpi.id} returned {len(rows)} rows, {len(totals)} of them a total",
            way_out="return one row for the whole, with no value in its dimensions, and one for each of their values",
        )
    if kpi.suppress_below is not None:
        sized = [{**row, CELL: one[CELL] or 0} for row, one in zip(rows, given, strict=True)]
        rows = without_small_cells(sized, below=kpi.suppress_below, persons=kpi.persons is not None)
    rows.sort(key=lambda row: (not row["is_total"], [str(row[name] or "") for name in kpi.by]))
    fields = [(name, arrow.string()) for name in kpi.by]
    fields += [("is_total", arrow.bool_())]
    fields += [(name, arrow.float64()) for name in ("value", "numerator", "denominator")]
    fields += [("unit", arrow.string()), ("target", arrow.string()), ("met", arrow.bool_())]
    fields += [(SUPPRESSED, arrow.string())] if kpi.suppress_below is not None else []
    fields += [("_row", arrow.int64())]
    numbered = [{**row, "_row": number} for number, row in enumerate(rows)]
    return arrow.Table.from_pylist(numbered, schema=arrow.schema(fields))


def _row(kpi: Kpi, row: dict[str, Any]) -> dict[str, Any]:
    values = tuple(None if row[name] is None else str(row[name]) for name in kpi.by)
    is_total = row.get("is_total")
    if is_total is None:
        is_total = all(value is None for value in values)
    target = kpi.target_of(() if is_total else values)
    value = _number(row["value"])
    return {
        **dict(zip(kpi.by, values, strict=True)),
        "is_total": bool(is_total),
        "value": value,
        "numerator": _number(row.get("numerator")),
        "denominator": _number(row.get("denominator")),
        "unit": kpi.unit,
        "target": str(target) if target else None,
        "met": target.met_by(value) if target else None,
    }


def _number(value: object) -> float | None:
    """A number as a float; NaN is no value."""
    number = None if value is None else float(str(value))
    return None if number is None or number != number else number  # noqa: PLR0124  # only NaN differs from itself
