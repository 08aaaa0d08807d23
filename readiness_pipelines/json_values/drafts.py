"""Decisions that belong together, as JSON: what they would do, and as they were kept."""

from typing import Any

from readiness_pipelines.delivery import DraftOutcome, KeptTogether
from readiness_pipelines.json_values.status import counts_value, decision_value, kpi_change_value


def kept_value(kept: KeptTogether) -> dict[str, Any]:
    """Decisions as they were kept."""
    return {
        "decisions": [
            {
                **decision_value(one.decision),
                "rows": one.rows,
                "second_person": one.decision.id in kept.second_person,
            }
            for one in kept.decisions
        ]
    }


def outcome_value(outcome: DraftOutcome) -> dict[str, Any]:
    """What a draft would do."""
    changes = outcome.changes
    return {
        "table": str(outcome.ref.table),
        "batch": outcome.ref.batch,
        "decisions": [
            {"kind": one.what.verb, "what": one.text, "rows": one.rows, "second_person": one.second_person}
            for one in outcome.decisions
        ],
        "state": outcome.state.value if outcome.state else None,
        "rows": counts_value(outcome.counts),
        "would_be": outcome.would_be.value,
        "would_be_rows": counts_value(outcome.would_count),
        "reason": outcome.reason,
        "still_broken": [{"rule": count.rule.name, "rows": count.broken_rows} for count in outcome.rules],
        "moved": [{"from": old or None, "to": new, "rows": rows} for (old, new), rows in changes.moved.items()],
        "corrected": changes.corrected,
        "changed": changes.total,
        "changed_rows": [
            {
                "_row": row.row,
                "from": row.before or None,
                "to": row.after,
                "cells": [{"column": c.column, "before": c.before, "after": c.after} for c in row.cells],
                "still_breaks": list(row.broken),
            }
            for row in changes.rows
        ],
        "downstream": [{"table": str(ref.table), "batch": ref.batch} for ref in outcome.downstream],
        "kpis": None if outcome.kpis is None else [kpi_change_value(one) for one in outcome.kpis.changes],
        "kpis_left_out": outcome.kpis.left_out if outcome.kpis else "",
    }
