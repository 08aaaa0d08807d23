"""A schema laid over the columns that arrived: what is there, what it becomes, and what is wrong with its shape."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from readiness_pipelines.gates.columns import ColumnSpec, SchemaSpec
from readiness_pipelines.gates.conversion import as_type, present
from readiness_pipelines.gates.sql import duckdb_types, identifier
from readiness_pipelines.gates.tested import ColumnsExpected, ColumnsOrdered, ColumnsPresent, GateTest, Typed

FRAMEWORK_COLUMNS = ("_batch", "_row", "_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidColumn:
    """One column to publish.

    Attributes:
        name: Its name.
        specs: What the schema says of it: more than one where patterns overlap.
        type: Arrow type it is published as.
        value: SQL of its typed value.
        unconverted: Name of the flag column that is true where a value is there and does not convert; ``None`` where
            every value does.
        unconverted_value: SQL of that flag.
    """

    name: str
    specs: tuple[ColumnSpec, ...]
    type: pa.DataType
    value: str
    unconverted: str | None = None
    unconverted_value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns to publish, and the shape rules that the batch breaks, with the reason by rule name."""

    columns: tuple[LaidColumn, ...]
    breaks: Mapping[str, str]

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of what is published: the columns, then the framework's."""
        return published_schema(pa.schema([(column.name, column.type) for column in self.columns]))

    def of(self, spec: ColumnSpec) -> tuple[LaidColumn, ...]:
        """The columns that a specification speaks of."""
        return tuple(column for column in self.columns if spec in column.specs)


def published_schema(columns: pa.Schema) -> pa.Schema:
    """Add ``_batch``, ``_row`` and ``_file`` to the columns of a table."""
    for name, kind in zip(FRAMEWORK_COLUMNS, (pa.string(), pa.int64(), pa.string()), strict=True):
        columns = columns.append(pa.field(name, kind))
    return columns


def lay_out(
    spec: SchemaSpec,
    tests: tuple[GateTest, ...],
    arrived: pa.Schema,
    *,
    missing: tuple[str, ...],
    connection: duckdb.DuckDBPyConnection,
) -> Layout:
    """Lay a schema over the columns that arrived.

    Args:
        spec: The schema.
        tests: The gate's tests; the shape rules among them are decided here.
        arrived: Names and types of the columns that arrived, without the framework's.
        missing: Text that means "no value".
        connection: Tells DuckDB's names of types.
    """
    breaks: dict[str, str] = {}
    columns: list[LaidColumn] = []
    for index, (name, specs) in enumerate(_names(spec, arrived).items()):
        columns.append(_lay(name, specs, arrived, missing=missing, connection=connection, flag=f"_unconverted_{index}"))
    for test in tests:
        match test:
            case ColumnsPresent(rule=rule):
                if absent := [_label(c) for c in spec.columns if c.required and not any(map(c.matches, arrived.names))]:
                    breaks[rule.name] = f"missing: {', '.join(absent)}"
            case ColumnsExpected(rule=rule):
                if extra := [name for name in arrived.names if not any(c.matches(name) for c in spec.columns)]:
                    breaks[rule.name] = f"not in the schema: {', '.join(extra)}"
            case ColumnsOrdered(rule=rule):
                known = [name for name in arrived.names if any(c.name == name for c in spec.columns)]
                wanted_order = [c.name for c in spec.columns if c.name in known]
                if known != wanted_order:
                    breaks[rule.name] = f"came as {', '.join(known)}"
            case Typed(rule=rule, spec=column):
                if wrong := [
                    n for n in arrived.names if column.matches(n) and not _readable_as(column, arrived.field(n).type)
                ]:
                    kinds = ", ".join(f"{n} is {arrived.field(n).type}" for n in wrong)
                    breaks[rule.name] = f"{kinds}, not {column.type}"
            case _:
                pass
    return Layout(columns=tuple(columns), breaks=breaks)


def _names(spec: SchemaSpec, arrived: pa.Schema) -> dict[str, tuple[ColumnSpec, ...]]:
    """The columns to publish, in the schema's order, each with its specifications."""
    found: dict[str, tuple[ColumnSpec, ...]] = {}
    for column in spec.columns:
        names = [name for name in arrived.names if column.matches(name)] if column.pattern else [column.name]
        for name in names:
            found[name] = (*found.get(name, ()), column)
    return found


def _lay(
    name: str,
    specs: tuple[ColumnSpec, ...],
    arrived: pa.Schema,
    *,
    missing: tuple[str, ...],
    connection: duckdb.DuckDBPyConnection,
    flag: str,
) -> LaidColumn:
    """One column: as it arrived where the schema gives it no type, null where it did not arrive."""
    there = name in arrived.names
    declared = next((spec.type for spec in specs if spec.type is not None), None)
    kind = declared or (arrived.field(name).type if there else pa.string())
    (wanted,) = duckdb_types(pa.schema([(name, kind)]), connection)
    if not there:
        return LaidColumn(name=name, specs=specs, type=kind, value=f"CAST(NULL AS {wanted})")
    (given,) = duckdb_types(pa.schema([arrived.field(name)]), connection)
    value = as_type(name, arrived=given, wanted=wanted, missing=missing)
    if wanted == given:
        return LaidColumn(name=name, specs=specs, type=kind, value=value)
    token = present(name, arrived=given, missing=missing)
    failed = f"({token} IS NOT NULL AND {value} IS NULL)"
    return LaidColumn(name=name, specs=specs, type=kind, value=value, unconverted=flag, unconverted_value=failed)


def _readable_as(column: ColumnSpec, arrived: pa.DataType) -> bool:
    """Whether a column that arrived typed may be read as the schema's type.

    Text is read by the gate. A type that storage widens (int8 to int32) is narrowed back, value by value.
    """
    if column.type is None or column.coerce or pa.types.is_string(arrived) or arrived == column.type:
        return True
    both_integers = pa.types.is_integer(arrived) and pa.types.is_integer(column.type)
    both_floats = pa.types.is_floating(arrived) and pa.types.is_floating(column.type)
    both_times = pa.types.is_timestamp(arrived) and pa.types.is_timestamp(column.type)
    if both_times:
        return bool((arrived.tz is None) == (column.type.tz is None))
    return bool(both_integers or both_floats)


def _label(column: ColumnSpec) -> str:
    return f"any column like {column.name}" if column.pattern else column.name


def typed_select(layout: Layout, source: str) -> str:
    """SQL that reads the source's rows as the layout's columns, with the flags of what did not convert."""
    values = [f"{column.value} AS {identifier(column.name)}" for column in layout.columns]
    flags = [f"{c.unconverted_value} AS {identifier(c.unconverted)}" for c in layout.columns if c.unconverted]
    return f"SELECT {', '.join([*values, *flags, *FRAMEWORK_COLUMNS, '_unreadable'])} FROM {source}"
