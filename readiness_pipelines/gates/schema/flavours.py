"""The flavours a schema may be written in, and what differs between them: types, and the tables their checks take.

Polars and pandas are imported only for a schema that is written in them.
"""

import re
from enum import StrEnum
from typing import Any

import narwhals.stable.v1 as nw
import pyarrow as pa
from pandera.api.dataframe.container import DataFrameSchema

from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates.schema.dtypes import arrow_type_of


class Flavour(StrEnum):
    """The library whose types and tables a schema is about."""

    PYARROW = "pyarrow"
    POLARS = "polars"
    PANDAS = "pandas"


def flavour_of(schema: DataFrameSchema[Any]) -> Flavour:
    """The flavour of a schema.

    Raises:
        GateBuildError: A flavour that a gate cannot read.
    """
    package = type(schema).__module__.split(".")[2:3]
    try:
        return Flavour(*package)
    except (ValueError, TypeError) as error:
        raise GateBuildError(
            f"the schema {schema.name!r} is a {type(schema).__module__}.{type(schema).__name__}",
            way_out="write it with pandera.pyarrow, pandera.polars or pandera.pandas",
        ) from error


def matches(flavour: Flavour, pattern: str, column: str) -> bool:
    """Whether a column's name matches a schema's pattern, by the rule of its flavour: pandas anchors the start."""
    return bool(re.match(pattern, column) if flavour is Flavour.PANDAS else re.search(pattern, column))


def arrow_type(flavour: Flavour, name: str, dtype: Any) -> pa.DataType | None:
    """Arrow type of a schema's type; ``None`` for a type that accepts any value.

    Raises:
        GateBuildError: A type without an Arrow counterpart.
    """
    try:
        match flavour:
            case Flavour.PYARROW:
                return _of_narwhals(dtype.type)
            case Flavour.POLARS:
                return _of_polars(dtype.type)
            case Flavour.PANDAS:
                return _of_pandas(dtype)
    except Exception as error:  # each library raises its own
        raise GateBuildError(
            f"the type {dtype} of column {name!r} has no Arrow counterpart: {error}",
            way_out="declare a plain type, such as a 64-bit integer, a string or a timestamp",
        ) from error


def native_table(flavour: Flavour, table: pa.Table) -> Any:
    """An Arrow table as the table that a flavour's checks take."""
    match flavour:
        case Flavour.PYARROW:
            return table
        case Flavour.POLARS:
            import polars  # noqa: PLC0415  # only a schema written in Polars needs it

            return polars.from_arrow(table).lazy()  # type: ignore[union-attr]  # a table gives a frame
        case Flavour.PANDAS:
            return table.to_pandas()


def _of_narwhals(kind: Any) -> pa.DataType:
    if (known := arrow_type_of(kind)) is not None:
        return known
    # By what it says of itself: Narwhals takes a type with parameters and the same one without for equal.
    if (found := _KNOWN.get((isinstance(kind, type), repr(kind)))) is None:
        found = _KNOWN[isinstance(kind, type), repr(kind)] = _cast_of_narwhals(kind)
    return found


_KNOWN: dict[tuple[bool, str], pa.DataType] = {}


def _cast_of_narwhals(kind: Any) -> pa.DataType:
    empty = nw.from_native(pa.table({"x": pa.nulls(0)}), eager_only=True)
    found = nw.to_native(empty.with_columns(nw.col("x").cast(kind))).schema.field("x").type
    # Tables have microseconds: what is finer breaks its row.
    return pa.timestamp("us", found.tz) if pa.types.is_timestamp(found) and found.unit == "ns" else found


def _of_polars(kind: Any) -> pa.DataType:
    import polars  # noqa: PLC0415  # only a schema written in Polars needs it

    return _plain(polars.Series([], dtype=kind).to_arrow().type)


def _of_pandas(dtype: Any) -> pa.DataType | None:
    import pandas  # noqa: PLC0415  # only a schema written in pandas needs it
    from pandera import dtypes  # noqa: PLC0415  # as above
    from pandera.engines import pandas_engine  # noqa: PLC0415  # as above

    if isinstance(dtype, dtypes.String | dtypes.Category):
        return pa.string()
    if isinstance(dtype, pandas_engine.Date):
        return pa.date32()
    if str(dtype) == "object":
        return None
    frame = pandas.DataFrame({"x": pandas.Series([], dtype=dtype.type)})
    return _plain(pa.Schema.from_pandas(frame, preserve_index=False).field("x").type)


def _plain(kind: pa.DataType) -> pa.DataType:
    """The common type of those that differ in memory layout only; times in microseconds, as tables store them."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if pa.types.is_time(kind):
        return pa.time64("us")
    return kind
