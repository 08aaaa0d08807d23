"""A schema laid over the columns that arrived: what is there, what it becomes, and what is wrong with its shape."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import pyarrow as pa

from readiness_pipelines.contracts.cleansing import FillMissing, FlagMissing
from readiness_pipelines.contracts.gating import SchemaChange
from readiness_pipelines.engines.cleansing import Cleansed, name_of, text_steps
from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.gates.schema.columns import ColumnSpec, SchemaSpec
from readiness_pipelines.gates.schema.rules import SCHEMA_UNCHANGED
from readiness_pipelines.gates.schema.tests import (
    Checked,
    ColumnsClassified,
    ColumnsExpected,
    ColumnsOrdered,
    ColumnsPresent,
    Disclosed,
    GateTest,
    Masked,
    NotNull,
    Readable,
    Referenced,
    SchemaUnchanged,
    Typed,
    Unique,
    WithinUsual,
)
from readiness_pipelines.gates.verdict.findings import SchemaFinding
from readiness_pipelines.lakehouse.types import storage_type
from readiness_pipelines.sql import duckdb_type

FRAMEWORK_COLUMNS = ("_batch", "_row", "_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidColumn:
    """One column to publish.

    Attributes:
        name: Its name.
        specs: What the schema says of it: more than one where patterns overlap, none for one that it does not name.
        type: Arrow type it is published as.
        value: SQL of its typed value, over the cleansed source.
        unconverted: Name of the flag column that is true where a value is there and does not convert; ``None`` where
            every value does.
        unconverted_value: SQL of that flag.
        given: SQL of what is converted, over the cleansed source; "" where nothing is.
        known: SQL of its value in rows where it is known to convert; "" where that is `value`.
        cleansed: The steps over its text.
        missing: SQL that is true where it has no value, before any is filled in; "" where it is not needed.
        fills: What is filled in, for people, with its SQL; ``None`` for nothing.
        absent: Whether it is optional and did not arrive: Pandera says nothing of such a column.
    """

    name: str
    specs: tuple[ColumnSpec, ...]
    type: pa.DataType
    value: str
    unconverted: str | None = None
    unconverted_value: str = ""
    given: str = ""
    known: str = ""
    cleansed: tuple[Cleansed, ...] = ()
    missing: str = ""
    fills: tuple[str, str] | None = None
    absent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A column that says where another has no value: its name, the other's, and what the step is called."""

    name: str
    of: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns to publish, and what is wrong with the batch's shape.

    Attributes:
        columns: The columns to publish.
        flags: The flag columns to publish after them.
        breaks: The shape rules that the batch breaks, with the reason by rule name.
        findings: What differs from the source's last accepted shape.
    """

    columns: tuple[LaidColumn, ...]
    flags: tuple[Flag, ...]
    breaks: Mapping[str, str]
    findings: tuple[SchemaFinding, ...]

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of what is published: the columns, the flags, then the framework's."""
        return published_schema(
            [
                *((column.name, column.type) for column in self.columns),
                *((flag.name, pa.bool_()) for flag in self.flags),
            ]
        )

    def by_spec(self) -> Mapping[int, Sequence[LaidColumn]]:
        """The columns that each specification judges, by its identity: to compare two of them takes long."""
        found: dict[int, list[LaidColumn]] = {}
        for column in self.columns:
            for spec in () if column.absent else column.specs:
                found.setdefault(id(spec), []).append(column)
        return found


def published_schema(columns: list[tuple[str, pa.DataType]]) -> pa.Schema:
    """Add ``_batch``, ``_row`` and ``_file`` to the columns of a table."""
    return pa.schema([*columns, *zip(FRAMEWORK_COLUMNS, (pa.string(), pa.int64(), pa.string()), strict=True)])


def lay_out(
    spec: SchemaSpec,
    tests: tuple[GateTest, ...],
    arrived: pa.Schema,
    *,
    missing: tuple[str, ...],
    change: SchemaChange,
    accepted: Mapping[str, str] | None,
    sql: Dialect,
) -> Layout:
    """Lay a schema over the columns that arrived.

    Args:
        spec: The schema.
        tests: The gate's tests; the shape rules among them are decided here.
        arrived: Names and types of the columns that arrived, without the framework's.
        missing: Text that means "no value".
        change: What a changed source means.
        accepted: The types of the source's last accepted shape, by column; ``None`` where there is none yet.
        sql: The SQL of the engine that will judge.

    Raises:
        GateBuildError: The engine would convert or cleanse a column otherwise than DuckDB.
    """
    wider = set(_widened(spec, arrived))
    new = [] if spec.strict else _extra(spec, arrived)
    evolves = change is SchemaChange.EVOLVE
    columns: list[LaidColumn] = []
    flags: list[Flag] = []
    for index, (name, specs) in enumerate(_names(spec, arrived).items()):
        column = _lay(name, specs, arrived, missing=missing, tag=index, wider=evolves and name in wider, sql=sql)
        columns.append(column)
        flags += [
            Flag(name=s.column, of=name, step=name_of(s)) for c in specs for s in c.steps if isinstance(s, FlagMissing)
        ]
    taken = {name.casefold() for name in (*(c.name for c in columns), *(f.name for f in flags))}
    clashing = [name for name in new if name.casefold() in taken] if evolves else []
    if evolves:
        columns += [
            LaidColumn(name=name, specs=(), type=arrived.field(name).type, value=sql.identifier(name))
            for name in new
            if name not in clashing
        ]
    findings = tuple(_findings(spec, arrived, accepted, change))
    read_as_arrived = wider if change is not SchemaChange.DISCARD else set()
    breaks = {test.rule.name: why for test in tests if (why := _breaks(test, spec, arrived, findings, read_as_arrived))}
    if clashing:
        clash = f"not published: {', '.join(clashing)}, whose name, but for its case, the table has for something else"
        breaks[SCHEMA_UNCHANGED] = "; ".join(filter(None, (breaks.get(SCHEMA_UNCHANGED), clash)))
    present = next((test.rule.name for test in tests if isinstance(test, ColumnsPresent)), None)
    if present is not None and present not in breaks and (absent := _unlaid(spec, tests, columns)):
        breaks[present] = f"missing: {', '.join(absent)}"
    return Layout(columns=tuple(columns), flags=tuple(flags), breaks=breaks, findings=findings)


def _unlaid(spec: SchemaSpec, tests: tuple[GateTest, ...], columns: Sequence[LaidColumn]) -> list[str]:
    """The columns that a rule over several, or deduplication, names and that only a pattern of the schema matches."""
    named = [name for names in spec.unique for name in names]
    if spec.deduplicate:
        named += [*spec.deduplicate.by, *spec.deduplicate.order_by]
    for test in tests:
        if isinstance(test, Referenced):
            named += test.reference.columns
        elif isinstance(test, Disclosed):
            named += test.condition.columns
    there = {column.name for column in columns}
    return [name for name in dict.fromkeys(named) if name not in there]


def _breaks(
    test: GateTest, spec: SchemaSpec, arrived: pa.Schema, findings: tuple[SchemaFinding, ...], wider: set[str]
) -> str:
    """Why the batch breaks a shape rule; "" where it does not, and for other rules."""
    match test:
        case ColumnsPresent():
            absent = [c for c in spec.columns if not spec.may_lack(c) and not _arriving(c, arrived)]
            return f"missing: {', '.join(map(_label, absent))}" if absent else ""
        case ColumnsExpected():
            extra = _extra(spec, arrived)
            return f"not in the schema: {', '.join(extra)}" if extra else ""
        case ColumnsOrdered():
            wanted = list(dict.fromkeys(name for c in spec.columns for name in _arriving(c, arrived)))
            unknown = set(_extra(spec, arrived))
            known = [name for name in arrived.names if name not in unknown]
            return f"came as {', '.join(known)}" if known != wanted else ""
        case Typed(spec=column):
            wrong = [
                name
                for name in _arriving(column, arrived)
                if name not in wider and not _readable_as(column, arrived.field(name).type)
            ]
            kinds = ", ".join(f"{name} is {arrived.field(name).type}" for name in wrong)
            return f"{kinds}, not {column.type}" if wrong else ""
        case SchemaUnchanged():
            return "; ".join(map(str, findings))
        case Readable() | NotNull() | Unique() | Checked() | Referenced() | WithinUsual() | Disclosed() | Masked():
            return ""
        case ColumnsClassified():
            return ""
        case _:
            assert_never(test)


def _arriving(column: ColumnSpec, arrived: pa.Schema) -> list[str]:
    """The columns that arrived of a specification; a name is looked up, not compared with a thousand others."""
    if column.pattern:
        return [name for name in arrived.names if column.matches(name)]
    return [column.name] if _has(arrived, column.name) else []


def _has(arrived: pa.Schema, name: str) -> bool:
    return bool(arrived.get_field_index(name) >= 0)


def _extra(spec: SchemaSpec, arrived: pa.Schema) -> list[str]:
    known = {name for column in spec.columns for name in _arriving(column, arrived)}
    return [name for name in arrived.names if name not in known]


def _widened(spec: SchemaSpec, arrived: pa.Schema) -> Iterator[str]:
    """The columns that arrived in a wider type than the schema's."""
    for column in spec.columns:
        for name in _arriving(column, arrived):
            if column.type is not None and _is_wider(arrived.field(name).type, column.type, column=name):
                yield name


def shape_of(arrived: pa.Schema) -> dict[str, str]:
    """The shape of a batch: the types of its columns, as text, by name."""
    return {field.name: str(field.type) for field in arrived}


def _findings(
    spec: SchemaSpec, arrived: pa.Schema, accepted: Mapping[str, str] | None, change: SchemaChange
) -> Iterator[SchemaFinding]:
    """What differs from the source's last accepted shape; nothing where there is none yet."""
    if accepted is None:
        return
    shape = shape_of(arrived)
    for name, kind in shape.items():
        if name not in accepted:
            effect = _effect_of_arrival(spec, arrived, name, change)
            yield SchemaFinding(change="new column", column=name, before="", after=kind, effect=effect)
        elif accepted[name] != kind:
            effect = _effect_of_arrival(spec, arrived, name, change)
            yield SchemaFinding(change="other type", column=name, before=accepted[name], after=kind, effect=effect)
    for name, kind in accepted.items():
        if name not in shape:
            effect = _effect_of_absence(spec, name, change)
            yield SchemaFinding(change="missing column", column=name, before=kind, after="", effect=effect)


def _effect_of_arrival(spec: SchemaSpec, arrived: pa.Schema, name: str, change: SchemaChange) -> str:
    """What is done with a column that is new or of another type, for people."""
    if change is SchemaChange.FREEZE:
        return "the batch is held"
    column = next((column for column in spec.columns if column.matches(name)), None)
    evolves = change is SchemaChange.EVOLVE
    if column is None:
        return "published, the table evolves" if evolves else "not published"
    if evolves and name in _widened(spec, arrived):
        return "published, the table evolves"
    if not _readable_as(column, arrived.field(name).type):
        return "the batch is held"
    return "published as it arrived" if column.type is None else f"read as {column.type}"


def _effect_of_absence(spec: SchemaSpec, name: str, change: SchemaChange) -> str:
    """What is done about a column that is missing, for people."""
    column = next((column for column in spec.columns if column.matches(name)), None)
    if change is SchemaChange.FREEZE or (column is not None and not spec.may_lack(column)):
        return "the batch is held"
    if column is None:
        return "published as null" if change is SchemaChange.EVOLVE else "it is not published anyway"
    return "published as null" if column.default is None else f"published as {column.default!r}"


def _is_wider(arrived: pa.DataType, wanted: pa.DataType, *, column: str) -> bool:
    """Whether a type holds more than the other is stored as, in a way that an Iceberg table can evolve to."""
    if pa.types.is_integer(arrived) and pa.types.is_integer(wanted):
        return bool(storage_type(wanted, column=column) == pa.int32() and arrived in (pa.int64(), pa.uint32()))
    if pa.types.is_floating(arrived) and pa.types.is_floating(wanted):
        return bool(storage_type(wanted, column=column) == pa.float32() and arrived == pa.float64())
    if pa.types.is_decimal(arrived) and pa.types.is_decimal(wanted):
        return bool(arrived.scale == wanted.scale and arrived.precision > wanted.precision)
    return False


def _names(spec: SchemaSpec, arrived: pa.Schema) -> dict[str, tuple[ColumnSpec, ...]]:
    """The columns to publish, in the schema's order, each with its specifications."""
    found: dict[str, tuple[ColumnSpec, ...]] = {}
    for column in spec.columns:
        names = _arriving(column, arrived) if column.pattern else [column.name]
        for name in names:
            found[name] = (*found.get(name, ()), column)
    return found


def _lay(
    name: str,
    specs: tuple[ColumnSpec, ...],
    arrived: pa.Schema,
    *,
    missing: tuple[str, ...],
    tag: int,
    wider: bool,
    sql: Dialect,
) -> LaidColumn:
    """One column: as it arrived where the schema gives it no type, null where it did not arrive."""
    there = _has(arrived, name)
    declared = next((spec.type for spec in specs if spec.type is not None), None)
    kind = declared or (arrived.field(name).type if there else pa.string())
    if wider:
        # As the table will have it: an unsigned type would not hold what other batches have below zero.
        kind = storage_type(arrived.field(name).type, column=name)
    if not there:
        null = f"CAST(NULL AS {sql.type_name(kind)})"
        absent = not any(spec.required for spec in specs)
        return _filled(LaidColumn(name=name, specs=specs, type=kind, value=null, absent=absent), sql)
    given = arrived.field(name).type
    token = sql.identifier(name)
    cleansed: tuple[Cleansed, ...] = ()
    if duckdb_type(given) == "VARCHAR":
        token = _present(token, missing, sql)
        steps = [step for spec in specs for step in spec.steps]
        cleansed = text_steps(name, steps, tag=tag, given=token, sql=sql)
        token = cleansed[-1].after if cleansed else token
    converts = duckdb_type(given) != duckdb_type(kind)
    value = sql.as_type(token, arrived=given, wanted=kind) if converts else token
    laid = LaidColumn(name=name, specs=specs, type=kind, value=value, cleansed=cleansed)
    if converts:
        failed = f"({token} IS NOT NULL AND {value} IS NULL)"
        known = sql.as_known_type(token, arrived=given, wanted=kind)
        laid = replace(laid, unconverted=f"_unconverted_{tag}", unconverted_value=failed, given=token, known=known)
    return _filled(laid, sql)


def _present(value: str, missing: tuple[str, ...], sql: Dialect) -> str:
    """SQL of a text value, null where it is one of the tokens that mean "no value"."""
    if not missing:
        return value
    if len(missing) == 1:
        return f"nullif({value}, {sql.literal(missing[0])})"
    return f"CASE WHEN {value} NOT IN ({', '.join(map(sql.literal, missing))}) THEN {value} END"


def _filled(column: LaidColumn, sql: Dialect) -> LaidColumn:
    """The column with its default, if it has one, where it has no value. What does not convert stays without one."""
    fills = [step.value for spec in column.specs for step in spec.steps if isinstance(step, FillMissing)]
    fills += [spec.default for spec in column.specs if spec.default is not None]
    missing = f"({column.value} IS NULL" + (f" AND NOT {column.unconverted_value})" if column.unconverted else ")")
    if not fills:
        return replace(column, missing=missing)
    default = f"CAST({sql.value(fills[0])} AS {sql.type_name(column.type)})"
    return replace(
        column,
        missing=missing,
        value=f"CASE WHEN {missing} THEN {default} ELSE {column.value} END",
        known="",
        fills=(f"fill missing with {fills[0]!r}", default),
    )


def _readable_as(column: ColumnSpec, arrived: pa.DataType) -> bool:
    """Whether a column that arrived typed may be read as the schema's type.

    Text is read by the gate. A type that storage widens (int8 to int32) is narrowed back, value by value. Bytes, lists
    and records are what they are: a text of them would not tell them from a text that looks alike.
    """
    if column.type is None or arrived == column.type or pa.types.is_string(arrived) or pa.types.is_null(arrived):
        return True
    if _is_opaque(arrived) or _is_opaque(column.type):
        return column.coerce and pa.types.is_nested(arrived) and pa.types.is_nested(column.type)
    if column.coerce:
        return True
    if pa.types.is_timestamp(arrived) and pa.types.is_timestamp(column.type):
        return bool((arrived.tz is None) == (column.type.tz is None))
    if pa.types.is_integer(column.type) and is_whole_decimal(arrived):
        return True
    return any(
        kind(arrived) and kind(column.type)
        for kind in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_time)
    )


def _is_opaque(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind))


def is_whole_decimal(kind: pa.DataType) -> bool:
    """Whether a type holds whole numbers alone, though it is a decimal: what DuckDB's sums of integers arrive as."""
    return bool(pa.types.is_decimal(kind) and kind.scale == 0)


def _label(column: ColumnSpec) -> str:
    return f"any column like {column.name}" if column.pattern else column.name


def kept_selects(layout: Layout, source: str, sql: Dialect, *, at_once: int) -> list[tuple[Layout, str]]:
    """As `typed_select`, for rows that are computed once, in parts of so many columns; each part with its layout.

    All parts have ``_row``, and the first one the framework's columns.
    """
    parts: list[tuple[Layout, str]] = []
    counted = 0
    for first in range(0, max(len(layout.columns), 1), at_once):
        columns = layout.columns[first : first + at_once]
        names = {column.name for column in columns}
        part = replace(layout, columns=columns, flags=tuple(flag for flag in layout.flags if flag.of in names))
        beside = ("_row",) if parts else (*FRAMEWORK_COLUMNS, "_unreadable")
        parts.append((part, _kept_select(part, source, sql, beside=beside, counted=counted)))
        counted += sum(1 for _ in _counted(part))
    return parts


def _kept_select(layout: Layout, source: str, sql: Dialect, *, beside: Iterable[str], counted: int) -> str:
    """A part: a conversion is planned once, not for its flag as well; `counted` steps are counted by earlier parts."""
    flagged = {flag.of for flag in layout.flags}
    columns, names = [], [sql.identifier(c.name) for c in layout.columns]
    names += [sql.identifier(flag.name) for flag in layout.flags]
    for column in layout.columns:
        if column.unconverted and not column.fills and column.name not in flagged:
            names.append(f"{column.unconverted} AND {sql.identifier(column.name)} IS NULL AS {column.unconverted}")
            columns.append(replace(column, unconverted_value=f"({column.given} IS NOT NULL)"))
        else:
            names += [column.unconverted] if column.unconverted else []
            columns.append(column)
    names += [f"_changed_{index} AS _changed_{counted + index}" for index, _ in enumerate(_counted(layout))]
    first = typed_select(replace(layout, columns=tuple(columns)), source, sql)
    return f"SELECT {', '.join([*names, *beside])} FROM ({first})"


def typed_select(layout: Layout, source: str, sql: Dialect) -> str:
    """SQL that reads the source's rows as the layout's columns, with what was cleansed and did not convert.

    Beside the published columns it has a flag for each column that may not convert, ``_filled_<n>`` for each that has a
    default, ``_changed_<n>`` for each step of `cleansing_counters`, and the framework's columns.
    """
    by_name = {column.name: column for column in layout.columns}
    values = [f"{column.value} AS {sql.identifier(column.name)}" for column in layout.columns]
    values += [f"{by_name[flag.of].missing} AS {sql.identifier(flag.name)}" for flag in layout.flags]
    values += [f"{c.unconverted_value} AS {c.unconverted}" for c in layout.columns if c.unconverted]
    values += [f"{changed} AS _changed_{index}" for index, (_, _, changed) in enumerate(_counted(layout))]
    return f"SELECT {', '.join([*values, *FRAMEWORK_COLUMNS, '_unreadable'])} FROM {_cleansed(layout, source)}"


def known_select(layout: Layout, source: str, sql: Dialect, known: Collection[str]) -> str:
    """As `typed_select`, for the rows alone in which some columns are known to convert; without what is counted."""
    values = [
        f"{column.known if column.known and column.name in known else column.value} AS {sql.identifier(column.name)}"
        for column in layout.columns
    ]
    by_name = {column.name: column for column in layout.columns}
    values += [f"{by_name[flag.of].missing} AS {sql.identifier(flag.name)}" for flag in layout.flags]
    return f"SELECT {', '.join([*values, *FRAMEWORK_COLUMNS])} FROM {_cleansed(layout, source)}"


def cleansing_counters(layout: Layout) -> list[tuple[str, str]]:
    """The column and the name of each step that is counted; the n-th is counted by ``_changed_<n>``."""
    return [(column, step) for column, step, _ in _counted(layout)]


def _counted(layout: Layout) -> Iterator[tuple[str, str, str]]:
    flags = {flag.of: flag for flag in layout.flags}
    for column in layout.columns:
        for done in column.cleansed:
            yield column.name, done.step, done.changed
        if column.name in flags:
            yield column.name, flags[column.name].step, column.missing
        if column.fills:
            yield column.name, column.fills[0], column.missing


def _cleansed(layout: Layout, source: str) -> str:
    """The source with the steps' columns: a level of projection for the first steps, one for the second, and so on."""
    levels = max((len(column.cleansed) for column in layout.columns), default=0)
    for level in range(levels):
        steps = [column.cleansed[level] for column in layout.columns if len(column.cleansed) > level]
        source = f"(SELECT *, {', '.join(f'{step.value} AS {step.after}' for step in steps)} FROM {source})"
    return source
