"""What a message says: which KPI is at risk, what was promised and seen, since when, who answers, what to type."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.durations import format_duration
from readiness_pipelines.ledger import Incident, IncidentState, Tell

SHOWN_DETAILS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One incident in a message, with what is new about it in a word or two."""

    tell: Tell
    words: str
    incident: Incident


def message_text(notes: Sequence[Note], *, now: datetime) -> tuple[str, str]:
    """A message's title and body."""
    kpis = ", ".join(dict.fromkeys(note.incident.finding.path for note in notes))
    over = all(note.incident.state is IncidentState.RESOLVED for note in notes)
    first = notes[0].incident.finding
    what = f"{_where(notes[0].incident)} {first.kind}" if len(notes) == 1 else f"{len(notes)} incidents"
    title = f"{kpis}: {what} resolved" if over else f"{kpis} at risk: {what}"
    return title, "\n\n".join(_paragraph(note, now) for note in notes)


def incident_lines(incident: Incident, *, now: datetime) -> list[str]:
    """An incident in lines, for messages and for the command line."""
    finding = incident.finding
    until = incident.resolved_at or now
    return [
        f"KPI: {finding.path}",
        f"promised: {finding.promised}",
        f"seen: {finding.seen}",
        f"since: {finding.since:%Y-%m-%d %H:%M} UTC ({format_duration(until - finding.since)})",
        f"who answers: {finding.answers}",
        *(f"  {detail}" for detail in finding.details[:SHOWN_DETAILS]),
        *([f"next: {finding.way_out}"] if finding.way_out else []),
    ]


def _paragraph(note: Note, now: datetime) -> str:
    incident = note.incident
    head = f"#{incident.id} {_where(incident)} · {incident.finding.kind} · {note.words}"
    return "\n".join([head, *incident_lines(incident, now=now)])


def _where(incident: Incident) -> str:
    batch = f"[{incident.finding.batch}]" if incident.finding.batch else ""
    return f"{incident.finding.table}{batch}"
