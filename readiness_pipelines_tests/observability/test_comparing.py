"""What is like the batches before is passed over in silence; what is not is found, and said in numbers."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness_pipelines.observability import BatchProfile, Comparison, Measured, Past, compare, profile_of
from readiness_pipelines_tests.benchmarks.alarms import judged

WEEK = 7


def batch(seed: int, *, rows: int = 500, **columns: Any) -> BatchProfile:
    chance = np.random.default_rng(seed)
    columns = {
        "id": np.arange(rows) + seed * 100_000,
        "score": chance.normal(0, 1, rows),
        "status": chance.choice(["new", "paid"], size=rows, p=[0.3, 0.7]),
        "note": [f"note {number}" for number in chance.integers(0, 9_999, rows)],
        **columns,
    }
    return profile_of(str(seed), pa.table(columns))


def normal(batches: int = 20, **columns: Any) -> list[Past]:
    return [Past(profile=batch(seed, **columns)) for seed in range(1, batches + 1)]


def measures(found: Comparison) -> list[tuple[str, str | None]]:
    return [(one.measured.value, one.column) for one in found.moved]


def test_a_batch_like_the_others_is_no_finding() -> None:
    found = compare(batch(99, rows=520), normal())
    assert found.enough
    assert found.moved == ()
    assert found.expected_rows is not None
    assert found.expected_rows[0] < 520 < found.expected_rows[1]


@pytest.mark.parametrize(("batches", "weekday", "needed"), [(7, None, 8), (13, 3, 14)])
def test_with_too_few_batches_nothing_is_said_and_how_many_are_needed(
    batches: int, weekday: int | None, needed: int
) -> None:
    found = compare(batch(99, rows=3), normal(batches), weekday=weekday)
    assert (found.moved, found.batches, found.needed, found.enough) == ((), batches, needed, False)


def test_half_the_rows_are_a_finding_with_what_was_expected() -> None:
    found = compare(batch(99, rows=250), normal())
    assert measures(found) == [("rows", None)]
    assert found.moved[0].promised.startswith("500 rows as in 20 batches before (")
    assert found.moved[0].seen == "250 rows"
    assert found.moved[0].p < 1e-4


def test_an_empty_batch_is_a_finding_about_its_rows_alone() -> None:
    assert measures(compare(BatchProfile(batch="x", rows=0, columns={}), normal())) == [("rows", None)]


def test_weekends_are_compared_with_weekends() -> None:
    past = [Past(profile=batch(day, rows=150 if day % WEEK >= 5 else 500), weekday=day % WEEK) for day in range(1, 36)]
    assert measures(compare(batch(99, rows=150), past, weekday=6)) == []
    found = compare(batch(99, rows=150), past, weekday=2)
    assert measures(found) == [("rows", None)]
    assert "on this weekday" in found.moved[0].promised


def test_missing_values_are_found() -> None:
    score = np.random.default_rng(1).normal(0, 1, 500)
    gone = pa.array(score, mask=np.arange(500) < 60)
    found = compare(batch(99, score=gone), normal())
    assert measures(found) == [("missing values", "score")]
    assert (found.moved[0].promised, found.moved[0].seen) == ("0.0% missing, as in 20 batches before", "12.0% missing")


def test_shifted_numbers_are_found_with_both_histograms() -> None:
    found = compare(batch(99, score=np.random.default_rng(1).normal(1, 1, 500)), normal())
    assert measures(found) == [("values", "score")]
    (moved,) = found.moved
    assert set(moved.distances) == {"psi", "js", "ks"}
    assert moved.distances["psi"] > 0.5
    assert 0.3 < moved.distances["ks"] < 0.5
    assert sum(bar.seen for bar in moved.histogram) == pytest.approx(1)
    assert sum(bar.expected for bar in moved.histogram) == pytest.approx(1)
    assert moved.histogram[-1].seen > 2 * moved.histogram[-1].expected
    assert "PSI" in moved.seen


def test_a_value_that_was_never_there_is_found() -> None:
    status = np.random.default_rng(1).choice(["new", "paid", "lost"], size=500, p=[0.3, 0.65, 0.05])
    found = compare(batch(99, status=status), normal())
    assert ("new values", "status") in measures(found)
    moved = next(one for one in found.moved if one.measured is Measured.NEW_VALUES)
    assert moved.seen.startswith("'lost' ")
    assert moved.promised == "one of the 2 values of 20 batches before"


def test_other_shares_of_known_values_are_found() -> None:
    status = np.random.default_rng(1).choice(["new", "paid"], size=500, p=[0.7, 0.3])
    (moved,) = compare(batch(99, status=status), normal()).moved
    assert (moved.measured, moved.column, set(moved.distances)) == (Measured.VALUES, "status", {"psi", "js"})
    assert [bar.label for bar in moved.histogram] == ["new", "paid", "other"]


def test_text_is_compared_by_its_lengths() -> None:
    found = compare(batch(99, note=[f"{number:0>30}" for number in range(500)]), normal())
    assert measures(found) == [("lengths", "note")]


def test_keys_and_times_go_on_without_a_finding() -> None:
    assert compare(batch(5_000), normal()).moved == ()


def test_a_column_that_never_changed_may_change_a_little() -> None:
    past = normal(constant=np.ones(500))
    assert compare(batch(99, constant=np.ones(500)), past).moved == ()
    assert measures(compare(batch(99, constant=np.full(500, 2.0)), past)) == [("values", "constant")]


def test_what_was_before_it_became_normal_does_not_count() -> None:
    shifted = [Past(profile=batch(seed, score=np.random.default_rng(seed).normal(5, 1, 500))) for seed in range(30, 40)]
    past = [*normal(), *shifted]
    now = batch(99, score=np.random.default_rng(1).normal(0, 1, 500))
    assert measures(compare(now, past, restarts={"score": 20})) == [("values", "score")]
    assert (
        compare(batch(99, score=np.random.default_rng(1).normal(5, 1, 500)), past, restarts={"score": 20}).moved == ()
    )
    assert compare(now, past, restarts={"score": 25}).moved == ()


def test_a_bad_batch_before_hides_none_now_where_it_is_left_out() -> None:
    """Taken for normal, a tenth of the rows makes the same again look usual; left out, it does not."""
    bad = Past(profile=batch(50, rows=50))
    assert measures(compare(batch(99, rows=50), normal())) == [("rows", None)]
    assert compare(batch(99, rows=50), [*normal(8), bad]).moved == ()


@pytest.mark.parametrize("seed", [1])
def test_clean_series_have_no_alarm_and_faults_are_found(seed: int) -> None:
    assert judged(seed, None).wrong == []
    for fault in ("volume drop", "null surge", "shifted mean", "new category", "slow drift", "weekday season"):
        found = judged(100 + seed, fault)
        assert (found.found, found.wrong) == (True, []), fault


ANY_NUMBERS = st.lists(st.none() | st.floats(width=64), max_size=12)


@given(st.lists(ANY_NUMBERS, min_size=8, max_size=10), ANY_NUMBERS)
def test_numbers_that_are_infinite_huge_or_none_can_be_compared(
    before: list[list[float | None]], now: list[float | None]
) -> None:
    past = [Past(profile=profile_of(str(n), numbers(values))) for n, values in enumerate(before)]
    compared = compare(profile_of("now", numbers(now)), past)
    assert not any(np.isnan(one.p) for one in compared.moved)


@given(ANY_NUMBERS)
def test_a_batch_equal_to_those_before_has_not_moved(values: list[float | None]) -> None:
    past = [Past(profile=profile_of(str(n), numbers(values))) for n in range(8)]
    assert compare(profile_of("now", numbers(values)), past).moved == ()


def numbers(values: list[float | None]) -> pa.Table:
    return pa.table({"a": pa.array(values, pa.float64())})


def test_a_column_that_jumps_does_not_hide_another_that_drifts_from_the_same_day_on() -> None:
    past: list[Past] = []
    found: dict[str, list[int]] = {}
    for day in range(30):
        chance = np.random.default_rng(day)
        gone = max(0, day - 19)
        columns = {
            "jumps": chance.normal(5 if gone else 0, 1, 500),
            "drifts": chance.normal(gone * 0.05 + chance.normal(0, 0.05), 1, 500),
        }
        profile = profile_of(str(day), pa.table(columns))
        moved = compare(profile, past).moved
        for one in moved:
            found.setdefault(str(one.column), []).append(day)
        past.append(Past(profile=profile, unlike=frozenset(one.column for one in moved)))
    assert found["jumps"] == list(range(20, 30))
    assert found["drifts"] == list(range(25, 30))
