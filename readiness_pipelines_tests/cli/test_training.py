"""Training sets on the command line: built, shown by id, and written without what must not leave."""

import json
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq

from readiness_pipelines_tests.cli.calling import as_json, call
from readiness_pipelines_tests.cli.conftest import MakeProject

PAGE = """
from readiness_pipelines_tests.samples import Order


def declare():
    shop = order_domain()

    @shop.features(entity="order_id", schema=Order, synonyms="baskets", classified={"amount": "pii.quasi"})
    def order_features(orders):
        return orders

    shop.training_set(
        "refunds", labels=shop.table("orders"), label="status", features={order_features: ["amount"]}, at=order_features
    )
    return shop
"""


def test_a_set_is_built_shown_by_its_id_and_written_beside_its_description(make: MakeProject) -> None:
    folder = make("order_domain()")
    module = next(folder.glob("order_project_*.py"))
    text = module.read_text()
    module.write_text(text.replace("domain = order_domain()", f"{PAGE}\ndomain = declare()"))
    assert "nothing of the labels of shop.refunds is published" in call("training", "build", "refunds", code=2)
    call("run")
    assert "shop.order_features features" in call("catalog", "search", "baskets")
    assert "about order_id, version 1" in call("catalog", "show", "order_features")
    assert "readiness training build shop.refunds" in call("training", "show", "refunds", code=2)
    built = as_json("training", "build", "refunds")
    counts = built["counts"]
    assert counts["labels"] == counts["trained"] + sum(counts["waiting"].values()) + sum(counts["excluded"].values())
    assert as_json("training", "build", "refunds")["id"] == built["id"]
    said = call("training", "show", built["id"][:12], "--export", "out")
    assert "without amount: it is pii.quasi, and nothing protects it" in said
    rows = Path("out/rows.parquet")
    assert pq.read_schema(rows).names == ["order_id", "status", "_split"]
    described = json.loads(Path("out/croissant.json").read_text())
    assert described["distribution"][0]["sha256"] == sha256(rows.read_bytes()).hexdigest()
    assert [one["name"] for one in described["recordSet"][0]["field"]] == ["order_id", "status", "_split"]
    assert as_json("training", "list")[0]["builds"] == [built["id"]]
    assert "did you mean 'shop.refunds'" in call("training", "build", "refund", code=2)
