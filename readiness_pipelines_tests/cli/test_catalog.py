"""The catalog on the command line: found, shown and exported before anything was delivered, and after."""

import json
from pathlib import Path

import pytest

from readiness_pipelines.cli.main import app
from readiness_pipelines.cli.output import OUT
from readiness_pipelines_tests.cli.calling import RUNNER, as_json, call
from readiness_pipelines_tests.cli.conftest import MakeProject


def printed(*arguments: str) -> str:
    return RUNNER.invoke(app, list(arguments)).stdout


def test_it_needs_no_ledger_to_find_and_shows_what_was_never_delivered(make: MakeProject) -> None:
    folder = make("order_domain()")
    found = call("catalog", "search", "refnud")  # a slip of the finger
    assert found.startswith("shop.refund_rate kpi · shop@shop.example Share of the orders that were refunded.")
    assert "next: readiness catalog show shop.refund_rate" in found
    assert as_json("catalog", "search", "order")["hits"][0]["table"] == "shop.orders"
    assert "nothing in the catalog is like 'zebra'" in call("catalog", "search", "zebra")
    assert not (folder / "warehouse" / "readiness.db").exists()
    shown = call("catalog", "show", "Shop.ORDERS")
    assert "so far nothing was delivered" in shown
    assert "read it, as soon as something is published import duckdb" in shown
    assert as_json("catalog", "show", "refund_rate")["facts"]["newest"] is None
    exported = json.loads(printed("catalog", "export"))
    assert len(exported["dcat:dataset"]) == 3
    assert "did you mean 'shop.orders'" in call("catalog", "show", "shop.order", code=2)
    assert "'shop' is a domain → readiness domain show shop" in call("catalog", "show", "shop", code=2)


def test_it_shows_what_became_of_the_batches(delivered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = call("catalog", "show", "orders")
    for said in (
        "batches 1 held, 1 partly published, 1 published",
        "rows 7 published (58.33% of 12), 5 wait",
        "really delivered 3 times",
        "held once, 1 still",
        "columns, nulls as in day_2",
        "note string internal 50.0%",
    ):
        assert said in shown
    facts = as_json("catalog", "show", "orders")["facts"]
    assert facts["months"][0]["pass_share"] == 7 / 12
    call("catalog", "export", "--out", "dcat/catalog.jsonld")
    datasets = json.loads(Path("dcat/catalog.jsonld").read_text())["dcat:dataset"]
    assert all("dct:modified" in dataset for dataset in datasets)
    monkeypatch.setattr(OUT, "width", 80)
    assert all(len(line) <= 80 for line in printed("catalog", "show", "orders").split("read it")[0].splitlines())
