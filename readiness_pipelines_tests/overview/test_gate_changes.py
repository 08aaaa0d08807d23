"""What changed in a gate since it last judged a batch."""

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.overview import batches_by_other_gates, gate_changes
from readiness_pipelines_tests.overview.delivering import bring
from readiness_pipelines_tests.samples import GOOD, gated, order_domain


def test_a_gate_is_compared_with_the_one_that_judged_last(installation: Installation) -> None:
    shop = order_domain()
    assert [(found.before, found.changes) for found in gate_changes(shop.tables, installation=installation)] == [
        (None, ())
    ] * 3
    bring(shop, installation, "day_1", GOOD)
    (same,) = gate_changes([gated(shop)], installation=installation)
    assert (same.before, same.changes) == (same.after, ())
    tighter = order_domain(ratio=0.1)
    (changed,) = gate_changes([gated(tighter)], installation=installation)
    assert [(change.kind.value, change.what) for change in changed.changes] == [
        ("tightened", "tolerance: quarantined_ratio")
    ]
    bring(tighter, installation, "day_1", GOOD)
    (since,) = gate_changes([gated(tighter)], installation=installation, since=same.after)
    assert len(since.changes) == 1
    with pytest.raises(UnknownNameError, match=r"unknown gate version of shop\.orders"):
        gate_changes([gated(shop)], installation=installation, since="nonsense")


class _Unbuildable(pa.DataFrameModel):
    order_id: arrow.string() = pa.Field(str_matches="(?=a)")


def test_batches_of_other_gates_are_told_also_beside_a_table_whose_gate_cannot_be_built(
    installation: Installation,
) -> None:
    shop = order_domain()
    bring(shop, installation, "day_1", GOOD)
    assert batches_by_other_gates(shop.tables, installation=installation) == ()
    tighter = order_domain(ratio=0.1)
    (found,) = batches_by_other_gates(tighter.tables, installation=installation)
    assert str(found) == "shop.orders[day_1]"
    broken = order_domain(schema=_Unbuildable)
    assert batches_by_other_gates(broken.tables, installation=installation) == ()
