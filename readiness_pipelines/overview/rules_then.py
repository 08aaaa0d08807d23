"""What a batch broke when it was judged, from its quarantined rows: where the code has another gate by now."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts import Table
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.gates import GateDeclaration, Rule, RuleCount, RuleKind, fingerprint
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.masking import Classes, redact_message, redact_samples
from readiness_pipelines.overview.waiting import judged_rules
from readiness_pipelines.sql import identifier, literal

_MOST_SAMPLES = 3


def broken_rules(table: Table, record: BatchRecord, *, installation: Installation) -> tuple[tuple[RuleCount, ...], str]:
    """The rules that a batch breaks, most rows first, by the gate that its rows wait for.

    Returns:
        The rules: of the code's gate, with the decisions in force; or as they were broken when another gate judged the
        batch, or slices of a window that is still open. And that gate's version; "" for the code's.

    Raises:
        UpstreamNotPublishedError: Nothing of the batch was ingested, or an input has nothing published for it.
        GateBuildError: The gate cannot be built, or a check raised.
        LakehouseError: The table cannot be read.
    """
    now = gate_of(table, default_engine=installation.engine_name).version
    then = record.gate_version or now
    if then == now and record.state is not BatchState.OPEN:
        return judged_rules(table, batch=record.ref.batch, installation=installation), ""
    return _from_quarantine(table, record.ref, then, installation), "" if then == now else then


def _from_quarantine(table: Table, ref: BatchRef, version: str, installation: Installation) -> tuple[RuleCount, ...]:
    quarantine = table.id.quarantine
    if not installation.lakehouse.exists(quarantine):
        return ()
    known = _declared(table, version, installation)
    with installation.engine(f"the quarantine of {ref}") as engine:
        rows = installation.lakehouse.relation(engine, quarantine, batch=ref.batch, as_arrived=True)
        if "_discarded" in rows.columns:
            rows = rows.filter("NOT _discarded")
        errors = rows.project("_row, unnest(_errors) AS e").project("_row, e.rule AS rule, e.reason AS reason")
        counted = errors.aggregate("rule, min(reason) AS reason, count(DISTINCT _row) AS broken", "rule")
        found = counted.order("broken DESC, rule").fetchall()
        classes = classes_of(table)
        counts = [
            _count(rows, name, _requirement(known.get(name), reason, classes), broken, known.get(name, {}))
            for name, reason, broken in found
        ]
    return tuple(replace(count, samples=redact_samples(count.samples, classes)) for count in counts)


def _requirement(declared: Mapping[str, Any] | None, reason: str, classes: Classes) -> str:
    """What a rule requires; where no gate says so any more, a row's reason, in which a reader may quote a value."""
    if declared is not None:
        return str(declared["reason"])
    return reason if classes.plain else redact_message(reason, classes.names)


def _count(
    rows: duckdb.DuckDBPyRelation, name: str, reason: str, broken: int, declared: Mapping[str, Any]
) -> RuleCount:
    columns = tuple(one for one in declared.get("on", ()) if one in rows.columns)
    shown = ", ".join(["_row", "_file", *map(identifier, columns)])
    breaking = rows.filter(f"list_contains(list_transform(_errors, lambda e: e.rule), {literal(name)})")
    samples = breaking.project(shown).order("_row").limit(_MOST_SAMPLES).to_arrow_table().to_pylist()
    return RuleCount(
        rule=Rule(
            name=name,
            columns=columns,
            kind=RuleKind(declared.get("kind", RuleKind.ROW)),
            route=Route(declared.get("route", Route.QUARANTINE)),
            reason=reason,
        ),
        broken_rows=broken,
        samples=tuple(samples),
    )


def _declared(table: Table, version: str, installation: Installation) -> Mapping[str, Mapping[str, Any]]:
    """What the gate of a version tested and why, by the rules' names; nothing where the ledger does not have it."""
    stored = next((one for one in installation.ledger.gates(table.id) if one.version == version), None)
    if stored is None:
        return {}
    declaration = GateDeclaration.from_json(stored.declaration)
    wording = declaration.wording["reasons"]
    tested = ((wording.get(fingerprint(facts)), facts) for facts in declaration.facts["rules"])
    return {said[0]: {**facts, "reason": said[1]} for said, facts in tested if said is not None}
