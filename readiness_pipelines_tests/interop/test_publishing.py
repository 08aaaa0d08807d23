"""Consumers hear of a contract that changes so that they break: each on its own channel, and nobody else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain
from readiness_pipelines.alerts import AlertRule, AlertSettings, Channel, Look, watch
from readiness_pipelines.installation import Installation
from readiness_pipelines.interop.odcs.publishing import publish_contracts
from readiness_pipelines.ledger import IncidentState
from readiness_pipelines_tests.alerts.endpoint import listening
from readiness_pipelines_tests.databases import Kind
from readiness_pipelines_tests.samples import Order, order_domain

START = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Cents(pa.DataFrameModel):
    """Orders whose amount is another column."""

    order_id: arrow.int64() = pa.Field(unique=True)
    cents: arrow.int64() = pa.Field(ge=0)
    status: arrow.string() = pa.Field(isin=["paid", "refunded"])
    note: arrow.string() = pa.Field(nullable=True)


def shop(schema: Any = Order) -> Domain:
    domain = order_domain(schema=schema)
    orders = domain.table("orders")
    domain.consumer("finance", contact="finance@shop.example", table=orders, columns=["amount"], notice="30d")
    domain.consumer("letters", contact="letters@shop.example", table=orders, columns=["status"])
    return domain


def look(domain: Domain, installation: Installation, at: datetime, settings: AlertSettings) -> Look:
    publish_contracts([domain], installation=installation, now=at)
    return watch([domain], settings, installation=installation, clock=lambda: at)


def test_a_consumer_that_breaks_hears_of_it_once_and_others_do_not(
    database: Kind, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = AlertSettings(
        channels=(Channel(name="finance", url_variable="FINANCE"), Channel(name="letters", url_variable="LETTERS")),
        rules=(
            AlertRule(channels=("finance",), kinds=("contract",), answers=("finance@*",)),
            AlertRule(channels=("letters",), kinds=("contract",), answers=("letters@*",)),
        ),
    )
    with listening() as finance, listening() as letters:
        monkeypatch.setenv("FINANCE", finance.url)
        monkeypatch.setenv("LETTERS", letters.url)
        assert look(shop(), installation, START, settings).events == ()
        changed = START + timedelta(hours=1)
        for minutes in (0, 1, 30):
            look(shop(Cents), installation, changed + timedelta(minutes=minutes), settings)
        assert (len(finance.received), len(letters.received)) == (1, 0)
        body = finance.received[0]["message"]
        assert "promised: what finance relies on" in body
        assert "column amount is " in body
        assert "next: readiness contract check shop.orders" in body
    assert [one.version for one in installation.ledger.contracts.of(shop().table("orders").id)] != []
    over = look(shop(Cents), installation, changed + timedelta(days=8), AlertSettings())
    assert [event.what for event in over.events] == ["resolved"]


def test_an_announced_change_is_a_warning_until_its_day_and_no_alarm_when_it_comes(installation: Installation) -> None:
    def announced(schema: Any = Order) -> Domain:
        domain = shop(schema)
        orders = domain.table("orders")
        day = (START + timedelta(days=40)).date()
        domain.announce(orders, "column amount", announced=START.date(), effective=day, why="read cents")
        domain.announce(orders, "rule amount_greater_than_or_equal_to", announced=START.date(), effective=day, why="as")
        return domain

    look(shop(), installation, START - timedelta(hours=1), AlertSettings())
    look(announced(), installation, START, AlertSettings())
    (warned,) = installation.ledger.incidents.incidents(active=True)
    assert warned.finding.seen == "column amount: will change: read cents, from 2027-01-08 on, and 1 more"
    assert (warned.finding.answers, warned.finding.severity.value) == ("finance@shop.example", "warn")
    later = START + timedelta(days=41)
    look(announced(Cents), installation, later, AlertSettings())
    (came,) = [one for one in installation.ledger.incidents.incidents() if one.state is not IncidentState.RESOLVED]
    assert (came.finding.severity.value, "as announced" in came.finding.seen) == ("warn", True)


def test_a_contract_that_stays_is_kept_once(installation: Installation) -> None:
    assert len(publish_contracts([shop()], installation=installation, now=START)) == 3
    assert publish_contracts([shop()], installation=installation, now=START + timedelta(days=1)) == ()
    assert len(installation.ledger.contracts.of(shop().table("orders").id)) == 1
