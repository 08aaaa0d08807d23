"""Our values as JSON."""

from typing import Any

from readiness_pipelines.delivery import Measured
from readiness_pipelines.durations import format_duration
from readiness_pipelines.ledger import BatchRecord, Counts
from readiness_pipelines.overview import BatchStatus, PathStatus, PathStep


def counts_value(counts: Counts) -> dict[str, int]:
    """Rows, by where they are."""
    return {
        "ingested": counts.ingested,
        "published": counts.published,
        "quarantined": counts.quarantined,
        "discarded": counts.discarded,
    }


def kpi_value(measured: Measured | None) -> dict[str, Any] | None:
    """A KPI's value, with its target."""
    if measured is None:
        return None
    return {
        "name": measured.kpi,
        "value": measured.value,
        "numerator": measured.numerator,
        "denominator": measured.denominator,
        "target": str(measured.target) if measured.target else None,
        "met": measured.met,
    }


def batch_value(status: BatchStatus) -> dict[str, Any]:
    """Where a batch stands."""
    return {
        "batch": status.batch,
        **counts_value(status.counts),
        "held": status.held,
        "kpi": kpi_value(status.kpi),
        "tables": {name: _record_value(record) for name, record in status.tables.items()},
    }


def status_value(status: PathStatus) -> dict[str, Any]:
    """Where a path stands."""
    return {
        "path": status.path,
        "batches": [batch_value(batch) for batch in status.batches],
        "total": counts_value(status.total),
        "kpi": kpi_value(status.kpi),
    }


def step_value(step: PathStep) -> dict[str, Any]:
    """A step of a path."""
    return {
        "table": step.table,
        "kind": step.kind,
        "reads": list(step.reads),
        "origin": step.source.origin if step.source else None,
        "classification": step.source.classification.value if step.source else None,
        "refresh": format_duration(step.source.refresh) if step.source and step.source.refresh else None,
        "known_issues": list(step.source.known_issues) if step.source else [],
        "answers": list(step.answers),
        "rules": [
            {
                "name": rule.name,
                "kind": rule.kind,
                "route": rule.route,
                "asks": rule.reason,
                "runs_on": rule.runs_on,
                "because": rule.because,
            }
            for rule in step.rules
        ],
        "tolerance": step.tolerance.model_dump() if step.tolerance else None,
        "late_after": format_duration(step.freshness.warn_after) if step.freshness else None,
        "fails_after": format_duration(step.freshness.fail_after) if step.freshness else None,
        "latency": format_duration(step.latency) if step.latency else None,
        "gate_version": step.gate_version,
        "description": step.description,
    }


def _record_value(record: BatchRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "state": record.state.value,
        **counts_value(record.counts),
        "reason": record.reason,
        "gate_version": record.gate_version,
        "run": record.run_id,
        "published_snapshot": record.snapshots.published,
        "quarantine_snapshot": record.snapshots.quarantine,
        "updated_at": record.updated_at.isoformat(),
    }
