"""`readiness suggest` says what it is based on, for people and for programs."""

from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.cli.calling import as_json, call
from readiness_pipelines_tests.cli.conftest import MakeProject
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import WEEKS, gated, land_week, order_domain


def test_rules_are_suggested_from_the_batches_that_ran(make: MakeProject) -> None:
    project = make("order_domain(batches=WEEKS)")
    assert "no batch of shop.orders has a profile yet" in call("suggest", "shop.orders", code=2)
    orders, installation = gated(order_domain(batches=WEEKS)), Installation.open(settings_in(project))
    for week in range(1, 11):
        land_week(project / "landing", week, amount=20)
        ingest(orders, batch=WEEKS[week - 1], installation=installation, run=Run())
        deliver(orders, batch=WEEKS[week - 1], installation=installation, run=Run())
    told = call("suggest", "shop.orders")
    assert f"over the published rows of 10 batches ({WEEKS[0]} to {WEEKS[9]})" in told
    assert "add to what the fields of the schema have (…): # " in told
    assert "amount: pa.Field(…, le=" in told  # of which the schema has ge=0
    assert "from readiness_pipelines import row_count" in told
    assert "broken by 0 of 10 batches (0.0%); 0 of 2 judged by those before them row_count(" in told
    values = as_json("suggest", "shop.orders")
    assert values["based_on"] == {"batches": 10, "first": WEEKS[0], "last": WEEKS[9]}
    rows = next(one for one in values["suggestions"] if one["column"] is None)
    assert (rows["into"], rows["broken"], rows["batches"], rows["false_alarms"]) == ("rules", 0, 10, 0)
