"""Feature views on the command line: listed, looked up, checked, refreshed, and written for Feast."""

import sqlite3
from pathlib import Path

import pyarrow.parquet as pq

from readiness_pipelines_tests.cli.calling import as_json, call
from readiness_pipelines_tests.cli.conftest import MakeProject

PAGE = """
from readiness_pipelines_tests.samples import Order


def declare():
    shop = order_domain()

    @shop.features(
        entity="order_id", schema=Order, classified={"amount": "pii.quasi"}, online=True, ttl="100d", per_record=True
    )
    def baskets(orders):
        return orders

    return shop
"""


def test_a_view_is_looked_up_checked_refreshed_and_written_for_feast(make: MakeProject) -> None:
    folder = make("order_domain()")
    module = next(folder.glob("order_project_*.py"))
    text = module.read_text()
    module.write_text(text.replace("domain = order_domain()", f"{PAGE}\ndomain = declare()"))
    assert "no latest values of shop.baskets are kept yet" in call("features", "get", "baskets", "1", code=2)
    call("run")
    (listed,) = as_json("features", "list")
    assert (listed["name"], listed["entity"], listed["stale_batches"]) == ("shop.baskets", ["order_id"], 0)
    assert listed["keys"] > 0
    shown = call("features", "show", "baskets")
    assert "without amount: it is pii.quasi, and nothing protects it" in shown
    assert "for one record: yes, as declared; never compared with a batch" in shown
    with sqlite3.connect("warehouse/readiness.db") as database:
        ((key,),) = database.execute("SELECT key FROM ledger_online_values ORDER BY key LIMIT 1").fetchall()
    order = key.strip("[]")
    found = as_json("features", "get", "shop.baskets", f"order_id={order}")
    assert found["status"] == "known"
    assert "amount" not in found["values"]
    assert "known, known since" in call("features", "get", "baskets", order)
    assert as_json("features", "get", "baskets", "999999", code=1)["status"] == "unknown"
    assert "the key's order_id cannot be read as integer" in call("features", "get", "baskets", "x", code=2)
    assert "all equal" in call("features", "check")
    assert "were equal" in call("features", "show", "baskets")
    with sqlite3.connect("warehouse/readiness.db") as database:
        database.execute("DELETE FROM ledger_online_values WHERE key = ?", (key,))
    assert "1 missing, 0 too many, 0 with other values" in call("features", "check", "baskets", code=1)
    assert as_json("features", "refresh")["refreshed"]["shop.baskets"]["changed"] == 1
    assert as_json("features", "check")[0]["equal"] is True

    written = as_json("features", "export", "--feast", "feast")
    assert written["views"]["shop.baskets"]["left_out"] == {"amount": "pii.quasi"}
    names = pq.read_schema("feast/shop_baskets.parquet").names
    assert names[0] == "order_id" and names[-2:] == ["event_timestamp", "created_timestamp"]  # noqa: PT018
    assert "amount" not in names
    compile(Path("feast/feature_repo.py").read_text(), "feature_repo.py", "exec")
    assert "did you mean 'shop.baskets'" in call("features", "show", "basket", code=2)
