"""What a gate tests, as plain values: what its version is made of, and what two versions are compared by."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, assert_never

from readiness_pipelines.contracts.gating import Gating
from readiness_pipelines.detection import VERSION as DETECTOR
from readiness_pipelines.engines.cleansing import step_facts
from readiness_pipelines.gates.schema.columns import ColumnSpec, SchemaSpec
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
from readiness_pipelines.gates.versions.fingerprint import check_identity, fingerprint
from readiness_pipelines.gates.versions.plain import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDeclaration:
    """What a gate tests, as JSON-like values.

    Attributes:
        facts: What decides over rows: ``columns`` by name, ``rules`` in no order, and the gate's own settings.
        wording: What is only for people, and no part of the version: names and reasons of the rules by what they test,
            descriptions by column.
        version: Fingerprint of the facts.
    """

    facts: Mapping[str, Any]
    wording: Mapping[str, Any]
    version: str

    def to_json(self) -> dict[str, Any]:
        """The declaration, to be stored beside what the gate judged."""
        return {"facts": self.facts, "wording": self.wording, "version": self.version}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "GateDeclaration":
        """A stored declaration."""
        return cls(facts=stored["facts"], wording=stored["wording"], version=stored["version"])


def declaration_of(
    spec: SchemaSpec, tests: tuple[GateTest, ...], gating: Gating, missing: tuple[str, ...]
) -> GateDeclaration:
    """What a gate tests."""
    described = [(_rule_facts(test, gating), test.rule) for test in tests]
    hashed = [(fingerprint(one), one, rule) for one, rule in described]
    facts = {
        "columns": {column.name: _column_facts(column) for column in spec.columns},
        "rules": [one for _, one, _ in sorted(hashed, key=itemgetter(0))],
        "order": [column.name for column in spec.columns] if spec.ordered else None,
        "add_missing_columns": spec.add_missing,
        "deduplicate": None if spec.deduplicate is None else plain(vars(spec.deduplicate)),
        "tolerance": _bounds(gating),
        "missing": sorted(missing),
        "schema_change": gating.schema_change.value,
        "allow_empty": gating.allow_empty,
    }
    wording = {
        "reasons": {key: [rule.name, rule.reason] for key, _, rule in hashed},
        "descriptions": {column.name: column.description for column in spec.columns if column.description},
    }
    return GateDeclaration(facts=facts, wording=wording, version=fingerprint(facts))


def _column_facts(column: ColumnSpec) -> dict[str, Any]:
    return {
        "type": str(column.type or "any"),
        "required": column.required,
        "pattern": column.pattern,
        "coerce": column.coerce,
        "default": plain(column.default),
        "steps": [plain(step_facts(step)) for step in column.steps],
        **_protection_facts(column),
    }


def _protection_facts(column: ColumnSpec) -> dict[str, Any]:
    """What is published in place of the values; nothing where they are, so that such gates keep their versions."""
    protection = column.classified.protection if column.classified else None
    return {"protection": {type(protection).__name__: plain(vars(protection))}} if protection else {}


def _rule_facts(test: GateTest, gating: Gating) -> dict[str, Any]:
    """A rule without its name, which may be numbered by the order in which checks are written."""
    rule = test.rule
    tolerance = gating.tolerance.rules.get(rule.name)
    facts = {
        "on": sorted(rule.columns),
        "kind": rule.kind.value,
        "route": rule.route.value,
        "tolerance": tolerance.bounds if tolerance else None,
    }
    match test:
        case Checked(check=check):
            return {**facts, **check_identity(check)}
        case Unique(duplicates=duplicates):
            return {**facts, "check": "unique", "statistics": {"report_duplicates": duplicates}}
        case Referenced(reference=reference) | WithinUsual(reference=reference):
            named = {"reference": type(reference).__name__, **vars(reference)}
            return {**facts, "check": "reference", "statistics": plain(named)}
        case Disclosed(condition=condition):
            named = {"condition": type(condition).__name__, **vars(condition)}
            return {**facts, "check": "disclosure", "statistics": plain(named)}
        case ColumnsClassified(classified=classified):
            statistics = {"detector": DETECTOR, "classified": sorted(classified)}
            return {**facts, "check": rule.name, "statistics": statistics}
        case (
            Readable()
            | ColumnsPresent()
            | ColumnsExpected()
            | ColumnsOrdered()
            | SchemaUnchanged()
            | Typed()
            | NotNull()
            | Masked()
        ):
            return {**facts, "check": rule.name, "statistics": {}}
        case _:
            assert_never(test)


def _bounds(gating: Gating) -> dict[str, Any]:
    return gating.tolerance.bounds
