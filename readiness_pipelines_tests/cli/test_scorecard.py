"""The scorecard on the command line: of all, of a domain, of a product, and how it went."""

from pathlib import Path

import pytest

from readiness_pipelines.cli.main import app
from readiness_pipelines.cli.output import OUT
from readiness_pipelines_tests.cli.calling import RUNNER, as_json, call
from readiness_pipelines_tests.cli.conftest import MakeProject


def test_of_an_empty_installation_all_is_without_evidence(make: MakeProject) -> None:
    make("order_domain()")
    shown = call("scorecard")
    assert shown.startswith("all domains: stage 0 of 4 · 0 passes, 0 fails, 15 no evidence")
    assert "deliver something: readiness run" in shown
    assert {answer["verdict"] for answer in as_json("scorecard", "shop.refund_rate")["answers"]} == {"no evidence"}


def test_it_says_what_is_proved_and_is_kept_once_a_day(delivered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = call("scorecard", "SHOP")
    for said in (
        "shop: stage 1 of 4",
        "passes gates: Does a gate judge every batch on every path to production?",
        "shop.refund_rate has no SLA",
        "what to do next",
    ):
        assert said in shown
    assert "shop.orders is not a product → name a domain, or a product: shop.refund_rate" in call(
        "scorecard", "orders", code=2
    )
    assert "no scorecard was kept yet" in call("scorecard", "--history")
    call("watch")
    (day,) = as_json("scorecard", "refund_rate", "--history")["days"]
    assert day["verdicts"]["slas"] == "fails"
    assert "by day" in call("scorecard", "shop", "--history")
    monkeypatch.setattr(OUT, "width", 80)
    assert all(len(line) <= 80 for line in RUNNER.invoke(app, ["scorecard", "--keep"]).stdout.splitlines())
    assert len(as_json("scorecard", "--history")["days"]) == 1
