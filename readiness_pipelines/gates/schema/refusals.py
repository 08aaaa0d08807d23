"""Refuses a gate that an engine could not judge with the same meaning as DuckDB."""

from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.engines.expressions import operations_of, with_patterns
from readiness_pipelines.engines.literals import literals_of
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates.schema.binding import Probe, probe_column
from readiness_pipelines.gates.schema.columns import SchemaSpec
from readiness_pipelines.gates.schema.lifting import FRAME, expression, lifts, widens_singles
from readiness_pipelines.gates.schema.parity import parity_of
from readiness_pipelines.gates.schema.rules import Runner
from readiness_pipelines.gates.schema.tests import Checked, GateTest


def refuse_unsupported(spec: SchemaSpec, tests: tuple[GateTest, ...], sql: Dialect) -> None:
    """Refuse a gate that would mean something else in an engine, or that the engine cannot judge.

    Args:
        spec: The schema.
        tests: The gate's tests.
        sql: What the engine can do.

    Raises:
        GateBuildError: A type or cleansing step that the engine does not have with the same meaning, a check that runs
            in Pandera or Python, or an operation or pattern with another meaning; names the rule or column.
    """
    if sql.operations is None:
        return
    for column in spec.columns:
        try:
            if column.type is not None:
                sql.type_name(column.type)
            for step in column.steps:
                sql.cleansed(step, "x")
        except GateBuildError as error:
            raise GateBuildError(f"column {column.name!r}: {error.what}", way_out=error.way_out) from error
    probe = Probe.of(spec)
    for test in tests:
        if isinstance(test, Checked):
            _refuse_check(test, spec, probe, sql)


def _refuse_check(test: Checked, spec: SchemaSpec, probe: Probe, sql: Dialect) -> None:
    name = test.rule.name
    if test.rule.runs_on is not Runner.QUERY:
        raise GateBuildError(
            f"the rule {name!r} cannot run in {sql.name}: {test.rule.because}",
            way_out=sql.way_out if lifts(test.check) else f"write it as an expression (native=False), or {sql.way_out}",
        )
    lifted = expression(test.check, probe_column(test.spec) if test.spec else FRAME, probe.frame)
    if other := sorted(set(operations_of(lifted)) - (sql.operations or frozenset())):
        raise GateBuildError(
            f"the rule {name!r} uses {', '.join(other)}, which may mean something else in {sql.name}",
            way_out=sql.way_out,
        )
    try:
        with_patterns(lifted, sql.pattern)
    except ValueError as error:
        raise GateBuildError(
            f"the pattern of rule {name!r} has {error}", way_out=f"rewrite the pattern, or {sql.way_out}"
        ) from error
    if faults := [why for value in literals_of(lifted) if (why := sql.unwritable(value))]:
        raise GateBuildError(f"the rule {name!r} compares with {faults[0]}", way_out=sql.way_out)
    parity = parity_of(lifted, probe.types, rule=name, widens=widens_singles(test.check, spec.flavour))
    if test.of_rows and parity.doubts and not parity.elementwise:
        raise GateBuildError(
            f"the rule {name!r} compares rows that may have NaN: Pandera would need the whole batch in memory",
            way_out=sql.way_out,
        )
