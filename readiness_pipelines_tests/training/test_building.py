"""Training sets: each label once, with what was known; the same id, the same bytes."""

import pytest

from readiness_pipelines.decisions import Correction
from readiness_pipelines.installation import Installation
from readiness_pipelines.products import Mode
from readiness_pipelines.training import build_training_set
from readiness_pipelines_tests.training.clinic import Clinic

FIRST = [(1, "a", 3, 0), (2, "b", 5, 1), (3, "c", 7, None)]
SECOND = [(4, "a", 2, 1), (5, "d", 9, 0)]
THIRD = [(6, "e", 1, 0)]


@pytest.fixture
def clinic(installation: Installation) -> Clinic:
    found = Clinic(installation)
    found.deliver(extract_01=FIRST)
    found.deliver(extract_02=SECOND)
    found.deliver(extract_03=THIRD)
    return found


def test_a_corrected_value_is_not_seen_by_a_label_from_before_the_correction(clinic: Clinic) -> None:
    installation = clinic.installation
    before = build_training_set(installation, clinic.readmission, run=clinic.run)
    assert before.rows.to_pylist()[:2] == [
        {"encounter": 1, "readmitted": 0, "days": 3, "_split": "train"},
        {"encounter": 2, "readmitted": 1, "days": 5, "_split": "train"},
    ]
    assert before.counts.balanced
    assert before.counts.trained == 4
    assert before.counts.excluded == {"the label is null": 1}
    assert before.counts.waiting == {"no label of the entity is published yet": 1}
    clinic.decide(Correction(column="days", expression="'4'", where="encounter = '1'"), "extract_01")
    then = build_training_set(installation, clinic.readmission, run=clinic.run)
    today = build_training_set(installation, clinic.readmission, run=clinic.run, mode=Mode.AS_CORRECTED)
    assert then.id != before.id
    assert then.rows == before.rows
    assert today.rows.to_pylist()[0]["days"] == 4
    assert today.rows.slice(1) == before.rows.slice(1)
