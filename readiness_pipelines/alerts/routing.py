"""From incidents to messages: a function of the incidents, the rules, the notices that were given, and the time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from readiness_pipelines.alerts.rules import AlertRule, AlertSettings
from readiness_pipelines.alerts.text import Notice, message_text
from readiness_pipelines.durations import format_duration
from readiness_pipelines.ledger import Incident, IncidentState, Message, NoticeKey, Silence
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import Guidance


def due_messages(
    incidents: Sequence[Incident],
    settings: AlertSettings,
    *,
    given: Mapping[str, frozenset[NoticeKey]],
    silences: Sequence[Silence],
    guidance: Mapping[TableId, Guidance] | None = None,
    now: datetime,
) -> tuple[Message, ...]:
    """The messages that are due now: one for each channel for which there is a new notice.

    A channel is notified once of each change of state. What a silence kept back is due when the silence is over and
    the incident still lasts. A channel that was notified of an incident is notified of its end.

    Args:
        incidents: Those that are active, and those that ended lately.
        settings: Channels and rules.
        given: The notices that each channel was given before.
        silences: When nobody is to be notified about which tables.
        guidance: Who is on call and what to do, by table, as far as the tables are declared.
        now: The time.
    """
    notices: dict[str, list[Notice]] = {}
    for incident in incidents:
        if any(silence.covers(incident.finding.table, now) for silence in silences):
            continue
        for rule in settings.rules:
            for channel, key, news in _notices(incident, rule, given, now):
                known = {notice.key for notice in notices.get(channel, ())} | given.get(channel, frozenset())
                if key not in known:
                    notices.setdefault(channel, []).append(Notice(key=key, news=news, incident=incident))
    return tuple(_message(channel, notices[channel], guidance or {}, now) for channel in sorted(notices))


def _notices(
    incident: Incident, rule: AlertRule, given: Mapping[str, frozenset[NoticeKey]], now: datetime
) -> Iterator[tuple[str, NoticeKey, str]]:
    """The notices that a rule asks for: the channel, what identifies the notice, and the news."""
    episode = f"{incident.opened_at:%Y%m%dT%H%M%S}"
    opening = NoticeKey(incident=incident.id, what=f"{episode} {incident.finding.severity}")
    if incident.state is IncidentState.RESOLVED:
        began = {opening.what, *(f"{episode} {word}" for word in ("warn", "error", "escalated"))}
        for channel in (*rule.channels, *rule.escalate_to):
            if any(key.incident == incident.id and key.what in began for key in given.get(channel, ())):
                yield channel, NoticeKey(incident=incident.id, what=f"{episode} resolved"), "resolved"
        return
    if not rule.is_about(incident.finding):
        return
    for channel in rule.channels:
        yield channel, opening, incident.finding.severity.value
    if incident.state is not IncidentState.OPEN:
        return
    lasts = now - incident.opened_at
    if rule.repeat_after is not None and (turn := int(lasts / rule.repeat_after)):
        for channel in rule.channels:
            news = f"still open after {format_duration(rule.repeat_after * turn)}"
            yield channel, NoticeKey(incident=incident.id, what=f"{episode} repeat {turn}"), news
    if rule.escalate_after is not None and lasts >= rule.escalate_after:
        for channel in rule.escalate_to:
            news = f"not acknowledged for {format_duration(rule.escalate_after)}"
            yield channel, NoticeKey(incident=incident.id, what=f"{episode} escalated"), news


def _message(channel: str, notices: Sequence[Notice], guidance: Mapping[TableId, Guidance], now: datetime) -> Message:
    title, body = message_text(notices, guidance=guidance, now=now)
    return Message(
        channel=channel, title=title, body=body, notices=tuple(notice.key for notice in notices), written_at=now
    )
