"""From a Pandera schema to plain values: which columns, of which types, with which promises."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import duckdb
import pyarrow as pa
from pandera.api.checks import Check
from pandera.api.dataframe.container import DataFrameSchema
from pandera.api.dataframe.model import DataFrameModel

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.contracts.classification import PROTECT_KEY, Classified
from readiness_pipelines.contracts.cleansing import CLEANSING_KEY, ColumnStep, Deduplicate, FlagMissing, Step
from readiness_pipelines.errors import GateBuildError, LakehouseError, UnknownNameError
from readiness_pipelines.gates.schema.categories import with_categories
from readiness_pipelines.gates.schema.flavours import Flavour, arrow_type, flavour_of, matches
from readiness_pipelines.lakehouse.types import storage_type
from readiness_pipelines.sql import duckdb_type

Duplicates = Literal["all", "exclude_first", "exclude_last"]
"""Which of several equal rows break a uniqueness rule: all, or all but the first or last by ``_row``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """One column of a schema, or one pattern of columns.

    Attributes:
        name: The column's name, or the pattern that names match.
        label: What rules call it: the name, or the field's name where the name is a pattern.
        flavour: The schema's flavour, which says how patterns match.
        type: Arrow type; ``None`` keeps the type as it arrives.
        nullable: Whether it may be null (and NaN, for floats).
        unique: Whether its values must be unique in the batch.
        duplicates: Which of several equal rows break that.
        required: Whether it must be there.
        pattern: Whether `name` is a regular expression over column names.
        coerce: Whether a typed value of another type is converted.
        default: What stands for a missing value; ``None`` for nothing.
        checks: Its Pandera checks, in order; then that values are of the categories that its type lists.
        steps: Its cleansing, in order.
        description: For people.
        classified: What its values are to persons; ``None`` where the schema does not say.
    """

    name: str
    label: str
    flavour: Flavour
    type: pa.DataType | None
    nullable: bool
    unique: bool
    duplicates: Duplicates
    required: bool
    pattern: bool
    coerce: bool
    default: Any
    checks: tuple[Check, ...]
    steps: tuple[ColumnStep, ...]
    description: str
    classified: Classified | None = None

    def matches(self, column: str) -> bool:
        """Whether this is the column's specification."""
        return matches(self.flavour, self.name, column) if self.pattern else self.name == column

    @property
    def may_be_null(self) -> bool:
        """Whether it may be published without a value: also where it is optional and nothing stands for it."""
        return self.nullable or not (self.required or self.pattern or self.default is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaSpec:
    """A Pandera schema as plain values.

    Attributes:
        flavour: The library it is written for.
        columns: Its columns, in order.
        checks: Its checks over the whole frame, in order.
        unique: Sets of columns whose values must be unique together.
        duplicates: Which of several equal rows break that.
        strict: Whether other columns are refused.
        ordered: Whether the columns must come in the schema's order.
        add_missing: Whether a required column that did not arrive is made of its default, or null.
        deduplicate: How repeated rows are discarded; ``None`` keeps them.
    """

    flavour: Flavour
    columns: tuple[ColumnSpec, ...]
    checks: tuple[Check, ...]
    unique: tuple[tuple[str, ...], ...]
    duplicates: Duplicates
    strict: bool
    ordered: bool
    add_missing: bool
    deduplicate: Deduplicate | None

    def may_lack(self, column: ColumnSpec) -> bool:
        """Whether a batch may come without the column."""
        made = self.add_missing and not column.pattern and (column.nullable or column.default is not None)
        return not column.required or made


def read_schema(schema: Any) -> SchemaSpec:
    """Read a schema or model of ``pandera.pyarrow``, ``pandera.polars`` or ``pandera.pandas``.

    Raises:
        GateBuildError: Something else, a schema without columns, a reserved column name, a type without an Arrow
            counterpart or that no table holds, or a part of a pandas schema that a table without an index cannot have.
        UnknownNameError: Cleansing or uniqueness by a column that is not there.
    """
    labels: dict[str, str] = {}
    metadata: dict[str, Any] | None = None
    if isinstance(schema, type) and issubclass(schema, DataFrameModel):
        model, schema = schema, schema.to_schema()
        labels = {name: info.original_name for name, (_, info) in model.__fields__.items()}
        metadata = getattr(model.__config__, "metadata", None)
    if not isinstance(schema, DataFrameSchema):
        raise GateBuildError(
            f"{schema!r} is not a Pandera schema",
            way_out="give a DataFrameModel or DataFrameSchema of pandera.pyarrow, pandera.polars or pandera.pandas",
        )
    _refuse_what_has_no_meaning(schema)
    flavour = flavour_of(schema)
    specs = tuple(
        _read_column(flavour, schema, name, column, labels.get(name, name)) for name, column in schema.columns.items()
    )
    spec = SchemaSpec(
        flavour=flavour,
        columns=specs,
        checks=tuple(schema.checks),
        unique=tuple(_column_sets(schema.unique)),
        duplicates=schema.report_duplicates,
        strict=schema.strict is True,
        ordered=bool(schema.ordered),
        add_missing=bool(schema.add_missing_columns),
        deduplicate=_deduplicate(metadata or schema.metadata or {}),
    )
    _check_names(spec)
    return spec


def _refuse_what_has_no_meaning(schema: Any) -> None:
    if not schema.columns:
        raise GateBuildError(f"the schema {schema.name!r} has no columns", way_out="declare the columns to publish")
    if getattr(schema, "index", None) is not None:
        raise GateBuildError(
            f"the schema {schema.name!r} has an index, which a batch of rows does not",
            way_out="declare the index as a column",
        )
    parsed = [name for name, column in schema.columns.items() if getattr(column, "parsers", None)]
    if parsed or getattr(schema, "parsers", None):
        raise GateBuildError(
            f"the schema {schema.name!r} has parsers" + (f" on {', '.join(parsed)}" if parsed else ""),
            way_out="declare the cleansing instead, which is counted: metadata=cleanse(Trim(), …)",
        )


def _check_names(spec: SchemaSpec) -> None:
    names = [column.name for column in spec.columns]
    if reserved := [name for name in names if name in RESERVED_COLUMNS]:
        raise GateBuildError(
            f"the schema declares {', '.join(reserved)}, which the framework adds itself", way_out="rename the column"
        )
    if odd := [name for name in names if name in ("", "*")]:
        raise GateBuildError(
            f"the schema declares a column named {odd[0]!r}, which queries and Pandera read otherwise",
            way_out="rename the column",
        )
    alike: dict[str, str] = {}
    for column in spec.columns:
        if not column.pattern and alike.setdefault(column.name.casefold(), column.name) != column.name:
            raise GateBuildError(
                f"the columns {alike[column.name.casefold()]!r} and {column.name!r} differ in case alone, "
                "which queries do not tell apart",
                way_out="rename one of them",
            )
    wanted = {"unique": [name for names in spec.unique for name in names]}
    if spec.deduplicate:
        wanted["Deduplicate"] = [*spec.deduplicate.by, *spec.deduplicate.order_by]
    for what, columns in wanted.items():
        for name in columns:
            if not any(known.matches(name) for known in spec.columns):
                raise UnknownNameError(f"column in {what}", name, names)
    _check_flags(spec, names)


def _check_flags(spec: SchemaSpec, names: list[str]) -> None:
    taken = {name.casefold() for name in (*names, *RESERVED_COLUMNS)}
    for column in spec.columns:
        for step in column.steps:
            if isinstance(step, FlagMissing):
                if column.pattern:
                    raise GateBuildError(
                        f"FlagMissing of the columns like {column.name!r} would write {step.column!r} for each of them",
                        way_out="declare the columns that have a flag one by one",
                    )
                if step.column.casefold() in taken:
                    raise GateBuildError(
                        f"FlagMissing of column {column.name!r} would write {step.column!r}, which is there already",
                        way_out="give the flag a name of its own, not only in another case",
                    )
                taken.add(step.column.casefold())


def _read_column(flavour: Flavour, schema: Any, name: str, column: Any, label: str) -> ColumnSpec:
    dtype = column.dtype if schema.dtype is None else schema.dtype
    if column.regex:
        _check_pattern(column.selector)
    return ColumnSpec(
        name=column.selector if column.regex else name,
        label=label if column.regex else name,
        flavour=flavour,
        type=None if dtype is None else _judged_type(flavour, name, dtype),
        nullable=bool(column.nullable),
        unique=bool(column.unique),
        duplicates=column.report_duplicates,
        required=bool(column.required),
        pattern=bool(column.regex),
        coerce=bool(column.coerce or schema.coerce),
        default=_default(column),
        checks=tuple(column.checks) if dtype is None else with_categories(flavour, name, dtype, column.checks),
        steps=tuple(_column_steps(name, column.metadata or {})),
        description=column.description or column.title or "",
        classified=(column.metadata or {}).get(PROTECT_KEY),
    )


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise GateBuildError(
            f"the pattern of columns {pattern!r} is no regular expression: {error}", way_out="correct the pattern"
        ) from error


def _judged_type(flavour: Flavour, name: str, dtype: Any) -> pa.DataType | None:
    """The Arrow type of a column, if a table can hold it and the query can judge it.

    Raises:
        GateBuildError: It cannot: half floats, decimals of 256 bits, durations, maps.
    """
    kind = arrow_type(flavour, name, dtype)
    if kind is None:
        return None
    try:
        storage_type(kind, column=name)
        duckdb_type(kind)
    except LakehouseError as error:
        raise GateBuildError(error.what, way_out=error.way_out) from error
    except duckdb.Error as error:
        raise GateBuildError(
            f"column {name!r} is of type {kind}, which DuckDB cannot judge", way_out="declare 32-bit floats"
        ) from error
    return kind


def _default(column: Any) -> Any:
    """The declared default; Pandera says "none" with None, and with NaN where a column came from pandas."""
    missing = column.default is None or column.default != column.default  # NaN differs from itself
    return None if missing else column.default


def _column_steps(name: str, metadata: dict[str, Any]) -> Iterable[ColumnStep]:
    for step in _steps(metadata):
        if isinstance(step, Deduplicate):
            raise GateBuildError(
                f"column {name!r} declares Deduplicate, which concerns whole rows",
                way_out="declare it in the model's Config: metadata = cleanse(Deduplicate(…))",
            )
        yield step


def _deduplicate(metadata: dict[str, Any]) -> Deduplicate | None:
    steps = _steps(metadata)
    match steps:
        case ():
            return None
        case (Deduplicate() as step,):
            return step
        case _:
            raise GateBuildError(
                "the schema's own metadata declares more, or something else, than one Deduplicate",
                way_out="declare steps over a column in that column's metadata",
            )


def _steps(metadata: dict[str, Any]) -> tuple[Step, ...]:
    return tuple(metadata.get(CLEANSING_KEY, ()))


def _column_sets(unique: Any) -> Iterable[tuple[str, ...]]:
    if not unique:
        return []
    if isinstance(unique, str):
        return [(unique,)]
    if all(isinstance(name, str) for name in unique):
        return [tuple(unique)]
    return [tuple(names) for names in unique]
