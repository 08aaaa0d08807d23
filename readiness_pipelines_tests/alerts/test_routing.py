"""Who is notified when: once, again while it lasts, somebody else when nobody acknowledges it, and of the end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from readiness_pipelines.alerts import AlertRule, AlertSettings, Channel, due_messages
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.ledger import (
    Finding,
    FindingKind,
    Incident,
    IncidentState,
    Message,
    NoticeKey,
    Severity,
    Silence,
)
from readiness_pipelines.names import TableId

START = datetime(2026, 1, 1, tzinfo=UTC)
CHANNELS = tuple(Channel(name=name, url_variable=f"{name.upper()}_URL") for name in ("team", "boss"))


def finding(**changes: Any) -> Finding:
    given: dict[str, Any] = {
        "kind": FindingKind.HELD,
        "severity": Severity.ERROR,
        "table": TableId("shop", "orders"),
        "batch": "day_1",
        "promised": "the batch passes its gate",
        "seen": "3 of 4 rows fail",
        "since": START - timedelta(minutes=5),
        "details": ("amount_ge: 3 rows", "status_isin: 2 rows", "order_id_unique: 1 rows", "note_isin: 1 rows"),
        "way_out": "readiness quarantine show shop.orders --batch day_1",
        "answers": "Shop team <shop@shop.example>",
        "at_risk": ("shop.refund_rate",),
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


class Channels:
    """What each channel is given, as routing decides it at each look."""

    def __init__(self, *rules: AlertRule, silences: tuple[Silence, ...] = ()) -> None:
        self.settings = AlertSettings(channels=CHANNELS, rules=rules)
        self.silences = silences
        self.given: dict[str, frozenset[NoticeKey]] = {}

    def look(self, *incidents: Incident, after: str = "0h") -> list[Message]:
        hours = float(after.removesuffix("h"))
        messages = due_messages(
            incidents, self.settings, given=self.given, silences=self.silences, now=START + timedelta(hours=hours)
        )
        for message in messages:
            self.given[message.channel] = self.given.get(message.channel, frozenset()) | set(message.notices)
        return list(messages)


def test_a_message_says_what_the_person_on_call_needs_to_know() -> None:
    (message,) = Channels(AlertRule(channels=("team",))).look(incident())
    assert message.title == "shop.refund_rate at risk: shop.orders[day_1] held"
    assert message.body == "\n".join(
        [
            "#1 shop.orders[day_1] · held · error",
            "KPI: shop.refund_rate",
            "promised: the batch passes its gate",
            "seen: 3 of 4 rows fail",
            "since: 2025-12-31 23:55 UTC (5m)",
            "who answers: Shop team <shop@shop.example>",
            "  amount_ge: 3 rows",
            "  status_isin: 2 rows",
            "  order_id_unique: 1 rows",
            "next: readiness quarantine show shop.orders --batch day_1",
        ]
    )


def test_where_no_product_is_at_risk_the_table_is() -> None:
    (message,) = Channels(AlertRule(channels=("team",))).look(incident(at_risk=()))
    assert message.title == "shop.orders at risk: shop.orders[day_1] held"
    assert "KPI:" not in message.body


def test_several_products_at_risk_are_named_once_each() -> None:
    both = (incident(1), incident(2, batch="day_2", at_risk=("shop.refund_rate", "finance.revenue")))
    (message,) = Channels(AlertRule(channels=("team",))).look(*both)
    assert message.title == "shop.refund_rate, finance.revenue at risk: 2 incidents"
    assert "KPI: shop.refund_rate, finance.revenue" in message.body


def test_a_change_of_state_is_announced_once_in_one_message() -> None:
    channels = Channels(AlertRule(channels=("team",)), AlertRule(channels=("team",), severity=Severity.ERROR))
    both = (incident(1), incident(2, batch="day_2"))
    (message,) = channels.look(*both)
    assert message.title == "shop.refund_rate at risk: 2 incidents"
    assert channels.look(*both, after="1h") == []


def test_what_gets_worse_is_announced_again() -> None:
    channels = Channels(AlertRule(channels=("team",)))
    assert len(channels.look(incident(severity=Severity.WARN))) == 1
    assert len(channels.look(incident(severity=Severity.ERROR), after="1h")) == 1
    assert channels.look(incident(severity=Severity.WARN), after="2h") == []


def test_what_lasts_is_repeated_until_somebody_acknowledges_it() -> None:
    channels = Channels(AlertRule(channels=("team",), repeat_after="4h"))
    notified = [len(channels.look(incident(), after=f"{hour}h")) for hour in range(10)]
    assert notified == [1, 0, 0, 0, 1, 0, 0, 0, 1, 0]
    assert channels.look(incident(state="acknowledged"), after="12h") == []


def test_what_nobody_acknowledges_is_escalated_once() -> None:
    channels = Channels(AlertRule(channels=("team",), escalate_after="2h", escalate_to=("boss",)))
    notified = [[message.channel for message in channels.look(incident(), after=f"{hour}h")] for hour in range(5)]
    assert notified == [["team"], [], ["boss"], [], []]
    channels = Channels(AlertRule(channels=("team",), escalate_after="2h", escalate_to=("boss",)))
    channels.look(incident())
    assert channels.look(incident(state="acknowledged"), after="3h") == []


def test_the_end_is_announced_where_the_beginning_was() -> None:
    channels = Channels(AlertRule(channels=("team",), escalate_after="2h", escalate_to=("boss",)))
    channels.look(incident())
    over = incident(state="resolved", resolved_at=START + timedelta(hours=1))
    (message,) = channels.look(over, after="1h")
    assert (message.channel, message.title) == ("team", "shop.refund_rate: shop.orders[day_1] held resolved")
    assert channels.look(over, after="2h") == []
    assert Channels(AlertRule(channels=("team",))).look(over, after="1h") == []


def test_a_silence_is_kept_and_what_still_lasts_is_announced_afterwards() -> None:
    silence = Silence(
        id=1, tables="shop.*", begins_at=START, ends_at=START + timedelta(hours=2), who="ana", why="migration"
    )
    channels = Channels(AlertRule(channels=("team",)), silences=(silence,))
    assert channels.look(incident(), after="1h") == []
    assert len(channels.look(incident(table=TableId("other", "orders"), number=2), after="1h")) == 1
    assert len(channels.look(incident(), after="2h")) == 1


@pytest.mark.parametrize(
    ("rule", "matches"),
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
def test_a_rule_is_about_kinds_tables_and_people(rule: dict[str, Any], matches: bool) -> None:
    channels = Channels(AlertRule(channels=("team",), **rule))
    assert bool(channels.look(incident())) is matches


def test_a_warning_is_not_for_a_rule_about_errors() -> None:
    channels = Channels(AlertRule(channels=("team",), severity=Severity.ERROR))
    assert channels.look(incident(severity=Severity.WARN)) == []


def test_a_rule_that_names_no_channel_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'team'"):
        AlertSettings(channels=CHANNELS, rules=(AlertRule(channels=("teem",)),))


@pytest.mark.parametrize(
    "rule", [{"repeat_after": "0s"}, {"repeat_after": -60}, {"escalate_after": "0s", "escalate_to": ("boss",)}]
)
def test_a_rule_that_waits_for_no_time_is_refused_with_how_never_is_written(rule: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match="out for never"):
        AlertRule(channels=("team",), **rule)
