"""Whoever has an incident or a held batch before them reads the table's own runbook, and who is on call now."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from readiness_pipelines_tests.alerts.endpoint import listening
from readiness_pipelines_tests.cli.calling import as_json, call
from readiness_pipelines_tests.cli.conftest import MakeProject


def shift(who: str) -> str:
    now = datetime.now(UTC)
    begin, end = (f"{at:%Y%m%dT%H%M%SZ}" for at in (now - timedelta(hours=1), now + timedelta(hours=1)))
    return (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\n"
        f"DTSTART:{begin}\nDTEND:{end}\nSUMMARY:{who}\nEND:VEVENT\nEND:VCALENDAR\n"
    )


def test_alert_incident_batch_history_and_report_say_who_is_on_call_and_what_to_do(
    make: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make("order_domain()")
    (folder / "oncall.ics").write_text(shift("Ana"))
    (folder / "orders.md").write_text("# Orders at night\n\nCall the till: [extension 7](tel:7).\n")
    module = next(folder.glob("order_project_*.py"))
    module.write_text(
        module.read_text()
        + "\nfrom pathlib import Path\nfrom dataclasses import replace\n"
        + "from readiness_pipelines import OnCallCalendar\n"
        + "from readiness_pipelines.contracts.runbooks import read_runbook\n"
        + f"domain.on_call_calendar = OnCallCalendar({str(folder / 'oncall.ics')!r})\n"
        + f"book = read_runbook('orders', Path({str(folder / 'orders.md')!r}), folder=Path())\n"
        + "object.__setattr__(domain.table('orders'), 'runbook', book)\n"
    )
    (folder / "readiness.toml").write_text(
        '[[alerts.channels]]\nname = "pager"\nurl_variable = "PAGER"\n[[alerts.rules]]\nchannels = ["pager"]\n'
    )
    call("run")
    with listening() as endpoint:
        monkeypatch.setenv("PAGER", endpoint.url)
        call("watch")
        (message,) = {one["message"] for one in endpoint.received}
    on_call, runbook = "on call: Ana until ", f"runbook: Orders at night ({folder / 'orders.md'}); docs/runbook.md"
    shown = [
        message,
        call("incidents", "show", "1"),
        call("quarantine", "show", "--batch", "day_3"),
        call("history", "--batch", "day_3"),
    ]
    for text in shown:
        assert on_call in text
        assert runbook in text
    for text in shown[1:3]:
        assert "Call the till: [extension 7](tel:7)." in text
    for value in (as_json("incidents", "show", "1"), as_json("quarantine", "show", "--batch", "day_3")):
        assert value["on_call"]["who"] == ["Ana"]
        assert value["runbook"]["text"].startswith("# Orders at night")
    call("report")
    call("open", "--no-browser", "--batch", "day_3")
    for page in {*Path(folder, "data", "reports").rglob("*.html")} - {Path(folder, "data", "reports", "index.html")}:
        assert "Orders at night" in page.read_text()
        assert "Ana until" in page.read_text()
    module.write_text("import nothing_like_it\n")
    sys.modules.pop(module.stem)
    broken = call("incidents", "show", "1")  # what the ledger knows is shown all the same
    assert "who answers: Shop team" in broken
    assert "on call" not in broken
