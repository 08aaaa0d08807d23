"""What changed in a gate since it last judged a batch."""

import pytest

from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.overview import gate_changes
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
