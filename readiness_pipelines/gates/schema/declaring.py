"""From a schema, and what a gate adds to it, to the tests it declares, each with a named rule."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import narwhals.stable.v1 as nw
import pyarrow as pa
from pandera.api.checks import Check

from readiness_pipelines.contracts.cleansing import RejectMissing
from readiness_pipelines.contracts.gating import Gating, SchemaChange
from readiness_pipelines.contracts.references import ExistsIn, NotInOtherBatches, Reference, WithinUsualRange
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.engines.expressions import columns_of, nodes_of
from readiness_pipelines.errors import GateBuildError, UnknownNameError, first_line
from readiness_pipelines.gates.schema.ambiguity import refuse_ambiguous
from readiness_pipelines.gates.schema.columns import ColumnSpec, Duplicates, SchemaSpec
from readiness_pipelines.gates.schema.flavours import Flavour
from readiness_pipelines.gates.schema.lifting import (
    FRAME,
    PROBE_ROWS,
    NotLiftedError,
    bind,
    bind_in_pandera,
    expression,
    nan_verdicts,
    widens_singles,
)
from readiness_pipelines.gates.schema.parity import parity_of
from readiness_pipelines.gates.schema.rules import SCHEMA_UNCHANGED, Rule, RuleKind, Runner, rule_name
from readiness_pipelines.gates.schema.tests import (
    Checked,
    ColumnsExpected,
    ColumnsOrdered,
    ColumnsPresent,
    GateTest,
    NotNull,
    Readable,
    Referenced,
    SchemaUnchanged,
    Typed,
    Unique,
    WithinUsual,
)
from readiness_pipelines.sql import probe_connection


def declare(spec: SchemaSpec, gating: Gating) -> tuple[GateTest, ...]:
    """All tests of a gate, in its order, with unique rule names and the declared routes.

    Raises:
        GateBuildError: A check whose expression the engine refuses, a pattern that engines read differently, or a
            route that a rule cannot take.
        UnknownNameError: A route or tolerance for a rule, or a reference to a column, that is not there.
    """
    probe = cache(partial(Probe.of, spec))  # made for the first check, if there is one
    declared = [*_shape_tests(spec, gating), *_column_tests(spec, probe), *_frame_tests(spec, gating, probe)]
    tests = _with_unique_names(declared)
    names = [test.rule.name for test in tests]
    for what, given in (("routes", gating.routes), ("tolerance", gating.tolerance.rules)):
        for name in given:
            if name not in names:
                raise UnknownNameError(f"rule in the gate's {what}", name, names)
    return tuple(_routed(test, gating) for test in tests)


def _shape_tests(spec: SchemaSpec, gating: Gating) -> Iterator[GateTest]:
    def shape(name: str, reason: str, route: Route = Route.HOLD) -> Rule:
        return Rule(name=name, columns=(), kind=RuleKind.SHAPE, route=route, reason=reason)

    readable = "the reader can parse the row"
    yield Readable(rule=Rule(name="readable", columns=(), kind=RuleKind.ROW, route=Route.QUARANTINE, reason=readable))
    yield ColumnsPresent(rule=shape("columns_present", "every required column is there"))
    if spec.strict:
        if gating.schema_change is SchemaChange.EVOLVE:
            raise GateBuildError(
                "the schema is strict and the gate would evolve with new columns",
                way_out="choose one: drop strict=True",
            )
        yield ColumnsExpected(rule=shape("columns_expected", "no column is there that the schema does not name"))
    if spec.ordered:
        yield ColumnsOrdered(rule=shape("columns_ordered", "the columns come in the schema's order"))
    held = gating.schema_change is SchemaChange.FREEZE
    reason = "the source has the schema's columns and types, no more, no fewer, no wider"
    yield SchemaUnchanged(rule=shape(SCHEMA_UNCHANGED, reason, Route.HOLD if held else Route.WARN))


def _column_tests(spec: SchemaSpec, probe: Callable[[], "Probe"]) -> Iterator[GateTest]:
    for column in spec.columns:
        if column.type is not None:
            yield Typed(rule=_type_rule(column), spec=column)
        if not column.nullable or any(isinstance(step, RejectMissing) for step in column.steps):
            yield NotNull(rule=_row_rule(column, "not_nullable", "is not missing"), spec=column)
        if column.unique:
            reason = f"occurs once in the batch{_PARDONED[column.duplicates]}"
            rule = replace(_row_rule(column, "unique", reason), kind=RuleKind.BATCH)
            yield Unique(rule=rule, columns=(column.name,), spec=column, duplicates=column.duplicates)
        for check in column.checks:
            yield _check_test(check, column, probe(), spec.flavour)


def _frame_tests(spec: SchemaSpec, gating: Gating, probe: Callable[[], "Probe"]) -> Iterator[GateTest]:
    for columns in spec.unique:
        rule = Rule(
            name=rule_name("unique", *columns),
            columns=columns,
            kind=RuleKind.BATCH,
            route=Route.QUARANTINE,
            reason=f"{', '.join(columns)} together occur once in the batch{_PARDONED[spec.duplicates]}",
        )
        yield Unique(rule=rule, columns=columns, spec=None, duplicates=spec.duplicates)
    for check in spec.checks:
        yield _check_test(check, None, probe(), spec.flavour)
    for added in gating.rules:
        match added:
            case ExistsIn() | NotInOtherBatches():
                yield _reference_test(added, spec)
            case WithinUsualRange():
                yield from _usual_tests(added, spec)
            case Check():
                yield _check_test(added, None, probe(), Flavour.PYARROW if not added.native else spec.flavour)
            case _:
                raise GateBuildError(
                    f"the rule {added!r} is neither a Pandera check nor a reference",
                    way_out="give a pandera Check over the frame, ExistsIn, NotInOtherBatches or WithinUsualRange",
                )


_PARDONED: dict[Duplicates, str] = {"all": "", "exclude_first": " before", "exclude_last": " after"}


def _type_rule(column: ColumnSpec) -> Rule:
    """That the values of a column are of its type. Any text is text: for such columns it is about the batch's shape."""
    rule = _row_rule(column, "dtype", f"is of type {column.type}")
    text = column.type is not None and pa.types.is_string(column.type)
    return replace(rule, kind=RuleKind.SHAPE, route=Route.HOLD) if text else rule


def _row_rule(column: ColumnSpec, name: str, reason: str) -> Rule:
    return Rule(
        name=rule_name(column.label, name),
        columns=(column.name,),
        kind=RuleKind.ROW,
        route=Route.QUARANTINE,
        reason=reason,
    )


def _check_test(check: Check, column: ColumnSpec | None, probe: "Probe", flavour: Flavour) -> Checked:
    """A check with its rule: where it runs, and whether it is about rows or of the batch."""
    name = rule_name(column.label if column else "", check.name or "check")
    refuse_ambiguous(check, rule=name)
    key = probe_column(column) if column else FRAME
    columns: tuple[str, ...] = (column.name,) if column else ()
    runs_on, because, of_rows, nan_fails = Runner.QUERY, "Pandera's own expression, lifted into the query", True, None
    nan_settled = False
    try:
        lifted = expression(check, key, probe.frame)
    except NotLiftedError as reason:
        runs_on = Runner.PYTHON if check.element_wise else Runner.PANDERA
        because, of_rows = str(reason), not _is_of_batch(check)
    except Exception as error:  # a user's function may raise anything
        raise GateBuildError(
            f"the check of rule {name!r} raised {type(error).__name__}: {first_line(error)}",
            way_out="with native=False a check takes a Narwhals expression, or frame, and returns an expression",
        ) from error
    else:
        parity = parity_of(lifted, probe.types, rule=name, widens=widens_singles(check, flavour))
        columns = columns or columns_of(lifted)
        if parity.why_not:
            runs_on, because = Runner.PANDERA, f"Pandera decides it over a table of what it reads: {parity.why_not}"
            of_rows = bind_in_pandera(lifted, probe.table, rule=name)
        else:
            of_rows = bind(lifted, probe.frame, rule=name)
            bind_in_pandera(lifted, probe.table, rule=name)
        own_nan = all(len(nodes_of(part)) == 1 for part in parity.doubts) and columns_of(lifted) == (key,)
        if column and of_rows and parity.elementwise and own_nan and column.type is not None and not parity.why_not:
            nan_settled = True
            if parity.doubts:
                by_pandera, by_query = nan_verdicts(check, column.type, flavour, rule=name)
                nan_fails = by_pandera if by_pandera != by_query else None
    route = Route.QUARANTINE if of_rows else Route.HOLD
    rule = Rule(
        name=name,
        columns=columns,
        kind=RuleKind.ROW if of_rows else RuleKind.BATCH,
        route=Route.WARN if check.raise_warning else route,
        reason=str(check.error or check.name or "passes the check"),
        runs_on=runs_on,
        because=because,
    )
    return Checked(rule=rule, check=check, spec=column, of_rows=of_rows, nan_fails=nan_fails, nan_settled=nan_settled)


def _is_of_batch(check: Check) -> bool:
    """Whether a check that does not lift is known to answer once for the batch; others are seen when they answer."""
    return check.groupby is not None or getattr(check._check_fn, "__name__", "") == "unique_values_eq"


def _reference_test(reference: Reference, spec: SchemaSpec) -> Referenced:
    for name in reference.columns:
        if not any(column.matches(name) for column in spec.columns):
            raise UnknownNameError(f"column in {type(reference).__name__}", name, [c.name for c in spec.columns])
    joined = ", ".join(reference.columns)
    match reference:
        case ExistsIn(table=table):
            name = rule_name(*reference.columns, "exists_in", table)
            reason = f"{joined} exists in {table} ({', '.join(reference.reference_columns)})"
        case NotInOtherBatches():
            name = rule_name(*reference.columns, "not_in_other_batches")
            reason = f"{joined} is not published by another batch"
    rule = Rule(
        name=name, columns=tuple(reference.columns), kind=RuleKind.REFERENCE, route=Route.QUARANTINE, reason=reason
    )
    return Referenced(rule=rule, reference=reference)


def _usual_tests(reference: WithinUsualRange, spec: SchemaSpec) -> Iterator[WithinUsual]:
    for name in reference.columns:
        column = next((column for column in spec.columns if column.name == name), None)
        if column is None:
            raise UnknownNameError("column in WithinUsualRange", name, [c.name for c in spec.columns])
        kind = column.type
        if kind is None or not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise GateBuildError(
                f"WithinUsualRange is about {name!r}, which is {kind or 'of any type'}, not a number",
                way_out="name columns of numbers",
            )
        reason = (
            f"lies where {reference.least_batches} or more batches before had it, "
            f"give or take {reference.widened_by:g} times that range"
        )
        rule = replace(_row_rule(column, "within_usual_range", reason), kind=RuleKind.REFERENCE)
        yield WithinUsual(rule=rule, reference=reference, spec=column)


def _routed(test: GateTest, gating: Gating) -> GateTest:
    """The test with its route: the one given by name, else the gate's default for rules that are not shape rules."""
    rule = test.rule
    given = gating.routes.get(rule.name)
    whole_batch = rule.kind is RuleKind.SHAPE or (isinstance(test, Checked) and not test.of_rows)
    if given is Route.QUARANTINE and whole_batch:
        raise GateBuildError(
            f"the rule {rule.name!r} is about the whole batch and has no rows to quarantine",
            way_out="route it to hold or warn",
        )
    route = given or rule.route
    if given is None and gating.default_route and rule.kind is not RuleKind.SHAPE and route is not Route.WARN:
        route = Route.HOLD if whole_batch and gating.default_route is Route.QUARANTINE else gating.default_route
    return replace(test, rule=replace(rule, route=route))


def probe_column(column: ColumnSpec) -> str:
    """The name a column has in `probe_frame`: its own, or its label where its name is a pattern."""
    return column.label if column.pattern else column.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The schema's columns and types with nulls in `PROBE_ROWS` rows, to bind expressions to: for DuckDB, for Pandera.

    Attributes:
        frame: A DuckDB frame.
        table: The same as a table.
        types: The types by name.
    """

    frame: nw.DataFrame[Any]
    table: pa.Table
    types: Mapping[str, pa.DataType]

    @classmethod
    def of(cls, spec: SchemaSpec) -> "Probe":
        """A probe of a schema."""
        arrays = {probe_column(c): pa.nulls(PROBE_ROWS, c.type or pa.string()) for c in spec.columns}
        types = {name: array.type for name, array in arrays.items()}
        # A check over the frame may use the batch, or file, of a row.
        arrays |= {name: pa.nulls(PROBE_ROWS, pa.string()) for name in ("_batch", "_file")}
        table = pa.table(arrays)
        return cls(frame=nw.from_native(probe_connection().from_arrow(table)), table=table, types=types)


def _with_unique_names(tests: list[GateTest]) -> list[GateTest]:
    seen: Counter[str] = Counter()
    unique = []
    for test in tests:
        name = test.rule.name
        seen[name] += 1
        renamed = name if seen[name] == 1 else f"{name}_{seen[name]}"
        unique.append(replace(test, rule=replace(test.rule, name=renamed)))
    return unique
