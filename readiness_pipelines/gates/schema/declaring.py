"""From a schema, and what a gate adds to it, to the tests it declares, each with a named rule."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

import pyarrow as pa
from pandera.api.checks import Check

from readiness_pipelines.contracts.cleansing import RejectMissing
from readiness_pipelines.contracts.disclosure import Disclosure, KAnonymity, LDiversity
from readiness_pipelines.contracts.gating import Gating, SchemaChange
from readiness_pipelines.contracts.references import (
    ExistsIn,
    Late,
    MaskingVerified,
    NotInOtherBatches,
    Reference,
    WithinUsualRange,
)
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.errors import GateBuildError, UnknownNameError
from readiness_pipelines.gates.schema.ambiguity import refuse_ambiguous
from readiness_pipelines.gates.schema.binding import Probe, bound
from readiness_pipelines.gates.schema.columns import ColumnSpec, Duplicates, SchemaSpec
from readiness_pipelines.gates.schema.flavours import Flavour
from readiness_pipelines.gates.schema.lifting import is_expression
from readiness_pipelines.gates.schema.protecting import protected_columns
from readiness_pipelines.gates.schema.rules import (
    MASKING_VERIFIED,
    SCHEMA_UNCHANGED,
    TOLERANCE,
    Rule,
    RuleKind,
    rule_name,
)
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
    if protected := protected_columns(spec):
        labels = ", ".join(column.label for column in protected)
        yield Masked(rule=shape(MASKING_VERIFIED, f"no value of {labels} is given away by what is published"))


def _column_tests(spec: SchemaSpec, probe: Callable[[], "Probe"]) -> Iterator[GateTest]:
    for column in spec.columns:
        if column.type is not None:
            yield Typed(rule=_type_rule(column), spec=column)
        if not column.nullable or any(isinstance(step, RejectMissing) for step in column.steps):
            yield NotNull(rule=_row_rule(column, "not_nullable", "is not missing"), spec=column)
        if column.unique:
            reason = f"occurs once in the batch{_PARDONED[column.duplicates]}"
            rule = _row_rule(column, "unique", reason, kind=RuleKind.BATCH)
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
            case ExistsIn() | NotInOtherBatches() | MaskingVerified() | Late():
                yield _reference_test(added, spec)
            case WithinUsualRange():
                yield from _usual_tests(added, spec)
            case KAnonymity() | LDiversity():
                yield _disclosure_test(added, spec)
            case Check():
                yield _check_test(added, None, probe(), Flavour.PYARROW if is_expression(added) else spec.flavour)
            case _:
                raise GateBuildError(
                    f"the rule {added!r} is neither a Pandera check nor a reference",
                    way_out="give a pandera Check over the frame, ExistsIn, NotInOtherBatches, WithinUsualRange, "
                    "KAnonymity or LDiversity",
                )

    if gating.unclassified is Route.HOLD:
        rule = Rule(
            name="columns_classified",
            columns=(),
            kind=RuleKind.BATCH,
            route=Route.HOLD,
            reason="no published column that nobody classified looks personal",
            because="the detector looks at a sample of the batch's values",
        )
        yield ColumnsClassified(rule=rule, classified=tuple(c.name for c in spec.columns if c.classified))


_PARDONED: dict[Duplicates, str] = {"all": "", "exclude_first": " before", "exclude_last": " after"}


def _type_rule(column: ColumnSpec) -> Rule:
    """That the values of a column are of its type. Any text is text: for such columns it is about the batch's shape."""
    reason = f"is of type {column.type}"
    if column.type is not None and pa.types.is_string(column.type):
        return _row_rule(column, "dtype", reason, kind=RuleKind.SHAPE, route=Route.HOLD)
    return _row_rule(column, "dtype", reason)


def _row_rule(
    column: ColumnSpec, name: str, reason: str, *, kind: RuleKind = RuleKind.ROW, route: Route = Route.QUARANTINE
) -> Rule:
    return Rule(name=rule_name(column.label, name), columns=(column.name,), kind=kind, route=route, reason=reason)


def _check_test(check: Check, column: ColumnSpec | None, probe: "Probe", flavour: Flavour) -> Checked:
    """A check with its rule: where it runs, and whether it is about rows or of the batch."""
    name = rule_name(column.label if column else "", check.name or "check")
    refuse_ambiguous(check, rule=name)
    found = bound(check, column, probe, flavour, rule=name)
    route = Route.QUARANTINE if found.of_rows else Route.HOLD
    rule = Rule(
        name=name,
        columns=found.columns,
        kind=RuleKind.ROW if found.of_rows else RuleKind.BATCH,
        route=Route.WARN if check.raise_warning else route,
        reason=str(check.error or check.name or "passes the check"),
        runs_on=found.runs_on,
        because=found.because,
    )
    return Checked(
        rule=rule,
        check=check,
        spec=column,
        of_rows=found.of_rows,
        nan_fails=found.nan_fails,
        nan_settled=found.nan_settled,
        null_passes=found.null_passes,
    )


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
        case MaskingVerified():
            return Referenced(rule=_masking_rule(reference), reference=reference)
        case Late():
            return Referenced(rule=_lateness_rule(reference, spec), reference=reference)
    rule = Rule(
        name=name, columns=tuple(reference.columns), kind=RuleKind.REFERENCE, route=Route.QUARANTINE, reason=reason
    )
    return Referenced(rule=rule, reference=reference)


def _masking_rule(reference: MaskingVerified) -> Rule:
    """That what a transform masked gives nothing away: it holds, whatever the gate's default is."""
    return Rule(
        name=rule_name(MASKING_VERIFIED, reference.column),
        columns=(reference.column,),
        kind=RuleKind.SHAPE,
        route=Route.HOLD,
        reason=f"no value of {reference.of} ({reference.reference_columns[0]}) is given away by what is published",
    )


def _lateness_rule(reference: Late, spec: SchemaSpec) -> Rule:
    name = reference.event_time
    kind = next(column.type for column in spec.columns if column.matches(name))
    if kind is None or not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise GateBuildError(
            f"Late is about {name!r}, which is {kind or 'of any type'}, not a time", way_out="name a column of times"
        )
    return Rule(
        name=rule_name(name, "late"),
        columns=(name,),
        kind=RuleKind.REFERENCE,
        route=reference.route,
        reason=f"arrives at most {reference.after} after events that are newer",
    )


def _disclosure_test(condition: Disclosure, spec: SchemaSpec) -> Disclosed:
    for name in condition.columns:
        if not any(column.matches(name) for column in spec.columns):
            raise UnknownNameError(f"column in {type(condition).__name__}", name, [c.name for c in spec.columns])
    joined = ", ".join(condition.quasi)
    match condition:
        case KAnonymity(k=k, persons=persons):
            name = rule_name(*condition.quasi, "k_anonymity")
            reason = f"at least {k} {'persons' if persons else 'rows'} have the same {joined}"
        case LDiversity(l=least, sensitive=sensitive):
            name = rule_name(*condition.quasi, sensitive, "l_diversity")
            reason = f"rows with the same {joined} have at least {least} different values of {sensitive}"
    rule = Rule(name=name, columns=condition.columns, kind=RuleKind.BATCH, route=Route.HOLD, reason=reason)
    return Disclosed(rule=rule, condition=condition)


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
        rule = _row_rule(column, "within_usual_range", reason, kind=RuleKind.REFERENCE)
        yield WithinUsual(rule=rule, reference=reference, spec=column)


def _routed(test: GateTest, gating: Gating) -> GateTest:
    """The test with its route: the one given by name, else the gate's default for rules that are not shape rules."""
    rule = test.rule
    given = gating.routes.get(rule.name)
    whole_batch = (
        rule.kind is RuleKind.SHAPE
        or isinstance(test, Disclosed | ColumnsClassified)
        or (isinstance(test, Checked) and not test.of_rows)
    )
    if given is Route.QUARANTINE and whole_batch:
        raise GateBuildError(
            f"the rule {rule.name!r} is about the whole batch and has no rows to quarantine",
            way_out="route it to hold or warn",
        )
    if given is not None and given is not Route.HOLD and rule.name.startswith(MASKING_VERIFIED):
        raise GateBuildError(
            f"the rule {rule.name!r} holds: values that nobody may see cannot be published with a warning",
            way_out="drop the route, or the column's protection",
        )
    if given is Route.WARN and isinstance(test, Readable):
        raise GateBuildError(
            f"the rule {rule.name!r} cannot only warn: of a row that could not be read there is nothing to publish",
            way_out="drop the route: such rows wait",
        )
    route = given or rule.route
    if given is None and gating.default_route and not _keeps_its_route(test, gating) and route is not Route.WARN:
        route = Route.HOLD if whole_batch and gating.default_route is Route.QUARANTINE else gating.default_route
    return test if route is rule.route else replace(test, rule=replace(rule, route=route))


def _keeps_its_route(test: GateTest, gating: Gating) -> bool:
    """Whether the gate's default route is not about a test.

    That are the shape's, and what has a route of its own; and where the default only warns also what would be published
    as nothing: rows that could not be read, and values that do not convert in a column that must have one.
    """
    if test.rule.kind is RuleKind.SHAPE or isinstance(test, ColumnsClassified):
        return True
    if gating.default_route is not Route.WARN:
        return False
    return isinstance(test, Readable) or (isinstance(test, Typed) and not test.spec.nullable)


def _with_unique_names(tests: list[GateTest]) -> list[GateTest]:
    """The tests, of those with one name all but the first with a number.

    By the names of their columns, and not as the schema has them: routes and waivers go by a rule's name, and must not
    go over to another column when columns change places.
    """
    taken = {test.rule.name for test in tests}
    first = {TOLERANCE}  # who waives that means the gate's
    named: dict[int, str] = {}
    for place in sorted(range(len(tests)), key=lambda place: tests[place].rule.columns):
        name, number = tests[place].rule.name, 2
        if name in first:
            while f"{name}_{number}" in taken:
                number += 1
            name = f"{name}_{number}"
            taken.add(name)
        first.add(name)
        named[place] = name
    return [replace(test, rule=replace(test.rule, name=named[place])) for place, test in enumerate(tests)]
