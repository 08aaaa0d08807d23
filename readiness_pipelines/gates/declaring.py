"""From a schema to the tests it declares, each with a named rule."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import duckdb
import narwhals.stable.v1 as nw
import pyarrow as pa
from pandera.api.checks import Check

from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.gates.columns import ColumnSpec, SchemaSpec
from readiness_pipelines.gates.lifting import FRAME, PROBE_ROWS, NotLiftedError, bind, expression
from readiness_pipelines.gates.rules import Rule, RuleKind, Runner, rule_name
from readiness_pipelines.gates.tested import (
    Checked,
    ColumnsExpected,
    ColumnsOrdered,
    ColumnsPresent,
    GateTest,
    NotNull,
    Readable,
    Typed,
    Unique,
)


def declare(spec: SchemaSpec, routes: Mapping[str, Route]) -> tuple[GateTest, ...]:
    """All tests of a schema, in its order, with unique rule names and the routes that were asked for.

    Args:
        spec: The schema.
        routes: Routes by rule name, in place of the defaults (shape and batch rules hold, row rules quarantine).

    Raises:
        GateBuildError: A check whose expression the engine refuses.
        UnknownNameError: A route for a rule that is not there.
    """
    tests = _with_unique_names([*_shape_tests(spec), *_column_tests(spec), *_frame_tests(spec)])
    names = [test.rule.name for test in tests]
    for name in routes:
        if name not in names:
            raise UnknownNameError("rule in the gate's routes", name, names)
    return tuple(
        replace(test, rule=replace(test.rule, route=routes.get(test.rule.name, test.rule.route))) for test in tests
    )


def _shape_tests(spec: SchemaSpec) -> Iterator[GateTest]:
    def shape(name: str, reason: str) -> Rule:
        return Rule(name=name, columns=(), kind=RuleKind.SHAPE, route=Route.HOLD, reason=reason)

    yield Readable(
        rule=Rule(
            name="readable",
            columns=(),
            kind=RuleKind.ROW,
            route=Route.QUARANTINE,
            reason="the reader can parse the row",
        )
    )
    yield ColumnsPresent(rule=shape("columns_present", "every required column is there"))
    if spec.strict:
        yield ColumnsExpected(rule=shape("columns_expected", "no column is there that the schema does not name"))
    if spec.ordered:
        yield ColumnsOrdered(rule=shape("columns_ordered", "the columns come in the schema's order"))


def _column_tests(spec: SchemaSpec) -> Iterator[GateTest]:
    probe = probe_frame(spec)
    for column in spec.columns:
        if column.type is not None and not pa.types.is_string(column.type):
            yield Typed(rule=_row_rule(column, "dtype", f"is of type {column.type}"), spec=column)
        if not column.nullable:
            yield NotNull(rule=_row_rule(column, "not_nullable", "is not missing"), spec=column)
        if column.unique:
            rule = replace(_row_rule(column, "unique", "occurs once in the batch"), kind=RuleKind.BATCH)
            yield Unique(rule=rule, columns=(column.name,), spec=column)
        for check in column.checks:
            key = probe_column(column)
            yield Checked(rule=_check_rule(check, (column.name,), column.label, key, probe), check=check, spec=column)


def _frame_tests(spec: SchemaSpec) -> Iterator[GateTest]:
    probe = probe_frame(spec)
    for columns in spec.unique:
        rule = Rule(
            name=rule_name("unique", *columns),
            columns=columns,
            kind=RuleKind.BATCH,
            route=Route.QUARANTINE,
            reason=f"{', '.join(columns)} together occur once in the batch",
        )
        yield Unique(rule=rule, columns=columns, spec=None)
    for check in spec.checks:
        yield Checked(rule=_check_rule(check, (), "", FRAME, probe), check=check, spec=None)


def _row_rule(column: ColumnSpec, name: str, reason: str) -> Rule:
    return Rule(
        name=rule_name(column.label, name),
        columns=(column.name,),
        kind=RuleKind.ROW,
        route=Route.QUARANTINE,
        reason=reason,
    )


def _check_rule(check: Check, columns: tuple[str, ...], label: str, key: str, probe: nw.DataFrame[Any]) -> Rule:
    name = rule_name(label, check.name or "check")
    runs_on, because, of_rows = Runner.QUERY, "", True
    try:
        of_rows = bind(expression(check, key, probe), probe, rule=name)
    except NotLiftedError as reason:
        runs_on, because = Runner.PANDERA, str(reason)
    return Rule(
        name=name,
        columns=columns,
        kind=RuleKind.ROW if of_rows else RuleKind.BATCH,
        route=Route.QUARANTINE if of_rows else Route.HOLD,
        reason=str(check.error or check.name or "passes the check"),
        runs_on=runs_on,
        because=because,
    )


def probe_column(column: ColumnSpec) -> str:
    """The name a column has in `probe_frame`: its own, or its label where its name is a pattern."""
    return column.label if column.pattern else column.name


def probe_frame(spec: SchemaSpec) -> nw.DataFrame[Any]:
    """A DuckDB frame of the schema's columns and types, with nulls in `PROBE_ROWS` rows, to bind expressions to."""
    arrays = {probe_column(c): pa.nulls(PROBE_ROWS, c.type or pa.string()) for c in spec.columns}
    connection = duckdb.connect()
    frame: nw.DataFrame[Any] = nw.from_native(connection.from_arrow(pa.table(arrays)))
    return frame


def _with_unique_names(tests: list[GateTest]) -> list[GateTest]:
    seen: Counter[str] = Counter()
    unique = []
    for test in tests:
        name = test.rule.name
        seen[name] += 1
        renamed = name if seen[name] == 1 else f"{name}_{seen[name]}"
        unique.append(replace(test, rule=replace(test.rule, name=renamed)))
    return unique
