"""Small changes that stay are found; chance is not, and neither are one or two batches that are far away."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness_pipelines.contracts.classification import classified
from readiness_pipelines.masking import Classes
from readiness_pipelines.observability import BatchProfile, Past, compare, profile_of, redact_profile
from readiness_pipelines.observability.cusum import FIRST, LIMIT, CusumChart, chart_of

TINY = [1e-9] * 200
NUMBERS = st.floats(-1e6, 1e6)


def followed(values: Any) -> CusumChart:
    return chart_of([float(one) for one in values], TINY[: len(values)])


@settings(deadline=None)  # the first loads SciPy
@given(st.lists(NUMBERS, min_size=FIRST, max_size=40), st.lists(NUMBERS, min_size=1, max_size=2))
def test_one_or_two_numbers_however_far_away_never_move_a_chart_that_stood_at_nothing(
    before: list[float], far: list[float]
) -> None:
    steady = [*before, *[float(np.mean(before))] * 8]  # what was over is summed down again
    if followed(steady).score == 0:
        assert not followed([*steady, *far]).moved


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=FIRST + 1, max_size=30), st.floats(0.01, 100), NUMBERS)
def test_a_chart_knows_no_unit_and_no_direction(values: list[float], unit: float, shift: float) -> None:
    if np.ptp(values[:FIRST]) < 1:
        return
    chart = followed(values)
    assert followed([one * unit + shift for one in values]).score == pytest.approx(chart.score, abs=1e-3)
    assert followed([-one for one in values]).score == pytest.approx(chart.score, abs=1e-6)


def test_slow_drift_is_found_within_batches_and_chance_is_not() -> None:
    draw = np.random.default_rng(1)
    alarms, delays = 0, []
    for _ in range(150):
        steady = draw.normal(0, 1, 50)
        alarms += any(followed(steady[:end]).moved for end in range(FIRST + 1, 51, 3))
        drifting = np.concatenate([draw.normal(0, 1, 30), draw.normal(0, 1, 20) + 0.75 * np.arange(20)])
        delays.append(next(day for day in range(20) if followed(drifting[: 31 + day]).moved))
    assert alarms == 0
    assert (float(np.median(delays)) <= 6, max(delays) <= 12) == (True, True)


def test_the_chance_of_a_score_falls_with_it_and_is_one_in_tens_of_thousands_at_the_limit() -> None:
    def chance(score: float) -> float:
        return CusumChart(score=score, upwards=True, since=9, rising=True).chance

    scores = np.linspace(0, 400, 60)
    assert (np.diff([chance(score) for score in scores]) <= 0).all()
    assert 1 / 100_000 < chance(LIMIT) < 1 / 40_000


def days(*, score: float = 0.0, gone: float = 0.0, paid: float = 0.0, weekend: float = 0.0) -> list[BatchProfile]:
    """Days of columns that drift from one of them on, by so much a day."""
    found = []
    for day in range(42):
        draw, drifted = np.random.default_rng(day), max(0, day - 30)
        level = draw.normal(0, 0.04) + (weekend if day % 7 >= 5 else 0) + score * drifted
        missing = draw.random(1_200) < 0.1 + draw.normal(0, 0.01) + gone * drifted
        share = 0.3 + draw.normal(0, 0.01) + paid * drifted
        table = {
            "score": draw.normal(level, 1, 1_200),
            "note": pa.array(["x"] * 1_200, mask=missing),
            "status": draw.choice(["new", "paid"], 1_200, p=[1 - share, share]),
        }
        found.append(profile_of(str(day), pa.table(table)))
    return found


def found_on(profiles: list[BatchProfile]) -> dict[int, set[tuple[str, str | None]]]:
    """What is found on which day; a day of which something is found is no example for later ones."""
    past: list[Past] = []
    found: dict[int, set[tuple[str, str | None]]] = {}
    for day, profile in enumerate(profiles):
        moved = compare(profile, past, weekday=day % 7).moved
        if moved:
            found[day] = {(one.measured.value, one.column) for one in moved}
        else:
            past.append(Past(profile=profile, weekday=day % 7))
    return found


@pytest.mark.parametrize("weekend", [0.0, 1.0])
@pytest.mark.parametrize(
    ("what", "drift"),
    [
        (("drift", "score"), {"score": 0.05}),
        (("drift of missing values", "note"), {"gone": 0.012}),
        (("drift", "status"), {"paid": 0.015}),
    ],
)
def test_a_column_that_drifts_is_found_before_its_batches_are_unusual_also_where_weekends_differ(
    what: tuple[str, str], drift: dict[str, float], weekend: float
) -> None:
    found = found_on(days(**drift, weekend=weekend))
    assert 32 < min(found) < 40
    assert found[min(found)] == {what}


def test_without_drift_nothing_is_found_and_drift_goes_on_until_it_is_normal_also_of_classified_columns() -> None:
    assert found_on(days(weekend=1.0)) == {}
    profiles = days(score=0.06)
    classes = Classes(lambda _: classified("pii.quasi"), strongest=classified("pii.quasi"))
    hidden = found_on([redact_profile(one, classes) for one in profiles])
    assert hidden[min(hidden)] == {("drift", "score")}
    found = found_on(profiles)
    assert {*range(min(found), 42)} == {*found}
    past = [Past(profile=one, weekday=day % 7) for day, one in enumerate(profiles[:36])]
    assert compare(profiles[38], past, weekday=38 % 7).moved
    assert compare(profiles[38], past, weekday=38 % 7, restarts={"score": 30}).moved == ()


def test_what_always_rises_is_no_drift() -> None:
    profiles = [
        profile_of(str(day), pa.table({"year": np.random.default_rng(day).normal(10 * day, 30, 300)}))
        for day in range(30)
    ]
    assert all(what <= {("values", "year")} for what in found_on(profiles).values())
