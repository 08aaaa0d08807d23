"""The contract of a declared table: what its gate, promises and consumers say, as plain values."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields
from types import ModuleType
from typing import Any

from pandera.api.checks import Check

from readiness_pipelines.batches import Batches
from readiness_pipelines.compatibility.contract import (
    AnnouncedChange,
    ConsumerPromise,
    Contract,
    ContractColumn,
    FreshnessPromise,
    Guarantee,
)
from readiness_pipelines.compatibility.plain_values import plain_value
from readiness_pipelines.contracts import Consumer, Freshness, GatedTable, Kpi, Table
from readiness_pipelines.contracts.classification import Classified
from readiness_pipelines.frozen import Frozen
from readiness_pipelines.gates import Gate
from readiness_pipelines.gates.schema.columns import ColumnSpec, SchemaSpec
from readiness_pipelines.gates.schema.declaring import declare
from readiness_pipelines.gates.schema.tests import (
    Checked,
    ColumnsClassified,
    Disclosed,
    GateTest,
    NotNull,
    Referenced,
    Unique,
    WithinUsual,
)
from readiness_pipelines.gates.versions.fingerprint import check_identity, written_function

FRAMEWORK_CHECKS = ("row_count", "null_share")
"""Checks over the frame that the framework makes from their arguments alone."""

BUILT_IN = frozenset({
    "equal_to", "not_equal_to", "greater_than", "greater_than_or_equal_to", "less_than", "less_than_or_equal_to",
    "in_range", "isin", "notin", "str_matches", "str_contains", "str_startswith", "str_endswith", "str_length",
})  # fmt: skip
"""Pandera's own checks that a field can name."""


def contract_of(table: Table, gate: Gate) -> Contract:
    """The contract of a table.

    Args:
        table: The table.
        gate: Its gate.
    """
    spec, gating = gate.spec, table.gating
    source = table.source if isinstance(table, GatedTable) else None
    usual = {test.rule.name: test.rule.route for test in _as_usual(table, gate)}
    return Contract(
        table=str(table.id),
        columns=tuple(_column(one, spec) for one in spec.columns),
        guarantees=tuple(_guarantees(gate)),
        tolerance=gating.tolerance.model_dump(exclude={"rules"}, exclude_none=True),
        settings=dict(_settings(table, spec)),
        routes={rule.name: rule.route.value for rule in gate.rules if usual.get(rule.name) is not rule.route},
        rule_tolerances=_rule_tolerances(gating.tolerance.rules),
        freshness=None if table.freshness is None else _freshness(table.freshness),
        latency=table.latency,
        notice=max((one.notice for one in table.consumers if one.notice is not None), default=None),
        consumers=tuple(map(consumer_promise, table.consumers)),
        announced=tuple(
            AnnouncedChange(what=one.what, announced=one.announced, effective=one.effective, why=one.why)
            for one in table.announcements
        ),
        owner=table.owner if isinstance(table, Kpi) else table.domain.owner,
        steward=(source.steward.name, source.steward.contact) if source else ("", ""),
        on_call=table.domain.on_call,
        description=table.description,
        limitations=source.known_issues if source else (),
        sla=table.sla.model_dump(exclude_none=True) if isinstance(table, Kpi) and table.sla is not None else {},
        tags=table.tags,
        synonyms=table.synonyms,
        runbook=table.runbook.text if table.runbook is not None else "",
        source=dict(_source(table)),
        gate=gate.version,
    )


def consumer_promise(declared: Consumer) -> ConsumerPromise:
    """A declared consumer, as a contract names it."""
    return ConsumerPromise(
        name=declared.name,
        contact=declared.contact,
        columns=tuple(declared.columns),
        rules=None if declared.rules is None else tuple(declared.rules),
        freshness=declared.freshness,
        notice=declared.notice,
        purpose=declared.purpose,
    )


def _as_usual(table: Table, gate: Gate) -> tuple[GateTest, ...]:
    """The tests of the same gate with nothing said about routes."""
    if not table.gating.routes and table.gating.default_route is None:
        return gate.tests
    rules = () if isinstance(table, Kpi) else table.gating.rules
    plain = type(table.gating)(
        rules=rules, schema_change=table.gating.schema_change, unclassified=table.gating.unclassified
    )
    return declare(gate.spec, plain)


def _column(spec: ColumnSpec, schema: SchemaSpec) -> ContractColumn:
    classified = spec.classified
    return ContractColumn(
        name=spec.name,
        type="any" if spec.type is None else str(spec.type),
        nullable=spec.nullable,
        required=spec.required,
        unique=spec.unique,
        label=spec.label if spec.pattern else "",
        pattern=spec.pattern,
        key=_place_in_key(spec, schema),
        coerce=spec.coerce,
        default=None if spec.default is None else plain_value(spec.default),
        steps=tuple(_named(step) for step in spec.steps),
        description=spec.description,
        classification=str(classified) if classified else "",
        protection=_protection(classified),
        subject=bool(classified and classified.subject),
        reviewed=classified.reviewed if classified else "",
    )


def _place_in_key(spec: ColumnSpec, schema: SchemaSpec) -> int | None:
    """Its place in the one set of columns that tells rows apart, where there is just one such set."""
    sets = [*schema.unique, *((one.name,) for one in schema.columns if one.unique)]
    if len(sets) != 1 or spec.name not in sets[0]:
        return None
    return sets[0].index(spec.name) + 1


def _protection(classified: Classified | None) -> Mapping[str, Any] | None:
    return None if classified is None or classified.protection is None else _named(classified.protection)


def _named(declared: Any) -> Mapping[str, Any]:
    """A step, a protection or a rule as a mapping of its name to its arguments."""
    arguments = {one.name: getattr(declared, one.name) for one in fields(declared)}
    usual = {one.name: one.default for one in fields(declared)}
    return {
        type(declared).__name__: {
            name: dict(value) if isinstance(value, Mapping) else plain_value(value)
            for name, value in arguments.items()
            if value != usual[name]
        }
    }


def _guarantees(gate: Gate) -> Iterator[Guarantee]:
    for test in gate.tests:
        rule = test.rule
        columns = [column.name for column in gate.spec.columns if column.name in rule.columns]
        told: dict[str, Any] = {
            "name": rule.name,
            "columns": tuple(columns or rule.columns),
            "route": rule.route.value,
            "kind": rule.kind.value,
            "text": rule.reason,
        }
        match test:
            case Checked(check=check, spec=spec):
                yield _checked(check, spec, told)
            case NotNull():
                yield Guarantee(check="not_nullable", **told)
            case Unique(duplicates=duplicates, spec=spec):
                arguments = {} if duplicates == "all" else {"report_duplicates": duplicates}
                yield Guarantee(check="unique", arguments=arguments, of_column=spec is not None, **told)
            case Referenced(reference=declared) | Disclosed(condition=declared):
                ((name, arguments),) = _named(declared).items()
                yield Guarantee(check=name, arguments=arguments, of_column=False, **told)
            case WithinUsual(reference=declared):
                ((name, arguments),) = _named(declared).items()
                yield Guarantee(check=name, arguments=arguments, of_column=False, **told)
            case ColumnsClassified():
                yield Guarantee(check="columns_classified", of_column=False, **told)
            case _:  # of every gate, or said by its columns and settings
                pass


def _checked(check: Check, spec: ColumnSpec | None, told: Mapping[str, Any]) -> Guarantee:
    identity = check_identity(check)
    common: dict[str, Any] = {"ignore_na": bool(check.ignore_na), "of_column": spec is not None}
    statistics = dict(check.statistics or {})
    framework = next((name for name in FRAMEWORK_CHECKS if str(check.error or "").startswith(f"{name}(")), None)
    if statistics and (framework or check.name in BUILT_IN):
        try:
            arguments = {name: plain_value(value) for name, value in statistics.items() if value is not None}
        except ValueError as error:
            return Guarantee(check=str(check.name), lost=str(error), **common, **told)
        return Guarantee(check=framework or str(check.name), arguments=arguments, **common, **told)
    code, used, lost = _source_of(check)
    return Guarantee(
        check=str(check.name or "check"),
        arguments={"fingerprint": identity.get("code", identity["statistics"])} if lost else {},
        code=code,
        globals=used,
        lost=lost,
        **common,
        **told,
    )


def _source_of(check: Check) -> tuple[str, Mapping[str, Any], str]:
    """The source of a check's function, what it uses of its module, and why it cannot be carried; "" where it can."""
    function = written_function(check)
    try:
        code = textwrap.dedent(inspect.getsource(function))
        (defined,) = ast.parse(code).body
    except (OSError, SyntaxError, TypeError, ValueError):
        return "", {}, "its source cannot be read"
    if not isinstance(defined, ast.FunctionDef) or not defined.decorator_list:
        return code, {}, "it is a lambda or a function outside its schema"
    if function.__closure__ or function.__defaults__:
        return code, {}, "it uses values of the function around it"
    used: dict[str, Any] = {}
    names = {node.id for node in ast.walk(defined) if isinstance(node, ast.Name)}
    for name in sorted(names & function.__globals__.keys()):
        value = function.__globals__[name]
        if isinstance(value, ModuleType):
            used[name] = {"import": value.__name__}
        elif getattr(value, "__module__", "") == "typing":
            used[name] = {"import": f"typing.{name}"}
        else:
            try:
                used[name] = {"value": plain_value(value)}
            except ValueError:
                return code, {}, f"it uses {name}, which is not a plain value"
    return code, used, ""


def _settings(table: Table, spec: SchemaSpec) -> Iterator[tuple[str, Any]]:
    gating = table.gating
    found = {
        "strict": spec.strict,
        "ordered": spec.ordered,
        "add_missing_columns": spec.add_missing,
        "unique": [list(names) for names in spec.unique],
        "report_duplicates": "" if spec.duplicates == "all" else spec.duplicates,
        "deduplicate": _named(spec.deduplicate)["Deduplicate"] if spec.deduplicate else None,
        "missing": sorted(table.source.reader.missing) if isinstance(table, GatedTable) else [],
        "schema_change": "" if gating.schema_change.value == "discard" else gating.schema_change.value,
        "unclassified": "" if gating.unclassified.value == "warn" else gating.unclassified.value,
        "allow_empty": gating.allow_empty,
    }
    yield from ((name, value) for name, value in found.items() if value)


def _rule_tolerances(rules: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: bound.model_dump(exclude={"rules"}, exclude_none=True) for name, bound in rules.items()}


def _freshness(declared: Freshness) -> FreshnessPromise:
    return FreshnessPromise(
        warn_after=declared.warn_after,
        fail_after=declared.fail_after,
        due=declared.due,
        timezone=declared.timezone,
        event_time=declared.event_time,
    )


def _source(table: Table) -> Iterator[tuple[str, Any]]:
    """Where the rows come from, as far as plain values say it."""
    yield "kind", "gated" if isinstance(table, GatedTable) else "kpi" if isinstance(table, Kpi) else "derived"
    yield "batches", _declaration(table.batches)
    if not isinstance(table, GatedTable):
        yield "reads", sorted({str(read.table.id) for read in table.reads.values()})
        return
    source = table.source
    yield "origin", source.origin
    yield "classification", source.classification.value
    if isinstance(source.reader, Frozen):
        try:
            yield "reader", _declaration(source.reader)
        except ValueError:  # a function, say
            yield "reader", {type(source.reader).__name__: {"lost": source.reader.describe()}}
    if source.refresh is not None:
        yield "refresh", plain_value(source.refresh)
    if source.schema_version is not None:
        yield "schema_version", source.schema_version


def _declaration(declared: Batches | Frozen) -> Mapping[str, Any]:
    """A declaration as a mapping of its name to the arguments that are not as usual; other classes by their name."""
    if not isinstance(declared, Frozen):
        return {type(declared).__name__: {}}
    arguments = {}
    for name, info in type(declared).model_fields.items():
        value = getattr(declared, name)
        if value != info.get_default(call_default_factory=True):
            arguments[name] = plain_value(value)
    return {type(declared).__name__: arguments}
