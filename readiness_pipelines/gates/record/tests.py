"""What decides each test of a gate about one record: a compiled function, or Pandera over a table of one row."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, assert_never

import narwhals.stable.v1 as nw
import pyarrow as pa

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.engines.expressions import columns_of, is_elementwise
from readiness_pipelines.gates.judge.layout import LaidColumn, Layout
from readiness_pipelines.gates.record.evaluating import Evaluate, NotCompiledError, compile_expression, of_instants
from readiness_pipelines.gates.record.verdicts import BrokenRule
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
from readiness_pipelines.gates.schema.rules import Runner
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
from readiness_pipelines.recent import Recent

RecordTest = Callable[[Mapping[str, Any], frozenset[str]], BrokenRule | None]
"""From typed values, and the columns whose value did not convert, to the rule that is broken."""

COMPILED_KEPT = 16_384
"""So many tests over one column are kept as functions: records of another shape have most columns in common."""


class RecordTests:
    """Makes functions of a gate's tests, each once for each column and type it meets.

    Args:
        flavour: The library that the schema is written for.
    """

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour
        self._compiled: Recent[tuple[int, str, pa.DataType], tuple[RecordTest | None]] = Recent(COMPILED_KEPT)

    def compile(
        self, test: GateTest, layout: Layout, by_spec: Mapping[int, Sequence[LaidColumn]]
    ) -> list[RecordTest] | None:
        """The functions that decide a test, one for each of its columns; ``None`` where it needs the batch."""
        match test:
            case Typed(spec=spec):
                return [_typed_test(test, column) for column in by_spec.get(id(spec), ())]
            case NotNull(spec=spec):
                return [_not_null_test(test, column) for column in by_spec.get(id(spec), ())]
            case Checked():
                if not test.of_rows:
                    return None
                if test.spec is None:
                    alone, _ = self._checked_test(test, None, layout)
                    return None if alone is None else [alone]
                found = [self._column_test(test, column, layout) for column in by_spec.get(id(test.spec), ())]
                return None if any(one is None for one in found) else [one for one in found if one]
            case Readable() | Unique() | Referenced() | WithinUsual() | Disclosed() | ColumnsClassified() | Masked():
                return None
            case ColumnsPresent() | ColumnsExpected() | ColumnsOrdered() | SchemaUnchanged():
                return None  # decided by the layout
            case _:
                assert_never(test)

    def _column_test(self, test: Checked, column: LaidColumn, layout: Layout) -> RecordTest | None:
        key = (id(test), column.name, column.type)
        kept = self._compiled.find(key)
        if kept is None:
            found, reads = self._checked_test(test, column, layout)
            kept = (found,)
            if reads == {column.name}:  # else it depends on the types of other columns, too
                self._compiled.keep(key, kept)
        return kept[0]

    def _checked_test(
        self, test: Checked, column: LaidColumn | None, layout: Layout
    ) -> tuple[RecordTest | None, frozenset[str]]:
        """The function that decides a check, ``None`` where it needs the batch; and the columns that it reads."""
        key = column.name if column else FRAME
        reads = frozenset([column.name] if column else [laid.name for laid in layout.columns])
        if test.rule.runs_on is Runner.PYTHON:
            return _check_test(test, column, _by_value(test, column, layout, self._flavour)), reads
        schema = _schema_of(layout, reads)
        try:
            lifted = expression(test.check, key, nw.from_native(schema.empty_table(), eager_only=True))
        except NotLiftedError:
            return None, reads  # a function of a whole table: what it says of one row may be about the others
        # A record has no batch, and no file: a check that uses them needs one.
        if not is_elementwise(lifted) or RESERVED_COLUMNS.intersection(columns_of(lifted)):
            return None, reads
        if column and columns_of(lifted) != (column.name,):  # of a column, and about others too
            reads |= frozenset(columns_of(lifted) or (laid.name for laid in layout.columns))
            schema = _schema_of(layout, reads)
        types = dict(zip(schema.names, schema.types, strict=True))
        parity = parity_of(lifted, types, rule=test.rule.name, widens=widens_singles(test.check, self._flavour))
        alike = not parity.why_not and not parity.mixes
        by_pandera = _by_pandera(test, key, schema, self._flavour)
        fails = _by_evaluation(test, lifted, by_pandera, schema) if alike else by_pandera
        return _check_test(test, column, fails), reads


def _schema_of(layout: Layout, names: Set[str]) -> pa.Schema:
    return pa.schema([(laid.name, laid.type) for laid in layout.columns if laid.name in names])


def _typed_test(test: Typed, column: LaidColumn) -> RecordTest:
    broken = _broken(test, column)
    return lambda _typed, unconverted: broken if column.name in unconverted else None


def _not_null_test(test: NotNull, column: LaidColumn) -> RecordTest:
    broken, name = _broken(test, column), column.name

    def decide(typed: Mapping[str, Any], unconverted: frozenset[str]) -> BrokenRule | None:
        value = typed[name]
        missing = value is None or value != value  # noqa: PLR0124  # NaN differs from itself
        return broken if missing and name not in unconverted else None

    return decide


def _check_test(test: Checked, column: LaidColumn | None, fails: Evaluate) -> RecordTest:
    broken, name = _broken(test, column), column.name if column else None

    def decide(typed: Mapping[str, Any], unconverted: frozenset[str]) -> BrokenRule | None:
        return broken if name not in unconverted and fails(typed) else None

    return decide


def _by_evaluation(test: Checked, lifted: Any, by_pandera: Evaluate, schema: pa.Schema) -> Evaluate:
    """Whether a lifted check fails a record: by the compiled expression, or by Pandera where there is none, or NaN."""
    null_fails = not test.check.ignore_na and not test.null_passes
    floats = tuple(field.name for field in schema if pa.types.is_floating(field.type))
    zoned = tuple(field.name for field in schema if pa.types.is_timestamp(field.type) and field.type.tz)
    try:
        passes = compile_expression(lifted)
    except NotCompiledError:
        return by_pandera
    if zoned:
        passes = of_instants(passes, zoned)

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


def _by_value(test: Checked, column: LaidColumn | None, layout: Layout, flavour: Flavour) -> Evaluate:
    """Whether an element-wise check fails a record's value, or the whole record."""
    rule, names = test.rule.name, [laid.name for laid in layout.columns if not laid.absent]
    zoned = {laid.name: laid.type for laid in layout.columns if pa.types.is_timestamp(laid.type) and laid.type.tz}

    def in_zone(name: str, value: Any) -> Any:
        """The value as a batch has it: times are in their column's zone, whatever zone they were given in."""
        return pa.scalar(value, zoned[name]).as_py() if name in zoned and value is not None else value

    def fails(record: Mapping[str, Any]) -> bool:
        if column is None:
            return failing_value(test.check, {name: in_zone(name, record[name]) for name in names}, rule=rule)
        value = in_zone(column.name, record[column.name])
        return failing_element(test.check, value, kind=column.type, flavour=flavour, rule=rule)

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
