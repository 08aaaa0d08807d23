"""What waits can be looked at: batches in order, rows with what they break, whatever their columns are called."""

from pathlib import Path

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.errors import LedgerError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import broken_rules, judged_rules, quarantine_rows, waiting_batches, waiting_record
from readiness_pipelines_tests.overview.delivering import bring
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, Order, gated, order_domain

SHOP = order_domain()
ORDERS = gated(SHOP)
AMOUNT = "amount_greater_than_or_equal_to"


def test_batches_wait_held_first_and_from_old_to_new(installation: Installation) -> None:
    for batch, rows in (("day_3", MOSTLY_BAD), ("day_2", ONE_BAD), ("day_1", ONE_BAD)):
        bring(SHOP, installation, batch, rows)
    waiting = waiting_batches(SHOP.tables, installation=installation)
    assert [record.ref.batch for record in waiting] == ["day_3", "day_1", "day_2"]


def test_rows_are_shown_with_what_they_break(installation: Installation) -> None:
    bring(SHOP, installation, "day_1", MOSTLY_BAD)
    rows = quarantine_rows(ORDERS, batch="day_1", rule=None, limit=None, installation=installation)
    assert rows.column_names == ["_row", "order_id", "amount", "status", "note", "broken"]
    assert [row["broken"] for row in rows.to_pylist()] == ["amount_dtype", AMOUNT, "status_isin", ""]
    only = quarantine_rows(ORDERS, batch="day_1", rule="status_isin", limit=5, installation=installation)
    assert only.column("_row").to_pylist() == [2]
    with pytest.raises(UnknownNameError, match="did you mean 'status_isin'"):
        quarantine_rows(ORDERS, batch="day_1", rule="status_in", limit=5, installation=installation)
    broken = judged_rules(ORDERS, batch="day_1", installation=installation)
    assert {count.rule.name for count in broken} >= {"amount_dtype", "status_isin"}


def test_a_batch_keeps_the_rules_that_it_broke_where_the_code_has_another_gate_by_now(
    installation: Installation,
) -> None:
    bring(SHOP, installation, "day_1", ONE_BAD)
    record = waiting_record(ORDERS, batch="day_1", installation=installation)
    now, then = broken_rules(ORDERS, record, installation=installation)
    assert (then, [count.rule.name for count in now]) == ("", ["amount_greater_than_or_equal_to"])
    loose = type("Loose", (Order,), {"__annotations__": {"amount": arrow.float64()}, "amount": pa.Field()})
    changed = gated(order_domain(schema=loose))
    assert judged_rules(changed, batch="day_1", installation=installation) == ()
    (count,), then = broken_rules(changed, record, installation=installation)
    assert then == record.gate_version
    assert (count.rule.name, count.rule.columns, count.rule.route, count.broken_rows) == (
        "amount_greater_than_or_equal_to",
        ("amount",),
        "quarantine",
        1,
    )
    assert [(sample["_row"], sample["amount"]) for sample in count.samples] == [(1, "-20")]


def test_what_an_unreadable_row_quotes_is_no_reason_of_a_rule(installation: Installation) -> None:
    twice = '{"order_id": 1, "amount": 1, "status": "paid", "note": {"ann@x.example": 1, "ann@x.example": 2}}'

    once = '{"order_id": 2, "amount": 1, "status": "paid", "note": null, "paid_by": null}'

    def orders(name: str) -> GatedTable:
        shop = Domain("shop", owner="a@b.example")
        source = Source(origin="x", steward=Steward("a", "b"), reader=FileDrop("{batch}.jsonl"))
        column = {name: pa.Field(nullable=True)}
        schema = type("Wider", (Order,), {"__annotations__": {name: arrow.string()}, **column})
        batches = StaticBatches(keys=("day_1",))
        return shop.gated("orders", schema=schema, batches=batches, source=source, classified={"note": "pii.direct"})

    first = orders("paid_by")
    Path(installation.landing.path, "day_1.jsonl").write_text(f"{twice}\n{once}\n")
    ingest(first, batch="day_1", installation=installation, run=Run())
    deliver(first, batch="day_1", installation=installation, run=Run())
    record = waiting_record(first, batch="day_1", installation=installation)
    broken, then = broken_rules(orders("sent_by"), record, installation=installation)
    assert then != ""
    assert "the reader can parse the row" in [count.rule.reason for count in broken]
    assert not any("ann@" in count.rule.reason for count in broken)


def test_columns_of_any_name_are_shown(installation: Installation) -> None:
    header = 'order_id,amount,status,note,"a ""quoted"", name",broken'
    bring(SHOP, installation, "day_1", tuple(f"{row},x,y" for row in MOSTLY_BAD), header=header)
    rows = quarantine_rows(ORDERS, batch="day_1", rule=None, limit=1, installation=installation)
    assert 'a "quoted", name' in rows.column_names


def test_a_batch_that_never_ran_says_how_to_run_it(installation: Installation) -> None:
    bring(SHOP, installation, "day_1", GOOD)
    with pytest.raises(LedgerError, match=r"readiness run shop\.orders --batch day_2"):
        waiting_record(ORDERS, batch="day_2", installation=installation)
    with pytest.raises(UnknownNameError, match="did you mean 'day_1'"):
        waiting_record(ORDERS, batch="day_11", installation=installation)
