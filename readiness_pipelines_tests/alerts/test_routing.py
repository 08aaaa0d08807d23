"""Who hears of what, and when: once, again while it lasts, somebody else when nobody takes it, and when it is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from readiness_pipelines.alerts import AlertRule, AlertSettings, Channel, due_messages
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.ledger import Incident, IncidentState, Message, Silence, Tell
from readiness_pipelines.observability import Finding, FindingKind, Severity

START = datetime(2026, 1, 1, tzinfo=UTC)
CHANNELS = tuple(Channel(name=name, url_variable=f"{name.upper()}_URL") for name in ("team", "boss"))


def finding(**changes: Any) -> Finding:
    given: dict[str, Any] = {
        "kind": FindingKind.HELD,
        "severity": Severity.ERROR,
        "path": "refund_rate",
        "table": "shop.orders",
        "batch": "day_1",
        "promised": "the batch passes its gate",
        "seen": "3 of 4 rows fail",
        "since": START - timedelta(minutes=5),
        "details": ("amount_ge: 3 rows", "status_isin: 2 rows", "order_id_unique: 1 rows", "note_isin: 1 rows"),
        "way_out": "readiness quarantine show day_1",
        "answers": "Shop team <shop@shop.example>",
    }
    return Finding(**{**given, **changes})


def incident(number: int = 1, state: str = "open", resolved_at: datetime | None = None, **changes: Any) -> Incident:
    return Incident(
        id=number,
        finding=finding(**changes),
        state=IncidentState(state),
        opened_at=START,
        notified_at=None,
        acknowledged_at=None,
        acknowledged_by=None,
        resolved_by=None,
        resolved_at=resolved_at,
    )


class Listeners:
    """What each channel heard, as routing decides it at each look."""

    def __init__(self, *rules: AlertRule, silences: tuple[Silence, ...] = ()) -> None:
        self.settings = AlertSettings(channels=CHANNELS, rules=rules)
        self.silences = silences
        self.told: dict[str, frozenset[Tell]] = {}

    def look(self, *incidents: Incident, after: str = "0h") -> list[Message]:
        hours = float(after.removesuffix("h"))
        messages = due_messages(
            incidents, self.settings, told=self.told, silences=self.silences, now=START + timedelta(hours=hours)
        )
        for message in messages:
            self.told[message.channel] = self.told.get(message.channel, frozenset()) | set(message.tells)
        return list(messages)


def test_a_message_says_what_whoever_is_called_at_night_needs_to_know() -> None:
    (message,) = Listeners(AlertRule(channels=("team",))).look(incident())
    assert message.title == "refund_rate at risk: shop.orders[day_1] held"
    assert message.body == "\n".join(
        [
            "#1 shop.orders[day_1] · held · error",
            "KPI: refund_rate",
            "promised: the batch passes its gate",
            "seen: 3 of 4 rows fail",
            "since: 2025-12-31 23:55 UTC (5m)",
            "who answers: Shop team <shop@shop.example>",
            "  amount_ge: 3 rows",
            "  status_isin: 2 rows",
            "  order_id_unique: 1 rows",
            "next: readiness quarantine show day_1",
        ]
    )


def test_a_change_of_state_is_told_once_in_one_message() -> None:
    listeners = Listeners(AlertRule(channels=("team",)), AlertRule(channels=("team",), severity=Severity.ERROR))
    both = (incident(1), incident(2, batch="day_2"))
    (message,) = listeners.look(*both)
    assert message.title == "refund_rate at risk: 2 incidents"
    assert listeners.look(*both, after="1h") == []


def test_what_gets_worse_is_told_again() -> None:
    listeners = Listeners(AlertRule(channels=("team",)))
    assert len(listeners.look(incident(severity=Severity.WARN))) == 1
    assert len(listeners.look(incident(severity=Severity.ERROR), after="1h")) == 1
    assert listeners.look(incident(severity=Severity.WARN), after="2h") == []


def test_what_lasts_is_repeated_until_somebody_takes_it() -> None:
    listeners = Listeners(AlertRule(channels=("team",), repeat_after="4h"))
    heard = [len(listeners.look(incident(), after=f"{hour}h")) for hour in range(10)]
    assert heard == [1, 0, 0, 0, 1, 0, 0, 0, 1, 0]
    assert listeners.look(incident(state="acknowledged"), after="12h") == []


def test_what_nobody_takes_goes_to_somebody_else_once() -> None:
    listeners = Listeners(AlertRule(channels=("team",), escalate_after="2h", escalate_to=("boss",)))
    heard = [[message.channel for message in listeners.look(incident(), after=f"{hour}h")] for hour in range(5)]
    assert heard == [["team"], [], ["boss"], [], []]
    listeners = Listeners(AlertRule(channels=("team",), escalate_after="2h", escalate_to=("boss",)))
    listeners.look(incident())
    assert listeners.look(incident(state="acknowledged"), after="3h") == []


def test_the_end_is_told_to_whoever_heard_of_the_beginning() -> None:
    listeners = Listeners(AlertRule(channels=("team",), escalate_after="2h", escalate_to=("boss",)))
    listeners.look(incident())
    over = incident(state="resolved", resolved_at=START + timedelta(hours=1))
    (message,) = listeners.look(over, after="1h")
    assert (message.channel, message.title) == ("team", "refund_rate: shop.orders[day_1] held resolved")
    assert listeners.look(over, after="2h") == []
    assert Listeners(AlertRule(channels=("team",))).look(over, after="1h") == []


def test_a_silence_is_kept_and_what_still_lasts_is_told_afterwards() -> None:
    silence = Silence(
        id=1, tables="shop.*", begins_at=START, ends_at=START + timedelta(hours=2), who="ana", why="migration"
    )
    listeners = Listeners(AlertRule(channels=("team",)), silences=(silence,))
    assert listeners.look(incident(), after="1h") == []
    assert len(listeners.look(incident(table="other.orders", number=2), after="1h")) == 1
    assert len(listeners.look(incident(), after="2h")) == 1


@pytest.mark.parametrize(
    ("rule", "hears"),
    [
        ({}, True),
        ({"kinds": ("freshness",)}, False),
        ({"kinds": ("freshness", "held")}, True),
        ({"tables": ("shop.*",)}, True),
        ({"tables": ("clinic.*",)}, False),
        ({"answers": ("*@shop.example>",)}, True),
        ({"answers": ("*@clinic.example>",)}, False),
    ],
)
def test_a_rule_is_about_kinds_tables_and_people(rule: dict[str, Any], hears: bool) -> None:
    listeners = Listeners(AlertRule(channels=("team",), **rule))
    assert bool(listeners.look(incident())) is hears


def test_a_warning_is_not_for_a_rule_about_errors() -> None:
    listeners = Listeners(AlertRule(channels=("team",), severity=Severity.ERROR))
    assert listeners.look(incident(severity=Severity.WARN)) == []


def test_a_rule_that_names_no_channel_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'team'"):
        AlertSettings(channels=CHANNELS, rules=(AlertRule(channels=("teem",)),))
