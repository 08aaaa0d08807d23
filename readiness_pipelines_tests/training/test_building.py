"""Training sets: each label once, with what was known; the same id, the same bytes."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from readiness_pipelines.decisions import Correction, Discarding
from readiness_pipelines.delivery import Level, audit, maintain, reconcile
from readiness_pipelines.delivery.erasure.requests import erase
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.products import BuiltTrainingSet, Mode
from readiness_pipelines.training import build_training_set, builds_of, training_set_of
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.databases import use_database
from readiness_pipelines_tests.stores import use_bucket
from readiness_pipelines_tests.training.clinic import START, Clinic

ANNA = "P-CANARY-00017"
FIRST = [(1, "a", 3, 0), (2, ANNA, 5, 1), (3, "c", 7, None), (7, "f", -1, 1)]
SECOND = [(4, "a", 2, 1), (5, "d", 9, 0)]
THIRD = [(6, "e", 1, 0)]
NULL, NOT_PUBLISHED = "the label is null", "no label of the entity is published yet"


class CutOffError(BaseException):
    """As if the process was killed."""


@pytest.fixture
def clinic(installation: Installation) -> Clinic:
    found = Clinic(installation)
    found.deliver(extract_01=FIRST)
    found.deliver(extract_02=SECOND)
    found.deliver(extract_03=THIRD)
    return found


def built(clinic: Clinic, mode: Mode = Mode.AS_KNOWN_THEN) -> BuiltTrainingSet:
    made = build_training_set(clinic.installation, clinic.readmission, mode=mode, run=clinic.run)
    assert made.counts.balanced
    return made


def days(made: BuiltTrainingSet) -> dict[int, int]:
    return dict(zip(made.rows["encounter"].to_pylist(), made.rows["days"].to_pylist(), strict=True))


def proved(clinic: Clinic) -> None:
    found = reconcile([clinic.domain], installation=clinic.installation, level=Level.RECOMPUTE).problems
    assert (*found, *audit(installation=clinic.installation).problems) == ()


def known(clinic: Clinic, encounter: int) -> list[tuple[int, int, int | None]]:
    """The days of an encounter, since and until when they were published, in hours."""
    with clinic.installation.engine() as engine:
        rows = clinic.installation.lakehouse.relation(engine, clinic.stays.id.history)
        found = rows.filter(f"encounter = {encounter}").order("_known_at")
        since = [
            f"round(date_diff('hour', TIMESTAMPTZ '{START}', {one}))::INT" for one in ("_known_at", "_known_until")
        ]
        return found.project(f"days, {', '.join(since)}").fetchall()


def test_a_label_sees_what_was_published_at_its_time_and_each_value_is_known_since_it_was(clinic: Clinic) -> None:
    first = built(clinic)
    assert first.rows.to_pylist()[:2] == [
        {"encounter": 1, "readmitted": 0, "patient": "a", "days": 3, "_split": "train"},
        {"encounter": 2, "readmitted": 1, "patient": ANNA, "days": 5, "_split": "train"},
    ]
    assert (first.counts.labels, first.counts.trained) == (6, 4)
    assert first.counts.excluded == {NULL: 1}
    assert first.counts.waiting == {NOT_PUBLISHED: 1}
    clinic.decide(Correction(column="days", expression="'4'", where="encounter = '1'"), "extract_01")
    clinic.decide(Correction(column="days", expression="'8'", where="encounter = '7'"), "extract_01")
    # A corrected value has two versions, a released one is known since its replay, the others since they came.
    assert known(clinic, 1) == [(3, 1, 4), (4, 4, None)]
    assert known(clinic, 2) == [(5, 1, None)]
    assert known(clinic, 7) == [(8, 6, None)]
    then, today = built(clinic), built(clinic, Mode.AS_CORRECTED)
    assert days(then) == {1: 3, 2: 5, 7: 8, 4: 2, 5: 9}
    assert days(today) == {**days(then), 1: 4}
    assert len({first.id, then.id, today.id}) == 3
    earlier = build_training_set(clinic.installation, clinic.readmission, as_of=START + timedelta(hours=3, minutes=30))
    assert earlier.rows == first.rows
    # The past is expired, and nothing of what was built.
    assert len(clinic.installation.lakehouse.snapshots(clinic.stays.id)) > 1
    maintain(clinic.installation, now=clinic.now + timedelta(days=60), most_snapshots=1, orphan_age=timedelta(0))
    for made, mode in ((then, Mode.AS_KNOWN_THEN), (today, Mode.AS_CORRECTED)):
        again = built(clinic, mode)
        assert (again.id, again.rows, again.used, again.counts) == (made.id, made.rows, made.used, made.counts)
    assert training_set_of(clinic.installation, first.id[:8]).rows == first.rows
    assert len(builds_of(clinic.installation, clinic.readmission)) == 4
    proved(clinic)


def test_a_correction_that_was_cut_off_before_its_history_was_kept_is_not_known_since_the_first_commit(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the extract was published before its table kept a history.
    lakehouse, history = clinic.installation.lakehouse, clinic.stays.id.history
    lakehouse._catalog.drop_table(str(history))
    lakehouse.homes.of(history).remove_all()

    def cut_off(*_: object, **__: object) -> None:
        raise CutOffError

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["readiness_pipelines.delivery.deliver"], "keep_history", cut_off)
        with pytest.raises(CutOffError):
            clinic.decide(Correction(column="days", expression="'4'", where="encounter = '1'"), "extract_01")
    clinic.now += timedelta(hours=1)
    assert days(built(clinic))[1] == 3
    clinic.deliver()
    assert days(built(clinic))[1] == 3
    assert [value for value, _, _ in known(clinic, 1)] == [3, 4]


@pytest.mark.slow
def test_the_same_extracts_are_the_same_set_over_another_catalog_and_store(clinic: Clinic, tmp_path: Path) -> None:
    folder = tmp_path / "another machine"
    folder.mkdir()
    use_database("postgres", folder)
    use_bucket(folder)
    other = Clinic(Installation.open(settings_in(folder)))
    for extract, rows in clinic.rows.items():
        other.deliver(**{extract: rows})
    one, another = built(clinic), built(other)
    assert one.id == another.id
    assert one.rows.equals(another.rows, check_metadata=True)
    assert {batch.snapshot for batch in one.used}.isdisjoint(batch.snapshot for batch in another.used)


def test_held_batches_and_discarded_rows_have_no_features(clinic: Clinic) -> None:
    clinic.deliver(extract_04=[(8, "g", -5, 0), (9, "h", -6, 1)])
    assert known(clinic, 8) == []
    clinic.decide(Discarding(where="encounter = '1'"), "extract_01")
    assert known(clinic, 1) == [(3, 1, 5)]
    made = built(clinic)
    assert days(made) == {2: 5, 4: 2, 5: 9}
    assert made.counts.labels == 5
    proved(clinic)


def test_an_erased_person_vanishes_from_histories_and_training_sets(clinic: Clinic) -> None:
    clinic.decide(Correction(column="days", expression="'6'", where="encounter = '2'"), "extract_01")
    made = built(clinic)
    assert days(made)[2] == 5
    run = Run(who="dpo", clock=lambda: clinic.now)
    certificate = erase(
        [clinic.domain], [ANNA], why="asked", ground="gdpr-17", installation=clinic.installation, run=run
    )
    assert certificate.open_ends == ()
    assert certificate.scan.by_text
    assert known(clinic, 2) == []
    assert known(clinic, 1) == [(3, 1, None)]
    left = training_set_of(clinic.installation, made.id)
    assert days(left) == {1: 3, 4: 2, 5: 9}
    assert left.counts.balanced
    assert left.counts.excluded == {NULL: 1, "its person was erased": 1}
    again = built(clinic)
    assert again.id != made.id
    assert again.rows == left.rows
    proved(clinic)
