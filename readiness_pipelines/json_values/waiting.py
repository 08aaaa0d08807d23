"""What waits, and why, as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from readiness_pipelines.contracts import Table, answers_for
from readiness_pipelines.gates import RuleCount
from readiness_pipelines.json_values.guidance import guidance_value
from readiness_pipelines.json_values.status import counts_value, decision_value
from readiness_pipelines.ledger import BatchRecord, DecisionRecord
from readiness_pipelines.overview import Guidance


def waiting_value(record: BatchRecord) -> dict[str, Any]:
    """Where a batch stands."""
    return {
        "batch": record.ref.batch,
        "table": str(record.ref.table),
        "state": record.state.value,
        **counts_value(record.counts),
        "reason": record.reason,
        "gate_version": record.gate_version,
        "since": record.updated_at.isoformat(),
    }


def held_value(
    table: Table,
    record: BatchRecord,
    counts: Sequence[RuleCount],
    *,
    then: str,
    guidance: Guidance,
    decisions: Sequence[DecisionRecord],
    commands: Sequence[str],
) -> dict[str, Any]:
    """Why a batch waits.

    Args:
        table: Its table.
        record: Where it stands.
        counts: The rules that it breaks.
        guidance: Who is on call, and what to do.
        then: The version of the gate that they are of; "" for that of the code.
        decisions: What was decided about it.
        commands: What could be typed next.
    """
    return {
        **waiting_value(record),
        "rules_of_gate": then or record.gate_version,
        "answers": answers_for(table),
        **guidance_value(guidance),
        "rules": list(map(_rule_value, counts)),
        "decisions": list(map(decision_value, decisions)),
        "commands": list(commands),
    }


def _rule_value(count: RuleCount) -> Mapping[str, Any]:
    return {
        "rule": count.rule.name,
        "requires": count.rule.reason,
        "route": count.rule.route.value,
        "rows": count.broken_rows,
        "columns": dict(count.columns),
        "samples": [dict(sample) for sample in count.samples],
    }
