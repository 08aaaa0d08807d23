"""One bad batch never has a model trained anew, a changed world does; and never too often, or past a person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness_pipelines import DriftResponse
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.models.drift_actions import (
    DriftDecision,
    DriftingBatch,
    DriftSign,
    DriftStep,
    DriftSubject,
    DriftTier,
    EarlierRetraining,
    decide_about_drift,
)

NOW = datetime(2026, 11, 29, tzinfo=UTC)
SIGNS = [
    *(DriftSign(subject=DriftSubject.INPUT, column=name) for name in ("age", "visits", "ward")),
    DriftSign(subject=DriftSubject.PREDICTION, column="prediction"),
    DriftSign(subject=DriftSubject.QUALITY, column="auc", lost=0.2),
    DriftSign(subject=DriftSubject.ESTIMATE, column="auc", lost=0.9),
]
ACTING = (DriftStep.RETRAIN, DriftStep.REVIEW)

batches = st.lists(
    st.builds(
        DriftingBatch,
        batch=st.uuids().map(str),
        published=st.booleans(),
        signs=st.lists(st.sampled_from(SIGNS), unique=True).map(tuple),
    ),
    max_size=8,
)
earlier = st.lists(
    st.builds(
        EarlierRetraining,
        at=st.integers(0, 60).map(lambda days: NOW - timedelta(days=days)),
        running=st.booleans(),
    ),
    max_size=4,
)
responses = st.builds(
    DriftResponse,
    moderate=st.sampled_from(["tell", "retrain", "review"]),
    severe=st.sampled_from(["tell", "retrain", "review"]),
    after=st.integers(2, 5),
    budget=st.integers(0, 3),
)


def decided(
    of: list[DriftingBatch], response: DriftResponse | None = None, before: list[EarlierRetraining] | None = None
) -> DriftDecision:
    return decide_about_drift(of, inputs=4, response=response or DriftResponse(), earlier=before or [], now=NOW)


def days(*signs: DriftSign, of: int) -> list[DriftingBatch]:
    return [DriftingBatch(batch=f"day {number}", signs=signs) for number in range(of)]


@given(batches, responses, earlier)
def test_nothing_is_done_without_a_sign_that_stayed_for_as_many_published_batches_as_the_page_says(
    of: list[DriftingBatch], response: DriftResponse, before: list[EarlierRetraining]
) -> None:
    found = decided(of, response, before)
    if found.step in ACTING:
        newest = [one for one in of if one.published][-response.after :]
        assert len(newest) == response.after
        assert any(all(sign.about in {one.about for one in day.signs} for day in newest) for sign in found.signs)


@given(batches, responses, earlier, st.integers(0, 8))
def test_what_a_gate_held_changes_nothing(
    of: list[DriftingBatch], response: DriftResponse, before: list[EarlierRetraining], at: int
) -> None:
    held = DriftingBatch(batch="held", published=False, signs=tuple(SIGNS))
    assert decided([*of[:at], held, *of[at:]], response, before) == decided(of, response, before)


@given(batches, responses, earlier)
def test_no_retraining_is_wanted_while_one_is_cools_down_or_is_over_the_budget(
    of: list[DriftingBatch], response: DriftResponse, before: list[EarlierRetraining]
) -> None:
    found = decided(of, response, before)
    if any(one.running for one in before) or any(one.at > NOW - response.pause for one in before):
        assert found.step not in ACTING
    if sum(one.at > NOW - response.period for one in before) >= response.budget:
        assert found.step is not DriftStep.RETRAIN


def test_one_bad_batch_is_told_and_a_world_that_changed_is_learned() -> None:
    (age, visits, _, _, _, gone) = SIGNS
    assert (decided(days(age, gone, of=1)).tier, decided(days(age, gone, of=1)).step) == ("mild", "tell")
    changed = decided(days(age, of=3))
    assert (changed.tier, changed.step) == (DriftTier.MODERATE, DriftStep.RETRAIN)
    assert changed.batches == ("day 0", "day 1", "day 2")
    assert changed.why == "input age drifts in 3 batches after each other"
    for severe in (days(age, visits, of=3), days(gone, of=3)):
        assert (decided(severe).tier, decided(severe).step) == (DriftTier.SEVERE, DriftStep.REVIEW)
    assert decided([*days(age, of=2), DriftingBatch(batch="as usual")]).step is DriftStep.NOTHING
    spent = [EarlierRetraining(at=NOW - timedelta(days=days), running=False) for days in (9, 20)]
    assert decided(days(age, of=3), before=spent).step is DriftStep.REVIEW
    assert decided(days(age, of=3), before=spent[1:]).step is DriftStep.RETRAIN
    assert decided(days(age, of=3), before=[replace(spent[1], running=True)]).step is DriftStep.WAIT


@pytest.mark.parametrize("wrong", [{"after": 1}, {"budget": -1}, {"cool_down": "a while"}, {"severe": "panic"}])
def test_a_response_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DeclarationError):
        DriftResponse(**wrong)  # type: ignore[arg-type]
