"""Incidents, as JSON."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from readiness_pipelines.json_values.guidance import guidance_value
from readiness_pipelines.ledger import Incident, IncidentEvent, Message
from readiness_pipelines.overview import Guidance


def incidents_value(found: Sequence[Incident], unsent: Sequence[Message]) -> dict[str, Any]:
    """Incidents, and the messages that no channel has taken."""
    errors = [{"channel": m.channel, "title": m.title, "tries": m.tries, "error": m.error} for m in unsent]
    return {"incidents": list(map(_value, found)), "unsent_messages": errors}


def incident_value(found: Incident, events: Sequence[IncidentEvent], guidance: Guidance | None) -> dict[str, Any]:
    """One incident, with what happened to it, who is on call, and what to do."""
    entries = [{"at": e.at.isoformat(), "what": e.what, "who": e.who, "why": e.why} for e in events]
    return {**_value(found), **guidance_value(guidance), "events": entries}


def _value(incident: Incident) -> dict[str, Any]:
    finding = incident.finding

    def seconds(took: timedelta | None) -> float | None:
        return None if took is None else took.total_seconds()

    return {
        "id": incident.id,
        "state": incident.state.value,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "table": str(finding.table),
        "batch": finding.batch,
        "promised": finding.promised,
        "seen": finding.seen,
        "since": finding.since.isoformat(),
        "answers": finding.answers,
        "at_risk": list(finding.at_risk),
        "details": list(finding.details),
        "next": finding.way_out,
        "acknowledged_by": incident.acknowledged_by,
        "seconds_to_detect": seconds(incident.time_to_detect),
        "seconds_to_notify": seconds(incident.time_to_notify),
        "seconds_to_repair": seconds(incident.time_to_repair),
    }
