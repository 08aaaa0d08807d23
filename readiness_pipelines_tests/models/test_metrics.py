"""Metrics: as they are defined, of a weighting what they are of the rows repeated; and comparisons by them."""

import numpy as np
import pytest

from readiness_pipelines import NotWorse
from readiness_pipelines.contracts.models import METRICS
from readiness_pipelines.models.comparing import compare
from readiness_pipelines.models.metrics import measure, prepare

DRAW = np.random.default_rng(7)
ACTUAL = DRAW.integers(0, 2, 400).astype(float)
PREDICTED = np.round(np.clip(DRAW.random(400) * 0.8 + ACTUAL * 0.1, 0.01, 0.99), 2)  # with ties


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    positive, negative = PREDICTED[ACTUAL == 1][:, None], PREDICTED[ACTUAL == 0][None, :]
    pairs = (positive > negative).mean() + (positive == negative).mean() / 2
    assert measure("auc", ACTUAL, PREDICTED) == pytest.approx(pairs)
    assert measure("auc", np.ones(9), PREDICTED[:9]) is None


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_of_a_weighting_is_that_of_the_rows_repeated(metric: str) -> None:
    weights = DRAW.integers(0, 3, 400)
    repeated = measure(metric, np.repeat(ACTUAL, weights), np.repeat(PREDICTED, weights))
    assert prepare(metric, ACTUAL, PREDICTED)(weights.astype(float)) == pytest.approx(repeated)
    assert measure(metric, ACTUAL[:0], PREDICTED[:0]) is None


def test_a_candidate_passes_where_it_is_surely_not_worse_and_the_same_is_found_again() -> None:
    better = np.clip(PREDICTED + (ACTUAL - 0.5) * 0.2, 0.01, 0.99)
    for metric in ("auc", "log_loss"):
        rule = NotWorse(metric, by=0.001, samples=200)
        assert compare(rule, ACTUAL, better, PREDICTED)["passed"]
        assert not compare(rule, ACTUAL, PREDICTED, better)["passed"]
        assert compare(rule, ACTUAL, PREDICTED, PREDICTED)["passed"]
        assert compare(rule, ACTUAL, better, PREDICTED) == compare(rule, ACTUAL, better, PREDICTED)
    few = compare(NotWorse("auc"), ACTUAL[:20], better[:20], None)
    assert (few["passed"], "too few" in few["why"]) == (False, True)


def test_a_metric_without_a_value_passes_nobody_and_is_not_said_to_lack_rows() -> None:
    alone = compare(NotWorse("auc"), np.ones(40), PREDICTED[:40], None)
    assert (alone["passed"], alone["why"]) == (False, "auc has no value on 40 rows of holdout")
    with np.errstate(over="ignore"):
        vast = compare(NotWorse("rmse"), np.ones(40), np.full(40, 1e200), None)
    assert (vast["passed"], vast["candidate"]) == (False, None)
