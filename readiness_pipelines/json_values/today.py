"""How everything stands now, as JSON."""

from typing import Any

from readiness_pipelines.json_values.status import kpi_value
from readiness_pipelines.ledger import Finding
from readiness_pipelines.overview import ModelToday, ProductToday, Today, standing_of


def today_value(found: Today) -> dict[str, Any]:
    """How each product stands, the worst first, and what is not as promised."""
    return {
        "at": found.at.isoformat(),
        "held_batches": found.held,
        "waiting_batches": found.waiting,
        "waiting_rows": found.rows,
        "open_incidents": [one.id for one in found.incidents],
        "under_way": [{"table": str(one.ref.table), "batch": one.ref.batch} for one in found.running],
        "products": list(map(_product_value, found.products)),
        "models": list(map(_model_value, found.models)),
        "findings": list(map(_finding_value, found.findings)),
    }


def _product_value(one: ProductToday) -> dict[str, Any]:
    return {
        "product": str(one.product.id),
        "stands": one.standing.value,
        "sentence": one.sentence,
        "batch": one.batch,
        "value": kpi_value(one.value),
        "read": one.read,
    }


def _model_value(one: ModelToday) -> dict[str, Any]:
    return {
        "model": str(one.model.id),
        "stands": one.standing.value,
        "sentence": one.sentence,
        "serving": one.serving,
        "metric": one.model.promote.metric,
        "measured": one.measured,
        "needs_a_person": one.waits,
        "newer_batches": one.newer,
    }


def _finding_value(one: Finding) -> dict[str, Any]:
    return {
        "stands": standing_of(one).value,
        "kind": one.kind.value,
        "severity": one.severity.value,
        "table": str(one.table),
        "batch": one.batch,
        "promised": one.promised,
        "seen": one.seen,
        "since": one.since.isoformat(),
        "answers": one.answers,
        "at_risk": list(one.at_risk),
        "next": one.way_out,
    }
