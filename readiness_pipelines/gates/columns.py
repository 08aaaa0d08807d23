"""From a Pandera schema to plain values: which columns, of which types, with which promises."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v1 as nw
import pyarrow as pa
from pandera.api.checks import Check
from pandera.api.dataframe.container import DataFrameSchema
from pandera.api.dataframe.model import DataFrameModel

from readiness_pipelines.contracts.names import RESERVED_COLUMNS
from readiness_pipelines.errors import GateBuildError


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """One column of a schema, or one pattern of columns.

    Attributes:
        name: The column's name, or the pattern that names match.
        label: What rules call it: the name, or the field's name where the name is a pattern.
        type: Arrow type; ``None`` keeps the type as it arrives.
        nullable: Whether it may be null (and NaN, for floats).
        unique: Whether its values must be unique in the batch.
        required: Whether it must be there.
        pattern: Whether `name` is a regular expression over column names.
        coerce: Whether a typed value of another type is converted.
        checks: Its Pandera checks, in order.
        description: For people.
    """

    name: str
    label: str
    type: pa.DataType | None
    nullable: bool
    unique: bool
    required: bool
    pattern: bool
    coerce: bool
    checks: tuple[Check, ...]
    description: str

    def matches(self, column: str) -> bool:
        """Whether this is the column's specification. Patterns search, as Pandera's do."""
        return bool(re.search(self.name, column)) if self.pattern else self.name == column


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaSpec:
    """A Pandera schema as plain values.

    Attributes:
        columns: Its columns, in order.
        checks: Its checks over the whole frame, in order.
        unique: Sets of columns whose values must be unique together.
        strict: Whether other columns are refused.
        ordered: Whether the columns must come in the schema's order.
    """

    columns: tuple[ColumnSpec, ...]
    checks: tuple[Check, ...]
    unique: tuple[tuple[str, ...], ...]
    strict: bool
    ordered: bool


def read_schema(schema: Any) -> SchemaSpec:
    """Read a ``pandera.pyarrow`` schema or model.

    Raises:
        GateBuildError: Something else, a schema without columns, a reserved column name, or a type without an Arrow
            counterpart.
    """
    labels: dict[str, str] = {}
    if isinstance(schema, type) and issubclass(schema, DataFrameModel):
        model, schema = schema, schema.to_schema()
        labels = {name: info.original_name for name, (_, info) in model.__fields__.items()}
    if not isinstance(schema, DataFrameSchema):
        raise GateBuildError(
            f"{schema!r} is no Pandera schema",
            way_out="give a pandera.pyarrow DataFrameModel or DataFrameSchema",
        )
    if not schema.columns:
        raise GateBuildError(f"the schema {schema.name!r} has no columns", way_out="declare the columns to publish")
    specs = tuple(_read_column(name, column, labels.get(name, name)) for name, column in schema.columns.items())
    if reserved := [spec.name for spec in specs if spec.name in RESERVED_COLUMNS]:
        raise GateBuildError(
            f"the schema declares {', '.join(reserved)}, which the framework adds itself", way_out="rename the column"
        )
    return SchemaSpec(
        columns=specs,
        checks=tuple(schema.checks),
        unique=tuple(_column_sets(schema.unique)),
        strict=schema.strict is True,
        ordered=bool(schema.ordered),
    )


def _read_column(name: str, column: Any, label: str) -> ColumnSpec:
    return ColumnSpec(
        name=column.selector if column.regex else name,
        label=label if column.regex else name,
        type=None if column.dtype is None else _arrow_type(name, column.dtype),
        nullable=bool(column.nullable),
        unique=bool(column.unique),
        required=bool(column.required),
        pattern=bool(column.regex),
        coerce=bool(column.coerce),
        checks=tuple(column.checks),
        description=column.description or column.title or "",
    )


def _arrow_type(name: str, dtype: Any) -> pa.DataType:
    empty = nw.from_native(pa.table({"x": pa.nulls(0)}), eager_only=True)
    try:
        cast = empty.with_columns(nw.col("x").cast(dtype.type))
    except Exception as error:  # narwhals raises its own, Arrow's and TypeErrors alike
        raise GateBuildError(
            f"the type {dtype} of column {name!r} has no Arrow counterpart: {error}",
            way_out="declare a pyarrow type, e.g. pyarrow.int64()",
        ) from error
    return nw.to_native(cast).schema.field("x").type


def _column_sets(unique: Any) -> Iterable[tuple[str, ...]]:
    if not unique:
        return []
    if isinstance(unique, str):
        return [(unique,)]
    if all(isinstance(name, str) for name in unique):
        return [tuple(unique)]
    return [tuple(names) for names in unique]
