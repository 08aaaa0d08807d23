"""Batches from literals, verdicts to assert on, and a temporary installation."""

from datetime import date

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Gate
from readiness_pipelines.testing import batch, judge, run_domains, temporary_installation
from readiness_pipelines_tests.samples import GOOD, land, order_domain

GATE = Gate(pa.DataFrameSchema({"a": pa.Column(arrow.int64(), pa.Check.ge(0)), "b": pa.Column(str, nullable=True)}))


def test_a_batch_has_what_ingestion_gives() -> None:
    table = batch({"a": 1, "b": "x"}, {"a": 2})
    assert table.to_pylist()[1] == {
        "a": 2,
        "b": None,
        "_batch": "batch",
        "_row": 1,
        "_file": "literals",
        "_unreadable": None,
        "_unreadable_reason": None,
    }


def test_a_column_of_text_and_other_values_is_text() -> None:
    table = batch({"a": 1, "b": date(2026, 1, 31), "c": True}, {"a": "x", "b": "y", "c": "z"})
    assert [table.column(name).to_pylist() for name in "abc"] == [["1", "x"], ["2026-01-31", "y"], ["true", "z"]]


def test_types_may_be_given() -> None:
    assert batch({"a": 1}, types={"a": arrow.int8()}).schema.field("a").type == arrow.int8()
    assert batch(types={"a": arrow.int8()}).num_rows == 0


def test_assertions_pass_where_they_should() -> None:
    judged = judge(GATE, {"a": 1, "b": "x"}, {"a": -1, "b": None})
    judged.assert_publishes({"a": 1, "b": "x"})
    judged.assert_breaks({1: "a_greater_than_or_equal_to"})
    judge(GATE, {"a": -1, "b": None}).assert_held("no row is left to publish")


def test_assertions_fail_with_what_was_seen() -> None:
    judged = judge(GATE, {"a": 1, "b": "x"}, {"a": -1, "b": None})
    with pytest.raises(AssertionError, match=r"published \[{'a': 1}\], not \[{'a': 2}\]"):
        judged.assert_publishes({"a": 2})
    with pytest.raises(AssertionError, match="a_greater_than_or_equal_to"):
        judged.assert_breaks({})
    with pytest.raises(AssertionError, match="not held"):
        judged.assert_held()


def test_a_temporary_installation_delivers_and_is_gone() -> None:
    shop = order_domain()
    with temporary_installation() as installation:
        folder = installation.landing.path.parent
        land(installation.landing.path, "day_1", *GOOD)
        deliveries = run_domains(shop, installation=installation)
        assert [str(delivery.ref) for delivery in deliveries] == [
            "shop.orders[day_1]",
            "shop.paid[day_1]",
            "shop.refund_rate[day_1]",
        ]
        assert deliveries[0].counts.published == 4
        assert run_domains(shop, installation=installation) == ()
    assert not folder.exists()
