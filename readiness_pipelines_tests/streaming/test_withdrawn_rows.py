"""Rows that were visible and that a seal withdraws are told to whoever may have acted on them: once, and only then."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.alerts import AlertRule, AlertSettings, Channel, watch
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.cli.unusual import unusual_of
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.decisions import Waiver
from readiness_pipelines.delivery import decide, deliver, ingest, reconcile
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.ledger import Finding, FindingKind, Ledger
from readiness_pipelines.overview import inbox, observe, today
from readiness_pipelines_tests.alerts.endpoint import listening
from readiness_pipelines_tests.brokers import Broker, broker
from readiness_pipelines_tests.streaming.payments import (
    START,
    TOPIC,
    WINDOW,
    Clock,
    payment,
    payments_domain,
    payments_table,
    read_until,
    rows_of,
)

SETTINGS = AlertSettings(
    channels=(Channel(name="oncall", url_variable="ONCALL_URL"),),
    rules=(AlertRule(channels=("oncall",), kinds=(FindingKind.WITHDRAWN,)),),
)
REF = BatchRef(payments_table(payments_domain()).id, WINDOW)


class Killed(BaseException):
    """Stands for the end of a process."""


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    with broker("noida", tmp_path / "broker") as one:
        one.make_topic(TOPIC, 1)
        yield one


def read(table: GatedTable, noida: Broker, installation: Installation, run: Run, values: list[bytes]) -> None:
    noida.send(TOPIC, values)
    read_until(table, noida, installation, records=len(values), run=run)


def seal(table: GatedTable, installation: Installation, run: Run) -> BatchState:
    ingest(table, batch=WINDOW, installation=installation, run=run)
    return deliver(table, batch=WINDOW, installation=installation, run=run).state


def told(table: GatedTable, installation: Installation, clock: Clock) -> list[Finding]:
    found = observe([table], installation=installation, now=clock.now).findings
    return [one for one in found if one.kind is FindingKind.WITHDRAWN]


def kill_at(monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """End the next delivery after it announced, or after it committed what is published."""
    where: Any = Lakehouse if point == "announced" else Ledger
    name = "replace" if point == "announced" else "record"
    goes_on = getattr(where, name)

    def ends(self: object, first: Any, *args: Any, **named: Any) -> object:
        if REF.table in (first, getattr(getattr(first, "ref", None), "table", None)):
            raise Killed
        return goes_on(self, first, *args, **named)

    monkeypatch.setattr(where, name, ends)


def test_withdrawn_rows_are_an_alert_that_says_how_many_of_how_many_why_and_where_they_wait_and_is_sent_once(
    noida: Broker, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain, clock = payments_domain(), Clock()
    table, run = payments_table(domain), Run(clock=clock)
    read(table, noida, installation, run, [payment(number) for number in range(40)])
    read(table, noida, installation, run, [payment(7)])
    clock.now = START + timedelta(hours=1)
    assert told(table, installation, clock) == []
    assert seal(table, installation, run) is BatchState.PARTLY_PUBLISHED
    (finding,) = told(table, installation, clock)
    why = "2 of 41 rows that were visible were withdrawn by the seal: payment_id_unique (2 rows)"
    assert (finding.table, finding.batch, finding.seen) == (*REF, why)
    assert finding.details == ("partition/offset: 0/7, 0/40",)
    assert finding.way_out == f"readiness quarantine show bank.payments --batch {WINDOW}"
    assert finding.at_risk == ()  # nothing was made of it while it was open
    assert [one.seen for one in unusual_of([table], installation=installation, now=clock.now)] == [why]
    (item,) = inbox([table], installation=installation)
    assert (item.withdrawn, item.held) == (2, False)
    seen = today([domain], installation=installation, now=clock.now, publications={}, values={})
    assert [one.seen for one in seen.others if one.kind is FindingKind.WITHDRAWN] == [why]

    def look(**later: float) -> list[str]:
        clock.now += timedelta(**later)
        watch([domain], SETTINGS, installation=installation, clock=clock)
        return endpoint.titles

    with listening() as endpoint:
        monkeypatch.setenv("ONCALL_URL", endpoint.url)
        opening = [f"bank.payments at risk: bank.payments[{WINDOW}] withdrawn"]
        assert look() == look(minutes=1) == opening
        deliver(table, batch=WINDOW, installation=installation, run=run)  # a replay takes nothing back
        assert look(minutes=1) == opening
        (incident,) = (
            one
            for one in installation.ledger.incidents.incidents(active=True)
            if one.finding.kind is FindingKind.WITHDRAWN
        )
        installation.ledger.incidents.resolve(incident.id, who="ann", why="the desk called", at=clock.now)
        over = [*opening, f"bank.payments: bank.payments[{WINDOW}] withdrawn resolved"]
        assert look(hours=1) == look(hours=30) == over  # what was closed stays so
    assert told(table, installation, clock)
    clock.now += timedelta(days=7)
    assert told(table, installation, clock) == []


def test_a_held_window_tells_that_all_its_rows_were_withdrawn_until_they_are_published_again(
    noida: Broker, installation: Installation
) -> None:
    table, clock = payments_table(payments_domain(ratio=0.1)), Clock()
    run = Run(clock=clock)
    read(table, noida, installation, run, [payment(row, amount=-1 if row < 5 else 1) for row in range(20)])
    clock.now = START + timedelta(hours=1)
    assert seal(table, installation, run) is BatchState.HELD
    (finding,) = told(table, installation, clock)
    assert finding.seen.startswith(
        "15 of 15 rows that were visible were withdrawn by the seal: the window is held: 5 of"
    )
    assert finding.details == (f"partition/offset: {', '.join(f'0/{row}' for row in range(5, 15))} and 5 more",)
    (item,) = inbox([table], installation=installation)
    assert (item.withdrawn, item.held) == (15, True)
    decide(table, Waiver(rule="tolerance"), batch=WINDOW, why="a test", installation=installation, run=run)
    assert deliver(table, batch=WINDOW, installation=installation, run=run).state is BatchState.PARTLY_PUBLISHED
    assert told(table, installation, clock) == []


@pytest.mark.parametrize("point", ["announced", "committed"])
def test_a_seal_that_is_killed_and_done_again_tells_it_once(
    noida: Broker, installation: Installation, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    domain, clock = payments_domain(), Clock()
    table, run = payments_table(domain), Run(clock=clock)
    read(table, noida, installation, run, [*(payment(row) for row in range(10)), payment(3)])
    clock.now = START + timedelta(hours=1)
    with monkeypatch.context() as patched:
        kill_at(patched, point)
        with pytest.raises(Killed):
            seal(table, installation, run)
    assert len(rows_of(installation, table.id, "_row")) == (11 if point == "announced" else 9)
    assert told(table, installation, clock) == []  # it has not come to its end
    began = clock.now
    clock.now += timedelta(minutes=5)
    assert seal(table, installation, run) is BatchState.PARTLY_PUBLISHED
    (finding,) = told(table, installation, clock)
    assert finding.seen.startswith("2 of 11 rows")
    assert finding.since == began
    *_, last = (one for one in installation.ledger.trail(ref=REF) if one.attempt)
    assert last.details["withdrawn"] == {"rows": 2, "visible": 11, "first": ["0/3", "0/10"]}
    events = watch([domain], SETTINGS, installation=installation, clock=clock).events
    assert [one.why for one in events if "withdrawn" in (one.why or "")] == [finding.seen]
    assert reconcile([domain], installation=installation).problems == ()


def test_what_was_announced_by_a_seal_that_was_killed_and_did_not_happen_is_not_told(
    noida: Broker, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    table, run = payments_table(payments_domain()), Run(clock=clock)
    read(table, noida, installation, run, [*(payment(row) for row in range(10)), payment(3)])
    clock.now = START + timedelta(hours=1)
    with monkeypatch.context() as patched:
        kill_at(patched, "announced")
        with pytest.raises(Killed):
            seal(table, installation, run)
    decide(table, Waiver(rule="payment_id_unique"), batch=WINDOW, why="paid twice", installation=installation, run=run)
    assert seal(table, installation, run) is BatchState.PUBLISHED
    assert installation.ledger.findings.of(batch=REF) == ()
    assert told(table, installation, clock) == []
    watch([payments_domain()], SETTINGS, installation=installation, clock=clock)
    kinds = [one.finding.kind for one in installation.ledger.incidents.incidents()]
    assert FindingKind.WITHDRAWN not in kinds
