"""Alerts for real: a batch is held, a channel is down for a while, and every alert arrives once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from readiness_pipelines import Freshness
from readiness_pipelines.alerts import AlertRule, AlertSettings, Channel, Look, load_alerts, watch
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.errors import DeclarationError, FileUnreadableError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import IncidentState
from readiness_pipelines_tests.alerts.endpoint import listening
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, gated, land, order_domain

SHOP = order_domain()
ORDERS = gated(SHOP)
START = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = AlertSettings(
    channels=(Channel(name="oncall", url_variable="ONCALL_URL"),), rules=(AlertRule(channels=("oncall",)),)
)


def bring(installation: Installation, batch: str, *rows: str) -> None:
    run = Run(who="night", clock=lambda: START)
    land(installation.landing.path, batch, *rows)
    ingest(ORDERS, batch=batch, installation=installation, run=run)
    deliver(ORDERS, batch=batch, installation=installation, run=run)


def look(installation: Installation, minutes: float, settings: AlertSettings = SETTINGS) -> Look:
    return watch([SHOP], settings, installation=installation, clock=lambda: START + timedelta(minutes=minutes))


def test_every_alert_arrives_once_though_the_channel_is_down_for_a_while(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as endpoint:
        monkeypatch.setenv("ONCALL_URL", endpoint.url)
        endpoint.down = True
        bring(installation, "day_1", *MOSTLY_BAD)
        assert look(installation, 1).sent.errors == ("oncall: the channel did not take it",)
        bring(installation, "day_2", *MOSTLY_BAD)
        bring(installation, "day_1", *GOOD)
        look(installation, 2)
        waiting = installation.ledger.incidents.messages(unsent=True)
        assert [(m.error is not None, m.tries) for m in waiting] == [(True, 2), (False, 0)]
        assert endpoint.received == []
        endpoint.down = False
        for minute in range(3, 200, 10):
            look(installation, minute)
        assert endpoint.titles == [
            "shop.refund_rate at risk: shop.orders[day_1] held",
            "shop.refund_rate at risk: 2 incidents",
        ]
        body = endpoint.received[1]["message"]
        assert "#2 shop.orders[day_2] · held" in body
        assert "#1 shop.orders[day_1] · held · resolved" in body
    assert installation.ledger.incidents.messages(unsent=True) == ()
    first, second = installation.ledger.incidents.incidents()
    assert (first.state, second.state) == (IncidentState.RESOLVED, IncidentState.OPEN)
    assert second.time_to_notify is not None


def test_a_channel_without_an_address_loses_nothing_and_says_which_variable(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ONCALL_URL", raising=False)
    bring(installation, "day_1", *MOSTLY_BAD)
    assert look(installation, 1).sent.errors == ("oncall: channel 'oncall' has no address: ONCALL_URL is not set",)
    with listening() as endpoint:
        monkeypatch.setenv("ONCALL_URL", endpoint.url)
        assert look(installation, 10).sent.sent == 1
        assert endpoint.titles == ["shop.refund_rate at risk: shop.orders[day_1] held"]


def test_no_secret_of_a_channel_is_kept(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCALL_URL", "json://user:swordfish@127.0.0.1:1/hook")
    bring(installation, "day_1", *MOSTLY_BAD)
    assert "swordfish" not in str(look(installation, 1))
    assert "swordfish" not in str(installation.ledger.incidents.messages())


def test_a_broken_delivery_differs_from_a_held_batch_and_is_over_when_it_works(installation: Installation) -> None:
    file = land(installation.landing.path, "day_1", *GOOD)
    file.write_bytes(b"order_id,amount\xff\xfe\x00")
    with pytest.raises(FileUnreadableError):
        ingest(ORDERS, batch="day_1", installation=installation, run=Run(clock=lambda: START))
    look(installation, 1)
    (incident,) = installation.ledger.incidents.incidents(active=True)
    assert (incident.finding.kind, incident.finding.table) == ("broken", ("shop", "orders"))
    assert incident.finding.way_out == "readiness run shop.orders --batch day_1"
    bring(installation, "day_1", *GOOD)
    look(installation, 2)
    assert installation.ledger.incidents.incidents(active=True) == ()


def test_settings_come_from_a_file_and_wrong_ones_are_refused_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "readiness.toml"
    assert load_alerts(file) == AlertSettings()
    file.write_text(
        '[[alerts.channels]]\nname = "oncall"\nurl_variable = "ONCALL_URL"\n'
        '[[alerts.rules]]\nchannels = ["oncall"]\nrepeat_after = "4h"\n'
    )
    assert load_alerts(file).rules[0].repeat_after == timedelta(hours=4)
    file.write_text('[[alerts.rules]]\nchanels = ["oncall"]\n')
    with pytest.raises(UnknownNameError, match="did you mean 'channels'"):
        load_alerts(file)
    file.write_text('[[alerts.channels]]\nname = "x"\n')
    with pytest.raises(DeclarationError, match="url_variable is missing") as refused:
        load_alerts(file)
    assert "pydantic" not in str(refused.value)
    file.write_text("alerts = 3\n")
    with pytest.raises(DeclarationError, match="is not a table but 3"):
        load_alerts(file)
    file.write_text("[alerts")
    with pytest.raises(DeclarationError, match="is not valid TOML"):
        load_alerts(file)


def test_one_look_is_at_the_tables_of_all_domains_and_says_which_changed(installation: Installation) -> None:
    promise = Freshness(warn_after="1h", fail_after="2h")
    shop, other = order_domain(freshness=promise), order_domain("other", freshness=promise)
    first = watch([shop, other], AlertSettings(), installation=installation, clock=lambda: START)
    assert {str(table) for table in first.freshness} == {"shop.orders", "other.orders"}
    bring(installation, "day_1", *GOOD)
    later = watch([shop, other], AlertSettings(), installation=installation, clock=lambda: START)
    assert later.changed == {ORDERS.id}
    assert later.freshness[ORDERS.id].state == "fresh"
