"""Watching on the command line: look, take, close, silence."""

from pathlib import Path

import pytest

from readiness_pipelines_tests.alerts.endpoint import listening
from readiness_pipelines_tests.cli.calling import as_json, call

ALERTS = """
[[alerts.channels]]
name = "oncall"
url_variable = "ONCALL_URL"
[[alerts.rules]]
channels = ["oncall"]
"""


def test_a_held_batch_is_an_incident_that_somebody_takes_and_closes(delivered: Path) -> None:
    assert call("incidents", "list") == "no incident is open"
    seen = as_json("watch")
    assert [(event["incident"], event["what"]) for event in seen["events"]] == [(1, "opened")]
    assert as_json("watch")["events"] == []
    (incident,) = as_json("incidents", "list")["incidents"]
    assert (incident["kind"], incident["batch"], incident["state"]) == ("held", "day_3", "open")
    assert incident["next"] == "readiness quarantine show shop.orders --batch day_3"
    assert incident["answers"] == "Shop team <shop@shop.example>"
    assert "shop.orders[day_3]" in call("watch")
    assert "#1 is yours" in call("incidents", "ack", "1")
    shown = call("incidents", "show", "1")
    assert "KPI: shop.refund_rate promised: the batch passes its gate seen: 3 of 4 rows (75.00%) fail" in shown
    assert "acknowledged" in shown
    call("incidents", "resolve", "1", "--reason", "test data")
    assert call("incidents", "list") == "no incident is open"
    assert [one["state"] for one in as_json("incidents", "list", "--all")["incidents"]] == ["resolved"]


def test_a_message_that_no_channel_takes_is_visible(delivered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (delivered / "readiness.toml").write_text(ALERTS)
    monkeypatch.delenv("ONCALL_URL", raising=False)
    assert "not sent oncall: channel 'oncall' has no address: ONCALL_URL is not set" in call("watch")
    assert "waits for oncall: shop.refund_rate at risk: shop.orders[day_3] held" in call("incidents", "list")


def test_a_silence_keeps_a_channel_quiet(delivered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (delivered / "readiness.toml").write_text(ALERTS)
    call("incidents", "silence", "shop.*", "--for", "1h", "--reason", "migration")
    with listening() as endpoint:
        monkeypatch.setenv("ONCALL_URL", endpoint.url)
        assert as_json("watch")["messages"] == 0
        assert endpoint.received == []


def test_wrong_input_is_refused_with_the_way_out(delivered: Path) -> None:
    assert "unknown incident '7'" in call("incidents", "ack", "7", code=2)
    assert "is not a duration → write '26h'" in call(
        "incidents", "silence", "x", "--for", "soon", "--reason", "r", code=2
    )
    assert "is not a duration" in call("incidents", "silence", "x", "--for", "9999999d", "--reason", "r", code=2)
    (delivered / "readiness.toml").write_text(ALERTS.replace("channels = [", "chanels = ["))
    assert "did you mean 'channels'?" in call("watch", code=2)
