"""A change of contract is judged as people judge it: who breaks, and by what."""

from datetime import date

import pytest

from readiness_pipelines.compatibility.change import Breaks
from readiness_pipelines.compatibility.verdict import judge_change
from readiness_pipelines_tests.compatibility.pairs import Pair, labelled_pairs

TODAY = date(2026, 11, 29)
PAIRS = labelled_pairs()


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name.replace(" ", "-"))
def test_a_labelled_pair_is_judged_as_people_judge_it(pair: Pair) -> None:
    found = judge_change(pair.old, pair.new, today=TODAY)
    assert {kind.value for one in found.changes for kind in one.breaks} == pair.breaks, found.changes
    assert {one.subject for one in found.changes if one.breaks} == pair.of, found.changes
    assert {one.who for one in found.breakages if one.who} == pair.who, found.breakages
    governed = Breaks.GOVERNANCE.value in pair.breaks
    assert found.may_pass() == (not pair.who and not governed)
    assert (found.before == found.after) == (not [one for one in found.changes if one.subject != "description"])
