"""What happened to a batch, as JSON."""

from typing import Any

from readiness_pipelines.json_values.status import counts_value, decision_value, kpi_value
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.overview import BatchHistory, History


def history_value(past: History) -> dict[str, Any]:
    """What happened to a batch, to what it was made of, and to what was made of it."""
    return {"table": str(past.ref.table), "batch": past.ref.batch, "steps": list(map(_step_value, past.steps))}


def snapshots_value(record: BatchRecord | None) -> dict[str, int]:
    """The snapshots that hold a batch, by where."""
    if record is None:
        return {}
    found = {name: getattr(record.snapshots, name) for name in ("raw", "quarantine", "published")}
    return {name: snapshot for name, snapshot in found.items() if snapshot is not None}


def _step_value(step: BatchHistory) -> dict[str, Any]:
    record = step.record
    return {
        "table": str(step.ref.table),
        "batch": step.ref.batch,
        "state": record.state.value if record else None,
        "rows": counts_value(record.counts) if record else None,
        "gate_version": record.gate_version if record else None,
        "kpi": kpi_value(step.value),
        "origins": [
            {"name": origin.name, "bytes": origin.bytes, "fingerprint": origin.fingerprint}
            for origin in (record.origins if record else ())
        ],
        "snapshots": snapshots_value(record),
        "inputs": {str(table): dict(keys) for table, keys in record.inputs.items()} if record else {},
        "decisions": list(map(decision_value, step.decisions)),
        "trail": [
            {
                "at": entry.at.isoformat(),
                "what": entry.what,
                "who": entry.who,
                "why": entry.why,
                "run": entry.run_id,
                "details": dict(entry.details),
            }
            for entry in step.trail
        ],
    }
