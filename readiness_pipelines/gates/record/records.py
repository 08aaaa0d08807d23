"""One record at a time, from the same schema: the batch gate's verdict on a batch of one, without an engine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, assert_never

import narwhals.stable.v1 as nw
import pyarrow as pa

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.contracts.gating import SchemaChange
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.engines.duckdb.sql import DUCKDB
from readiness_pipelines.engines.expressions import columns_of, is_elementwise
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.gates.judge.layout import LaidColumn, Layout, lay_out, typed_select
from readiness_pipelines.gates.record.evaluating import Evaluate, NotCompiledError, compile_expression
from readiness_pipelines.gates.record.python_values import UNCONVERTED, Convert, converter
from readiness_pipelines.gates.schema.columns import SchemaSpec
from readiness_pipelines.gates.schema.elementwise import failing_element
from readiness_pipelines.gates.schema.flavours import Flavour
from readiness_pipelines.gates.schema.lifting import (
    FRAME,
    NotLiftedError,
    expression,
    failing,
    failing_value,
    widens_singles,
)
from readiness_pipelines.gates.schema.parity import parity_of
from readiness_pipelines.gates.schema.rules import RuleKind, Runner
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
from readiness_pipelines.gates.verdict.outcomes import holds_by_shape
from readiness_pipelines.sql import duckdb_type, identifier, locked_connection

KNOWN_SHAPES = 256
"""How many combinations of keys and types are remembered; records of one caller have one or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """A rule that a record breaks: its name, the column (``None`` for the whole record), the reason, and the route."""

    rule: str
    column: str | None
    reason: str
    route: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVerdict:
    """What a gate says of one record.

    Attributes:
        broken: The rules it breaks, in the gate's order.
        undecided: Names of the rules that need the batch, or other tables.
        record: The typed and cleansed values; empty where the record has not the schema's shape.
    """

    broken: tuple[BrokenRule, ...]
    undecided: tuple[str, ...]
    record: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether no rule is broken but those routed ``warn``."""
        return all(broken.route is Route.WARN for broken in self.broken)


Test = Callable[[Mapping[str, Any], frozenset[str]], BrokenRule | None]
"""From typed values, and the columns whose value did not convert, to the rule that is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How records of one shape are judged.

    Attributes:
        misshapen: The shape rules that the shape itself breaks.
        held: Whether nothing else is decided.
        copied: Columns whose value is taken as it is.
        converted: Columns whose value is converted here, and how.
        query: SQL over the other values, given as parameters, that makes columns and flags; "" where none is needed.
        parameters: The parameters' names.
        made: The columns that the query makes, each with whether a flag follows.
        tests: The other tests.
        undecided: The rules that need the batch.
    """

    misshapen: tuple[BrokenRule, ...]
    held: bool
    copied: tuple[str, ...]
    converted: tuple[tuple[str, Convert], ...]
    query: str
    parameters: tuple[str, ...]
    made: tuple[tuple[str, bool], ...]
    tests: tuple[Test, ...]
    undecided: tuple[str, ...]


class RecordGate:
    """Judges single records by a gate's tests. Compiled once for each combination of keys and types it meets."""

    def __init__(
        self, spec: SchemaSpec, tests: tuple[GateTest, ...], *, missing: tuple[str, ...], change: SchemaChange
    ) -> None:
        self._spec = spec
        self._tests = tests
        self._missing = missing
        self._change = change
        self._connection = locked_connection()
        self._plans: dict[tuple[Any, ...], _Plan] = {}

    def check(self, record: Mapping[str, Any]) -> RecordVerdict:
        """Judge a record: column names to plain Python values."""
        for name, value in record.items():
            if isinstance(value, str) and not value.isascii():
                _check_text(name, value)
        types = tuple(map(type, record.values()))
        shape: tuple[Any, ...] = (*record, *types)
        if not _VARYING.isdisjoint(types):
            shape += tuple(str(arrow_type_of(name, record[name])) for name in record)
        plan = self._plans.get(shape)
        if plan is None:
            if len(self._plans) >= KNOWN_SHAPES:
                self._plans.clear()
            plan = self._plans[shape] = self._plan(record)
        if plan.held:
            return RecordVerdict(broken=plan.misshapen, undecided=plan.undecided, record={})
        typed, unconverted = self._typed(plan, record)
        broken = [found for test in plan.tests if (found := test(typed, unconverted)) is not None]
        return RecordVerdict(broken=(*plan.misshapen, *broken), undecided=plan.undecided, record=typed)

    def _typed(self, plan: _Plan, record: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
        typed = {name: record[name] for name in plan.copied}
        failed = []
        for name, convert in plan.converted:
            value = record[name]
            if isinstance(value, str) and value in self._missing:
                value = None
            if value is not None and (value := convert(value)) is UNCONVERTED:
                failed.append(name)
                value = None
            typed[name] = value
        if not plan.query:
            return typed, frozenset(failed)
        given = {f"p{index}": record[name] for index, name in enumerate(plan.parameters)}
        # A cursor for each call: records may come from many threads.
        (values,) = self._connection.cursor().execute(plan.query, given).fetchall()
        answer = iter(values)
        for name, flagged in plan.made:
            typed[name] = next(answer)
            if flagged and next(answer):
                failed.append(name)
        return typed, frozenset(failed)

    def _plan(self, record: Mapping[str, Any]) -> _Plan:
        names = [name for name in record if name not in RESERVED_COLUMNS]
        arrived = pa.schema([(name, self._arrived_type(name, record[name])) for name in names])
        layout = lay_out(
            self._spec,
            self._tests,
            arrived,
            missing=self._missing,
            change=self._change,
            accepted=None,
            sql=DUCKDB,
        )
        rules = {test.rule.name: test.rule for test in self._tests}
        misshapen = tuple(
            BrokenRule(rule=name, column=None, reason=why, route=rules[name].route)
            for name, why in layout.breaks.items()
        )
        held = any(holds_by_shape(rules[name]) for name in layout.breaks)
        tests: list[Test] = []
        undecided: list[str] = []
        by_spec = layout.by_spec()
        for test in self._tests:
            compiled = None if held else self._compile(test, layout, by_spec)
            shape = test.rule.kind is RuleKind.SHAPE or isinstance(test, Readable)
            if compiled is None and not shape and test.rule.name not in layout.breaks:
                undecided.append(test.rule.name)
            tests += compiled or []
        copied = tuple(c.name for c in layout.columns if c.name in arrived.names and self._is_copied(c, record[c.name]))
        converted = tuple(
            (column.name, convert)
            for column in layout.columns
            if column.name in arrived.names
            and column.name not in copied
            and not column.cleansed
            and column.fills is None
            and (convert := converter(type(record[column.name]), column.type))
        )
        done = {*copied, *(name for name, _ in converted)}
        query, parameters, made = self._query(layout, arrived, without=done)
        return _Plan(
            misshapen=misshapen,
            held=held,
            copied=copied,
            converted=converted,
            query=query,
            parameters=parameters,
            made=made,
            tests=tuple(tests),
            undecided=tuple(undecided),
        )

    def _arrived_type(self, name: str, value: Any) -> pa.DataType:
        """The type a value arrives in: a Python number has no width of its own, and takes the schema's."""
        wanted = next((c.type for c in self._spec.columns if c.type is not None and c.matches(name)), None)
        if wanted is not None and not isinstance(value, bool):
            whole = isinstance(value, int) and pa.types.is_integer(wanted)
            if whole or (isinstance(value, float) and pa.types.is_floating(wanted)):
                return wanted
            if isinstance(value, list | dict) and pa.types.is_nested(wanted) and _holds(wanted, value):
                return wanted
        return arrow_type_of(name, value)

    @staticmethod
    def _is_copied(column: LaidColumn, value: Any) -> bool:
        """Whether the query would give a value back as it is. Every step, and every conversion, leaves null alone."""
        if column.fills is not None:
            return False
        return value is None or (
            column.value == identifier(column.name) and converter(type(value), column.type) is None
        )

    def _query(
        self, layout: Layout, arrived: pa.Schema, *, without: set[str]
    ) -> tuple[str, tuple[str, ...], tuple[tuple[str, bool], ...]]:
        """The batch gate's own SQL over the values that are not taken as they are."""
        columns = tuple(column for column in layout.columns if column.name not in without)
        flagged = {flag.of for flag in layout.flags}
        if not columns and not flagged:
            return "", (), ()
        sources = [column for column in layout.columns if column in columns or column.name in flagged]
        parameters = tuple(column.name for column in sources if column.name in arrived.names)
        given = [f"$p{i}::{duckdb_type(arrived.field(n).type)} AS {identifier(n)}" for i, n in enumerate(parameters)]
        framework = "NULL AS _batch", "0 AS _row", "NULL AS _file", "NULL AS _unreadable"
        partial = Layout(columns=tuple(sources), flags=layout.flags, breaks={}, findings=())
        made = [(column.name, column.unconverted is not None) for column in columns]
        made += [(flag.name, False) for flag in layout.flags]
        flags = {column.name: column.unconverted for column in columns}
        wanted = [
            part for name, has in made for part in ((identifier(name), flags[name]) if has else (identifier(name),))
        ]
        inner = typed_select(partial, f"(SELECT {', '.join([*given, *framework])})", DUCKDB)
        return f"SELECT {', '.join(map(str, wanted))} FROM ({inner})", parameters, tuple(made)

    def _compile(
        self, test: GateTest, layout: Layout, by_spec: Mapping[int, Sequence[LaidColumn]]
    ) -> list[Test] | None:
        """The functions that decide a test, one for each of its columns; ``None`` where it needs the batch."""
        match test:
            case Typed(spec=spec):
                return [_typed_test(test, column) for column in by_spec.get(id(spec), ())]
            case NotNull(spec=spec):
                return [_not_null_test(test, column) for column in by_spec.get(id(spec), ())]
            case Checked():
                if not test.of_rows:
                    return None
                columns: Sequence[LaidColumn | None] = [None] if test.spec is None else by_spec.get(id(test.spec), ())
                found = [self._checked_test(test, column, layout) for column in columns]
                return None if any(one is None for one in found) else [one for one in found if one]
            case Readable() | Unique() | Referenced() | WithinUsual() | Disclosed() | ColumnsClassified() | Masked():
                return None
            case ColumnsPresent() | ColumnsExpected() | ColumnsOrdered() | SchemaUnchanged():
                return None  # decided by the layout
            case _:
                assert_never(test)

    def _checked_test(self, test: Checked, column: LaidColumn | None, layout: Layout) -> Test | None:
        names = [column.name] if column else [laid.name for laid in layout.columns]
        key = column.name if column else FRAME
        schema = pa.schema([(laid.name, laid.type) for laid in layout.columns if laid.name in names])
        by_pandera = _by_pandera(test, key, schema, self._spec.flavour)
        match test.rule.runs_on:
            case Runner.PYTHON:
                fails = _by_value(test, column, names, self._spec.flavour)
            case Runner.PANDERA | Runner.QUERY:
                try:
                    lifted = expression(test.check, key, nw.from_native(schema.empty_table(), eager_only=True))
                except NotLiftedError:
                    return None  # a function of a whole table: what it says of one row may be about the others
                # A record has no batch, and no file: a check that uses them needs one.
                if not is_elementwise(lifted) or RESERVED_COLUMNS.intersection(columns_of(lifted)):
                    return None
                types = dict(zip(schema.names, schema.types, strict=True))
                parity = parity_of(
                    lifted, types, rule=test.rule.name, widens=widens_singles(test.check, self._spec.flavour)
                )
                alike = not parity.why_not and not parity.mixes
                fails = _by_evaluation(test, lifted, by_pandera, schema) if alike else by_pandera
        return _check_test(test, column, fails)


_VARYING = frozenset({Decimal, datetime, list, dict})
"""Types of Python that are not one type of Arrow: with or without a zone, of so many digits."""


def arrow_type_of(name: str, value: Any) -> pa.DataType:
    """The Arrow type that a Python value has in a batch of one; text where there is no value.

    Raises:
        DeclarationError: A value that no column can hold.
    """
    match value:
        case None | str():
            return pa.string()
        case bool():
            return pa.bool_()
        case int():
            return pa.int64() if -(2**63) <= value < 2**63 else pa.decimal128(38, 0)
        case float():
            return pa.float64()
        case datetime():
            return pa.timestamp("us", tz="UTC" if value.tzinfo else None)
        case date():
            return pa.date32()
        case time():
            return pa.time64("us")
        case Decimal() | bytes() | list() | dict():
            kind: pa.DataType = pa.scalar(value).type
            return kind
        case _:
            raise DeclarationError(
                f"the value of {name!r} is a {type(value).__name__}", way_out="give plain Python values, or text"
            )


def _check_text(name: str, text: str) -> None:
    """Refuse half of a character, which Python's texts may hold and no column does.

    Raises:
        DeclarationError: The text has one.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DeclarationError(
            f"the value of {name!r} has half of a character at {error.start}", way_out="decode it as it was encoded"
        ) from error


def _holds(kind: pa.DataType, value: Any) -> bool:
    """Whether a list or record, whose own type an empty one does not tell, is of a type."""
    try:
        pa.scalar(value, kind)
    except (pa.ArrowException, TypeError, ValueError):
        return False
    return True


def _typed_test(test: Typed, column: LaidColumn) -> Test:
    broken = _broken(test, column)
    return lambda _typed, unconverted: broken if column.name in unconverted else None


def _not_null_test(test: NotNull, column: LaidColumn) -> Test:
    broken, name = _broken(test, column), column.name

    def decide(typed: Mapping[str, Any], unconverted: frozenset[str]) -> BrokenRule | None:
        value = typed[name]
        missing = value is None or value != value  # noqa: PLR0124  # NaN differs from itself
        return broken if missing and name not in unconverted else None

    return decide


def _check_test(test: Checked, column: LaidColumn | None, fails: Evaluate) -> Test:
    broken, name = _broken(test, column), column.name if column else None

    def decide(typed: Mapping[str, Any], unconverted: frozenset[str]) -> BrokenRule | None:
        return broken if name not in unconverted and fails(typed) else None

    return decide


def _by_evaluation(test: Checked, lifted: Any, by_pandera: Evaluate, schema: pa.Schema) -> Evaluate:
    """Whether a lifted check fails a record: by the compiled expression, or by Pandera where there is none, or NaN."""
    null_fails = not test.check.ignore_na
    floats = tuple(field.name for field in schema if pa.types.is_floating(field.type))
    try:
        passes = compile_expression(lifted)
    except NotCompiledError:
        return by_pandera

    def fails(record: Mapping[str, Any]) -> bool:
        for name in floats:
            if record[name] != record[name]:  # NaN differs from itself, and each library places it
                return bool(by_pandera(record))
        try:
            answer = passes(record)
        except (TypeError, ValueError, ArithmeticError):  # values that only the engine compares
            return bool(by_pandera(record))
        return null_fails if answer is None else not answer

    return fails


def _by_value(test: Checked, column: LaidColumn | None, names: list[str], flavour: Flavour) -> Evaluate:
    """Whether an element-wise check fails a record's value, or the whole record."""

    def fails(record: Mapping[str, Any]) -> bool:
        if column is None:
            return failing_value(test.check, {name: record[name] for name in names}, rule=test.rule.name)
        value = record[column.name]
        return failing_element(test.check, value, kind=column.type, flavour=flavour, rule=test.rule.name)

    return fails


def _by_pandera(test: Checked, key: str, schema: pa.Schema, flavour: Flavour) -> Evaluate:
    """Whether Pandera fails a record, as a table of one row."""

    def fails(record: Mapping[str, Any]) -> bool:
        row = pa.Table.from_pylist([{name: record[name] for name in schema.names}], schema=schema)
        answer = failing(test.check, key, row, flavour=flavour, rule=test.rule.name)
        return answer if isinstance(answer, bool) else bool(answer[0].as_py())

    return fails


def _broken(test: GateTest, column: LaidColumn | None) -> BrokenRule:
    return BrokenRule(
        rule=test.rule.name, column=column.name if column else None, reason=test.rule.reason, route=test.rule.route
    )
