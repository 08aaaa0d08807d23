"""What the last verdict of a batch found, from what the trail and the ledger's gates say: nothing is judged again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates import GateDeclaration, fingerprint
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, TrailEntry
from readiness_pipelines.overview.plain_rules import plain_rule, rule_words


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRule:
    """A rule that a batch broke.

    Attributes:
        name: Its name.
        words: What it demands, in plain words.
        route: What it does where it is broken: ``warn``, ``quarantine`` or ``hold``; "" where that is not known.
        columns: The columns it looks at.
        rows: How many rows broke it; all rows for a rule about the whole batch.
    """

    name: str
    words: str
    route: str
    columns: tuple[str, ...]
    rows: int


def rules_broken(
    table: Table, record: BatchRecord, trail: Sequence[TrailEntry], *, installation: Installation
) -> tuple[JudgedRule, ...]:
    """The rules that a batch broke at its last verdict: those that hold it first, then by rows.

    Args:
        table: The table.
        record: Where the batch stands.
        trail: What happened to it.
        installation: Whose ledger remembers the gates.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    counts: Mapping[str, int] = next((e.details["rules"] for e in reversed(trail) if "rules" in e.details), {})
    if not counts:
        return ()
    known = _rules(table, record.gate_version, installation)
    found = []
    for name, rows in counts.items():
        words, route, columns = known.get(name, (plain_rule(name), "", ()))
        found.append(JudgedRule(name=name, words=words, route=route, columns=columns, rows=rows))
    return tuple(sorted(found, key=lambda one: (_PLACES.get(one.route, 1), -one.rows, one.name)))


_PLACES = {"hold": 0, "quarantine": 1, "warn": 2}


def _rules(
    table: Table, version: str | None, installation: Installation
) -> Mapping[str, tuple[str, str, tuple[str, ...]]]:
    """Words, route and columns of the rules of the gate of a version, by name."""
    try:
        gate = gate_of(table, default_engine=installation.engine_name)
    except GateBuildError:  # the verdict is of a gate that the ledger has the words of
        gate = None
    if gate is not None and version in (None, gate.version):
        return {rule.name: (rule_words(rule, gate), rule.route.value, rule.columns) for rule in gate.rules}
    stored = next((one for one in installation.ledger.gates(table.id) if one.version == version), None)
    if stored is None:
        return {}
    declaration = GateDeclaration.from_json(stored.declaration)
    said = declaration.wording["reasons"]
    facts: Sequence[Mapping[str, Any]] = declaration.facts["rules"]
    return {
        said[key][0]: (plain_rule(said[key][1], one.get("on", ())), str(one.get("route", "")), tuple(one.get("on", ())))
        for one in facts
        if (key := fingerprint(one)) in said
    }
