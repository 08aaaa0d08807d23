"""Scores become probabilities, and say how good they are before labels come: no worse than chance makes of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness_pipelines.models.calibrating import calibrated, isotonic, platt
from readiness_pipelines.models.drift_actions import DriftSubject
from readiness_pipelines.models.metrics import Values, measure
from readiness_pipelines.models.quality import (
    ESTIMATED,
    BatchQuality,
    estimated_quality,
    measured_quality,
    quality_sign,
)

pairs = st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 1)), min_size=1, max_size=60)


def drawn(seed: int, rows: int, *, shift: float = 0.0) -> tuple[Values, Values, Values]:
    """What is true, what happened, and an overconfident score of it."""
    draw = np.random.default_rng(seed)
    logit = draw.normal(shift, 1.2, rows)
    true = 1 / (1 + np.exp(-logit))
    return true, (draw.random(rows) < true).astype(float), 1 / (1 + np.exp(-2.5 * logit))


@given(pairs)
def test_probabilities_rise_with_the_score_and_the_steps_keep_the_share_of_the_class(
    found: list[tuple[float, int]],
) -> None:
    scores, actual = (np.array(one, dtype=float) for one in zip(*found, strict=True))
    order = np.sort(scores)
    for probabilities in (isotonic(scores, actual)(order), platt(scores, actual)(order)):
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (np.diff(isotonic(scores, actual)(order)) >= -1e-12).all()


@pytest.mark.parametrize("rows", [600, 20_000])
def test_overconfident_scores_are_calibrated_by_a_curve_of_few_rows_and_steps_of_many(rows: int) -> None:
    true, actual, scores = drawn(1, rows)
    assert np.abs(calibrated(scores, actual)(scores) - true).mean() < (0.05 if rows < 1_000 else 0.02)
    assert np.abs(scores - true).mean() > 0.1


def test_the_curve_of_a_good_model_of_a_rare_class_does_not_run_away() -> None:
    scores = np.array([0.0] * 380 + [0.3] * 10 + [1.0] * 10)
    actual = np.array([0.0] * 380 + [0.0, 1.0] * 5 + [1.0] * 10)
    low, even, high = platt(scores, actual)(np.array([0.0, 0.3, 1.0]))
    assert low < 0.01
    assert 0.2 < even < 0.8  # half of these rows are of the class, and the curve has two parameters for three scores
    assert high > 0.9


@pytest.mark.parametrize("metric", sorted(ESTIMATED))
def test_the_estimate_of_other_inputs_is_what_the_labels_say_later(metric: str) -> None:
    _, before, reference = drawn(1, 20_000)
    calibrator = calibrated(reference, before)
    for seed, shift in ((2, 0.0), (3, 0.8), (4, -1.5)):
        _, actual, scores = drawn(seed, 4_000, shift=shift)
        estimate = estimated_quality("b", metric, scores, calibrator)
        measured = measured_quality("b", metric, actual, scores)
        assert estimate.low is not None
        assert estimate.high is not None
        assert measured.value is not None
        assert estimate.low < measured.value < estimate.high, (metric, shift)
        assert estimate.estimated
        assert not measured.estimated
    assert estimated_quality("b", "rmse", scores, calibrator).value is None
    assert measured_quality("b", metric, actual[:20], scores[:20]).value is None


def test_a_batch_is_a_sign_where_it_is_worse_than_chance_and_margin_and_says_how_much_is_lost() -> None:
    _, actual, scores = drawn(5, 3_000)
    holdout = measure("auc", actual, scores)
    good = measured_quality("b", "auc", actual, scores)
    assert quality_sign(good, holdout=holdout, margin=0.0) is None
    mixed = np.where(np.random.default_rng(1).random(3_000) < 0.7, np.random.default_rng(2).permutation(scores), scores)
    bad = measured_quality("b", "auc", actual, mixed)
    sign = quality_sign(bad, holdout=holdout, margin=0.01)
    assert sign is not None
    assert (sign.subject, sign.column) == (DriftSubject.QUALITY, "auc")
    assert 0.5 < sign.lost < 0.9
    assert quality_sign(bad, holdout=holdout, margin=0.5) is None
    few = measured_quality("b", "auc", actual[:40], mixed[:40])
    assert quality_sign(few, holdout=holdout, margin=0.0) is None or few.high < holdout  # type: ignore[operator]
    worse = BatchQuality(batch="b", metric="rmse", rows=50, value=2.0, low=1.9, high=2.1, worthless=2.0)
    assert quality_sign(worse, holdout=1.0, margin=0.1).lost == 1.0  # type: ignore[union-attr]
    assert quality_sign(worse, holdout=1.95, margin=0.0) is None
