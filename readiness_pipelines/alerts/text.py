"""What a message says: what is at risk, what was promised and seen, since when, who answers, and what to type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.durations import format_duration
from readiness_pipelines.ledger import Finding, Incident, IncidentState, NoticeKey
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import Guidance

SHOWN_DETAILS = 3
SHOWN_AT_RISK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One incident in a message, with its news in a word or two.

    Attributes:
        key: What identifies the notice, so that it is given once.
        news: What is new about the incident.
        incident: The incident.
    """

    key: NoticeKey
    news: str
    incident: Incident


def message_text(notices: Sequence[Notice], *, guidance: Mapping[TableId, Guidance], now: datetime) -> tuple[str, str]:
    """A message's title and body.

    Args:
        notices: What is new.
        guidance: Who is on call and what to do, by table, as far as the tables are declared.
        now: The time.
    """
    findings = [notice.incident.finding for notice in notices]
    names = list(dict.fromkeys(name for finding in findings for name in _at_risk(finding)))
    more = len(names) - SHOWN_AT_RISK
    at_risk = ", ".join(names[:SHOWN_AT_RISK]) + (f" and {more} more" if more > 0 else "")
    over = all(notice.incident.state is IncidentState.RESOLVED for notice in notices)
    what = f"{_where(findings[0])} {findings[0].kind}" if len(notices) == 1 else f"{len(notices)} incidents"
    title = f"{at_risk}: {what} resolved" if over else f"{at_risk} at risk: {what}"
    return title, "\n\n".join(_paragraph(notice, guidance, now) for notice in notices)


def incident_lines(incident: Incident, *, guidance: Guidance | None = None, now: datetime) -> list[str]:
    """An incident in lines, for messages and for the command line.

    Args:
        incident: The incident.
        guidance: Who is on call and what to do; ``None`` where its table is not declared any more.
        now: The time.
    """
    finding = incident.finding
    until = incident.resolved_at or now
    return [
        *([f"KPI: {', '.join(finding.at_risk)}"] if finding.at_risk else []),
        f"promised: {finding.promised}",
        f"seen: {finding.seen}",
        f"since: {finding.since:%Y-%m-%d %H:%M} UTC ({format_duration(until - finding.since)})",
        f"who answers: {finding.answers}",
        *(guidance.lines if guidance and incident.state is not IncidentState.RESOLVED else ()),
        *(f"  {detail}" for detail in finding.details[:SHOWN_DETAILS]),
        *([f"next: {finding.way_out}"] if finding.way_out else []),
    ]


def _paragraph(notice: Notice, guidance: Mapping[TableId, Guidance], now: datetime) -> str:
    incident = notice.incident
    head = f"#{incident.id} {_where(incident.finding)} · {incident.finding.kind} · {notice.news}"
    return "\n".join([head, *incident_lines(incident, guidance=guidance.get(incident.finding.table), now=now)])


def _at_risk(finding: Finding) -> tuple[str, ...]:
    """The products that a table feeds; where it feeds none, the table itself."""
    return finding.at_risk or (str(finding.table),)


def _where(finding: Finding) -> str:
    batch = f"[{finding.batch}]" if finding.batch else ""
    return f"{finding.table}{batch}"
