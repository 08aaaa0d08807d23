"""Chances are those of SciPy's own statistics, far out in the tails, too."""

import numpy as np
import pytest
from scipy import stats

from readiness_pipelines.observability import chances


@pytest.mark.parametrize("freedom", [1, 2, 9, 300, 100_000])
def test_chances_are_those_of_scipys_statistics(freedom: int) -> None:
    for value in (0.0, 0.3, 1.0, 4.0, 12.5, 60.0):
        assert chances.t_above(value, freedom) == pytest.approx(stats.t.sf(value, freedom), rel=1e-8)
        assert chances.chi_squared_above(value, freedom) == pytest.approx(stats.chi2.sf(value, freedom), rel=1e-8)
        assert chances.kolmogorov_above(value) == pytest.approx(stats.kstwobign.sf(value), rel=1e-8)
        many = int(value * freedom / 100)
        expected = stats.binom.sf(many, freedom, 0.01)
        assert chances.binomial_above(many, freedom, 0.01) == pytest.approx(expected, rel=1e-8, abs=1e-300)
    for chance in (0.4, 0.01, 1e-4, 1e-9):
        assert chances.t_bound(chance, freedom) == pytest.approx(stats.t.isf(chance, freedom), rel=1e-8)
    assert chances.binomial_above(-1, freedom, 0.01) == 1


def test_groups_are_told_apart_as_by_scipys_analysis_of_variance() -> None:
    random = np.random.default_rng(5)
    for shift in (0.0, 0.1, 1.0, 5.0):
        groups = [random.normal(1e6 + shift * place, 1, size) for place, size in enumerate((3, 4, 9, 3))]
        expected = stats.f_oneway(*groups).pvalue
        assert chances.same_mean([list(group) for group in groups]) == pytest.approx(expected, rel=1e-6)
    assert chances.same_mean([[1.0, 1.0], [2.0, 2.0]]) == 0
