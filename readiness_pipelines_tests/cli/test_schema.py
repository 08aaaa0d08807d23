"""Accepted shapes and migrations on the command line."""

from pathlib import Path

import pytest

from readiness_pipelines_tests.cli.calling import as_json, call
from readiness_pipelines_tests.samples import land


@pytest.mark.parametrize("command", [("schema", "show", "shop.orders")])
def test_before_the_first_batch_nothing_is_known(project: Path, command: tuple[str, ...]) -> None:
    assert "no batch of shop.orders was published yet" in call(*command)


def test_a_changed_shape_is_shown_accepted_and_replayed(delivered: Path) -> None:
    assert as_json("schema", "show", "orders")["shapes"][0]["columns"]["amount"] == "string"
    land(
        delivered / "landing",
        "day_2",
        "1,10.5,paid,a,web",
        "2,20,refunded,?,web",
        header="order_id,amount,status,note,channel",
    )
    ran = call("run")
    assert "unusual shop.orders[day_2]: channel: string:" in ran
    assert "→ readiness schema show shop.orders" in ran
    (unusual,) = as_json("status")["unusual"]
    assert (unusual["kind"], unusual["expected"]) == ("schema", "channel: no such column")
    text = call("schema", "accept", "shop.orders", "--batch", "day_2", "--reason", "they sell on the web now")
    assert "shop.orders has from day_2 on: + channel string" in text
    assert "next: readiness replay shop.orders --batch day_2" in text
    shapes = as_json("schema", "show", "shop.orders")["shapes"]
    assert [shape["batch"] for shape in shapes] == ["day_1", "day_2"]
    assert "they sell on the web now · + channel string" in call("schema", "show", "orders")
    call("replay", "shop.orders", "--batch", "day_2")
    assert "unusual" not in call("status")
    assert "everything adds up" in call("reconcile")


def test_a_shape_is_not_accepted_without_a_reason_or_a_batch_that_ran(delivered: Path) -> None:
    assert "has no reason" in call("schema", "accept", "shop.orders", "--batch", "day_3", "--reason", " ", code=2)
    assert "did you mean" in call("schema", "accept", "shop.orders", "--batch", "day_31", "--reason", "r", code=2)


def test_a_ledger_of_this_version_needs_no_migration(delivered: Path) -> None:
    assert "already" in call("migrate")
    told = as_json("migrate")
    assert told["before"] == told["after"]
    assert told["backup"] is None
