"""Where domains, tables and batches stand, and what was decided, as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from readiness_pipelines.batches import BatchRef, Counts
from readiness_pipelines.contracts import Table
from readiness_pipelines.decisions import Decision
from readiness_pipelines.delivery import KpiChange
from readiness_pipelines.json_values.unusual import unusual_value
from readiness_pipelines.ledger import BatchRecord, DecisionRecord, Finding
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import BatchStatus, DomainStatus, LaneStatus
from readiness_pipelines.products import KpiValue


def counts_value(counts: Counts) -> dict[str, int]:
    """Rows, by where they are."""
    return {
        "ingested": counts.ingested,
        "published": counts.published,
        "quarantined": counts.quarantined,
        "discarded": counts.discarded,
        "erased": counts.erased,
    }


def kpi_value(value: KpiValue | None) -> dict[str, Any] | None:
    """A KPI's value, with its target."""
    if value is None:
        return None
    return {
        "value": value.value,
        "numerator": value.numerator,
        "denominator": value.denominator,
        "dimensions": dict(value.dimensions),
        "target": str(value.target) if value.target else None,
        "met": value.met,
        **({"suppressed": value.suppressed} if value.suppressed else {}),
    }


def kpi_change_value(change: KpiChange) -> dict[str, Any]:
    """A KPI's totals before and after, by batch."""
    return {
        "kpi": str(change.kpi),
        "batches": [
            {
                "batch": batch,
                "before": kpi_value(change.before.get(batch)),
                "after": kpi_value(change.after.get(batch)),
            }
            for batch in change.batches
        ],
    }


def batch_value(status: BatchStatus) -> dict[str, Any]:
    """Where a batch of a lane stands."""
    return {
        "batch": status.batch,
        **counts_value(status.counts),
        "held": status.held,
        "kpis": {str(kpi): kpi_value(value) for kpi, value in status.values.items()},
        "dimensions": {str(kpi): list(map(kpi_value, values)) for kpi, values in status.dimensions.items()},
        "tables": {str(table): record_value(record) for table, record in status.tables.items()},
    }


def status_value(
    status: DomainStatus,
    other_gates: Sequence[BatchRef] = (),
    undeclared: Mapping[TableId, int] | None = None,
    unusual: Sequence[Finding] = (),
) -> dict[str, Any]:
    """Where a domain stands.

    Args:
        status: Its lanes.
        other_gates: The batches, of any domain, that another gate than the code's judged.
        undeclared: The tables, of any domain, that are not in the code any more, with how many batches each has.
        unusual: What was found of newest batches, of any domain.
    """
    name, gone = status.domain, undeclared or {}
    return {
        "domain": name,
        "lanes": list(map(lane_value, status.lanes)),
        "awaiting_replay": list(map(_ref_value, status.awaiting_replay)),
        "other_gates": [_ref_value(ref) for ref in other_gates if ref.table.domain == name],
        "unusual": unusual_value([one for one in unusual if one.table.domain == name]),
        "undeclared": {str(table): count for table, count in gone.items() if table.domain == name},
    }


def _ref_value(ref: BatchRef) -> dict[str, str]:
    return {"table": str(ref.table), "batch": ref.batch}


def table_value(table: Table, batches: Sequence[BatchStatus]) -> dict[str, Any]:
    """Where a table stands."""
    return {
        "table": str(table.id),
        "description": table.description,
        "batches": [
            {
                "batch": batch.batch,
                "record": record_value(batch.tables[table.id]),
                "kpi": kpi_value(batch.values.get(table.id)),
                "dimensions": list(map(kpi_value, batch.dimensions.get(table.id, ()))),
            }
            for batch in batches
        ],
    }


def record_value(record: BatchRecord | None) -> dict[str, Any] | None:
    """Where a batch of a table stands."""
    if record is None:
        return None
    return {
        "table": str(record.ref.table),
        "state": record.state.value,
        **counts_value(record.counts),
        "reason": record.reason,
        "gate_version": record.gate_version,
        "run": record.run_id,
        "raw_snapshot": record.snapshots.raw,
        "published_snapshot": record.snapshots.published,
        "quarantine_snapshot": record.snapshots.quarantine,
        "inputs": {str(table): dict(snapshots) for table, snapshots in record.inputs.items()},
        "updated_at": record.updated_at.isoformat(),
    }


def decision_value(decision: DecisionRecord | Decision) -> dict[str, Any]:
    """A decision about a batch."""
    return {
        "decision": decision.id,
        "kind": decision.verb,
        "table": str(decision.ref.table),
        "batch": decision.ref.batch,
        "what": decision.text,
        "who": decision.who,
        "why": decision.why,
        "at": decision.at.isoformat(),
    }


def lane_value(status: LaneStatus) -> dict[str, Any]:
    """Where the tables stand that have the same batches."""
    return {
        "lane": status.name,
        "kind": status.kind,
        "tables": [str(table) for table in status.tables],
        "batches": list(map(batch_value, status.batches)),
        "total": counts_value(status.total),
        "kpis": {str(kpi): kpi_value(value) for kpi, value in status.kpis.items()},
    }
