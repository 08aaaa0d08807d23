"""`readiness audit verify` on a real installation: it holds after deliveries, and says where it does not."""

from pathlib import Path

from sqlalchemy import create_engine, text

from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.cli.calling import as_json, call


def test_what_was_delivered_and_decided_is_as_it_was_written_until_somebody_rewrites_it(delivered: Path) -> None:
    del delivered
    call("quarantine", "discard", "shop.orders", "--batch", "day_3", "--all", "--reason", "a test")
    found = as_json("audit", "verify")
    assert found["problems"] == []
    assert found["anchors"] > 0
    assert {chain["table"]: chain["rows"] for chain in found["chains"]}["ledger_decisions"] == 1
    assert "the trail is as it was written" in call("audit", "verify")
    engine = create_engine(Settings().ledger_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER ledger_decisions_no_update"))
        connection.execute(text("UPDATE ledger_decisions SET who = 'nobody'"))
    engine.dispose()
    shown = call("audit", "verify", code=1)
    assert "ledger_decisions is broken at row 1: it was changed" in shown
    assert "ledger_decisions_no_update are not there" in shown
