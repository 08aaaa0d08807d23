"""What is declared, as JSON."""

from collections.abc import Sequence
from typing import Any

from readiness_pipelines.contracts import Domain, Tolerance
from readiness_pipelines.durations import format_duration
from readiness_pipelines.overview import MapStep


def domain_value(domain: Domain) -> dict[str, Any]:
    """A domain, with the names of what it declares."""
    return {
        "name": domain.name,
        "owner": domain.owner,
        "on_call": domain.on_call,
        "module": domain.module,
        "tables": [str(table.id) for table in domain.tables],
        "lanes": {lane.name: [str(table.id) for table in lane.tables] for lane in domain.lanes},
        "kpis": {str(kpi.id): kpi.question for kpi in domain.kpis},
    }


def map_value(name: str, steps: Sequence[MapStep]) -> dict[str, Any]:
    """The steps of a domain."""
    return {"domain": name, "steps": list(map(step_value, steps))}


def step_value(step: MapStep) -> dict[str, Any]:
    """A step of a domain."""
    return {
        "table": str(step.table),
        "kind": step.kind,
        "batches": step.batches,
        "reads": list(step.reads),
        "compares": list(step.compares),
        "origin": step.source.origin if step.source else None,
        "classification": step.source.classification.value if step.source else None,
        "refresh": format_duration(step.source.refresh) if step.source and step.source.refresh else None,
        "known_issues": list(step.source.known_issues) if step.source else [],
        "answers": step.answers,
        "rules": [
            {
                "name": rule.name,
                "kind": rule.kind,
                "route": rule.route,
                "requires": rule.reason,
                "runs_on": rule.runs_on,
                "because": rule.because,
            }
            for rule in step.rules
        ],
        "tolerance": _tolerance(step.tolerance) if step.tolerance else None,
        "late_after": format_duration(step.freshness.warn_after) if step.freshness else None,
        "fails_after": format_duration(step.freshness.fail_after) if step.freshness else None,
        "latency": format_duration(step.latency) if step.latency else None,
        "gate_version": step.gate_version,
        "at_risk": list(step.at_risk),
        "description": step.description,
    }


def _tolerance(tolerance: Tolerance) -> dict[str, Any]:
    """Its bounds; over how many rows only where that is declared."""
    return tolerance.model_dump(exclude={"over"} if tolerance.over is None else None)
