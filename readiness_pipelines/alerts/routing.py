"""From incidents to messages: a function of the incidents, of the rules, of what was told, and of now."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from readiness_pipelines.alerts.rules import AlertRule, AlertSettings
from readiness_pipelines.alerts.text import Note, message_text
from readiness_pipelines.durations import format_duration
from readiness_pipelines.ledger import Incident, IncidentState, Message, Silence, Tell


def due_messages(
    incidents: Sequence[Incident],
    settings: AlertSettings,
    *,
    told: Mapping[str, frozenset[Tell]],
    silences: Sequence[Silence],
    now: datetime,
) -> tuple[Message, ...]:
    """What is to be told now: one message for each channel that has something new to hear.

    A change of state is told once. What a silence kept quiet is told when the silence is over and it still lasts. The
    end of an incident is told to whoever was told of its beginning.

    Args:
        incidents: Those that are active, and those that ended lately.
        settings: Channels and rules.
        told: What each channel was told before.
        silences: When nobody wants to hear of which tables.
        now: The time.
    """
    notes: dict[str, list[Note]] = {}
    for incident in incidents:
        if any(silence.covers(incident.finding.table, now) for silence in silences):
            continue
        for rule in settings.rules:
            for channel, tell, words in _tells(incident, rule, told, now):
                known = {note.tell for note in notes.get(channel, ())} | told.get(channel, frozenset())
                if tell not in known:
                    notes.setdefault(channel, []).append(Note(tell=tell, words=words, incident=incident))
    return tuple(_message(channel, notes[channel], now) for channel in sorted(notes))


def _tells(
    incident: Incident, rule: AlertRule, told: Mapping[str, frozenset[Tell]], now: datetime
) -> Iterator[tuple[str, Tell, str]]:
    """What a rule has to tell of an incident, to whom, and in which words."""
    episode = f"{incident.opened_at:%Y%m%dT%H%M%S}"
    opening = Tell(incident=incident.id, what=f"{episode} {incident.finding.severity}")
    if incident.state is IncidentState.RESOLVED:
        began = {opening.what, *(f"{episode} {word}" for word in ("warn", "error", "escalated"))}
        for channel in (*rule.channels, *rule.escalate_to):
            if any(tell.incident == incident.id and tell.what in began for tell in told.get(channel, ())):
                yield channel, Tell(incident=incident.id, what=f"{episode} resolved"), "resolved"
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
            words = f"still open after {format_duration(rule.repeat_after * turn)}"
            yield channel, Tell(incident=incident.id, what=f"{episode} repeat {turn}"), words
    if rule.escalate_after is not None and lasts >= rule.escalate_after:
        for channel in rule.escalate_to:
            words = f"nobody took it for {format_duration(rule.escalate_after)}"
            yield channel, Tell(incident=incident.id, what=f"{episode} escalated"), words


def _message(channel: str, notes: Sequence[Note], now: datetime) -> Message:
    title, body = message_text(notes, now=now)
    return Message(channel=channel, title=title, body=body, tells=tuple(note.tell for note in notes), written_at=now)
