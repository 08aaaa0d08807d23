"""Who breaks is told in time, or the change does not pass; a consumer's own contract is kept, or it breaks."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import Domain
from readiness_pipelines.compatibility.change import Compatibility
from readiness_pipelines.compatibility.contract import Contract
from readiness_pipelines.compatibility.verdict import ContractVerdict, NoticeState, judge_change
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.interop.bounded_yaml import parse_yaml
from readiness_pipelines.interop.odcs.baseline import consumer_needs
from readiness_pipelines.interop.odcs.checking import unread_needs
from readiness_pipelines.interop.odcs.reading import read_odcs
from readiness_pipelines_tests.compatibility.pairs import orders
from readiness_pipelines_tests.samples import order_domain

TODAY = date(2026, 11, 29)
GONE = {"properties/email": None}


def announced(days_ago: int, effective_in: int = 0, what: str = "column email") -> dict[str, Any]:
    """The value that announces a change some days ago."""
    told = {
        "what": what,
        "announced": (TODAY - timedelta(days=days_ago)).isoformat(),
        "effective": (TODAY + timedelta(days=effective_in)).isoformat(),
        "why": "read customers",
    }
    return {"customProperties/+": {"property": "announcedChanges", "value": [told]}}


def judged(before: dict[str, Any], after: dict[str, Any]) -> ContractVerdict:
    return judge_change(orders(before), orders(after), today=TODAY)


@pytest.mark.parametrize(
    ("days_ago", "effective_in", "notices"),
    [
        (31, 0, {"letters": NoticeState.KEPT, "lake": NoticeState.KEPT}),
        (31, 5, {"letters": NoticeState.RUNNING, "lake": NoticeState.RUNNING}),
        (3, 0, {"letters": NoticeState.RUNNING, "lake": NoticeState.KEPT}),  # letters has to know seven days before
    ],
)
def test_a_change_passes_when_each_who_breaks_was_told_in_time(
    days_ago: int, effective_in: int, notices: dict[str, NoticeState]
) -> None:
    found = judged(announced(days_ago, effective_in), GONE)
    assert {one.who: one.notice for one in found.breakages} == notices
    assert found.may_pass() == (set(notices.values()) == {NoticeState.KEPT})
    assert judged({}, GONE).may_pass() is False


def test_an_announcement_counts_from_the_contract_that_has_it_and_not_from_what_it_says() -> None:
    # Announced and made in one change; and announced now as if it had been long ago.
    assert {one.notice for one in judged({}, {**GONE, **announced(40)}).breakages} == {NoticeState.MISSING}
    assert judged({}, announced(40)).backdated == ("column email",)
    assert not judged({}, announced(40)).may_pass()
    assert judged({}, announced(0, 40)).may_pass()
    assert not judged(announced(40, what="column note"), GONE).may_pass()


def test_a_table_that_is_gone_breaks_all_who_rely_on_it() -> None:
    found = judge_change(orders(), None, today=TODAY)
    assert {one.who for one in found.breakages} == {"finance", "letters", "lake", "board"}
    assert found.compatibility is Compatibility.BACKWARD
    assert judge_change(orders(announced(31, what="the table")), None, today=TODAY).may_pass()
    assert judge_change(None, orders(), today=TODAY).may_pass()


def test_a_notice_does_not_become_shorter_by_the_change_that_needs_it() -> None:
    shorter = {"customProperties/consumers/value/letters/notice": "0s"}
    found = judged(announced(3), {**GONE, **shorter})
    assert {one.who: one.notice for one in found.breakages if one.who == "letters"} == {"letters": NoticeState.RUNNING}
    without = judged(announced(3), {**GONE, "customProperties/consumers/value/letters": None})
    assert {one.who for one in without.breakages if one.notice is not NoticeState.KEPT} == {"", "letters"}


def test_a_consumer_relies_till_the_merge_on_what_the_change_takes_from_its_declaration() -> None:
    found = judged({}, {**GONE, "customProperties/consumers/value/letters/columns": ["country"]})
    assert {one.who for one in found.breakages} == {"letters", "lake"}


def test_strictly_what_breaks_consumers_does_not_pass_whoever_they_are() -> None:
    alone = {"customProperties/consumers": None, "slaProperties/noticePeriod": None}
    found = judge_change(orders(alone), orders({**alone, **GONE}), today=TODAY)
    assert (found.may_pass(), found.may_pass(strict=True), found.breakages) == (True, False, ())
    told = judge_change(orders({**alone, **announced(1)}), orders({**alone, **GONE}), today=TODAY)
    assert told.may_pass()


NEEDS: dict[str, Any] = {
    "apiVersion": "v3.1.0", "kind": "DataContract", "id": "finance", "version": "1", "status": "active",
    "schema": [{"name": "orders", "properties": [
        {"name": "order_id", "logicalType": "integer", "required": True, "unique": True},
        {"name": "amount", "logicalType": "number", "physicalType": "decimal(12,2)", "required": True,
         "logicalTypeOptions": {"minimum": -5}},
        {"name": "status", "logicalType": "string",
         "quality": [{"metric": "invalidValues", "arguments": {"validValues": ["paid", "open", "refunded", "lost"]}}]},
    ]}],
    "slaProperties": [{"property": "freshness", "value": 2, "unit": "d"}],
}  # fmt: skip
"""What finance needs: less than orders promise."""


def needs(**changes: Any) -> Contract:
    value = {**json.loads(json.dumps(NEEDS)), **changes}
    (found,) = read_odcs(parse_yaml(json.dumps(value).encode(), file="finance.odcs.yaml")).contracts
    return found


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, set()),
        ({"properties/email": None, "properties/weight": None}, set()),
        ({"properties/amount/logicalTypeOptions/minimum": -3}, set()),  # finance bears -5
        ({"properties/amount/logicalTypeOptions/minimum": -9}, {"rule amount_greater_than_or_equal_to"}),
        ({"properties/status/quality/invalidValues/arguments/validValues": ["paid", "lost"]}, set()),
        ({"properties/status/quality/invalidValues/arguments/validValues": ["sold"]}, {"rule status_isin"}),
        ({"properties/amount/physicalType": "decimal(14, 2)"}, {"column amount"}),
        ({"properties/order_id/physicalType": "int"}, set()),
        ({"properties/order_id": None}, {"column order_id"}),
        ({"properties/order_id/primaryKey": False}, {"column order_id"}),
        ({"properties/amount/required": False}, {"column amount"}),
        ({"slaProperties/freshness/value": 47}, set()),
        ({"slaProperties/freshness/value": 49}, {"freshness"}),
        ({"slaProperties/freshness": None}, {"freshness"}),
        ({"customProperties/readinessTolerance": None}, set()),  # it is silent about that
    ],
)
def test_a_consumer_with_a_contract_breaks_by_what_it_needs_and_by_nothing_else(
    change: dict[str, Any], broken: set[str]
) -> None:
    found = judge_change(orders(), orders(change), today=TODAY, needs={"finance": needs()})
    assert {one.change.subject for one in found.breakages if one.who == "finance"} == broken


def test_a_contract_is_of_the_table_that_it_is_declared_for(tmp_path: Path) -> None:
    file = tmp_path / "finance.odcs.yaml"
    file.write_text(json.dumps({**NEEDS, "price": {"priceAmount": 1}}))
    shop: Domain = order_domain()
    table = shop.table("orders")
    shop.consumer("finance", contact="f@shop.example", table=table, contract=file)
    assert [one.name for one in consumer_needs(table)["finance"].columns] == ["order_id", "amount", "status"]
    (line,) = unread_needs(table)
    assert line.startswith("of the contract of finance this is not compared: line 1: price")
    shop.consumer("other", contact="o@shop.example", table=shop.table("paid"), contract=file)
    with pytest.raises(DeclarationError, match=r"of the consumer other has no table shop.paid \(it has: orders\)"):
        consumer_needs(shop.table("paid"))
