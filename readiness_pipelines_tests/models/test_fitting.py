"""What is refused before anything is learned from it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from readiness_pipelines import NotWorse
from readiness_pipelines.contracts.predictors import Predictor
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.models.fitting import fit, holdout_of
from readiness_pipelines_tests.models.clinic import a_training_set, clinic, model_of


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_label_that_is_not_finite_is_refused_and_counted(value: float) -> None:
    built = a_training_set()
    labels: list[Any] = built.rows["readmitted"].cast(pa.float64()).to_pylist()
    labels[0] = value  # the first row is held out
    rows = built.rows.set_column(1, "readmitted", pa.array(labels, pa.float64(), from_pandas=False))
    model = replace(model_of(clinic()), promote=NotWorse("rmse"), metrics=("rmse",))
    with pytest.raises(DeclarationError, match=r"is NaN or infinite in 1 row\n"):
        holdout_of(model, replace(built, rows=rows))


def test_labels_of_one_class_are_refused_for_a_classifier_and_no_other_model() -> None:
    built, model = a_training_set(), model_of(clinic())
    held = pc.equal(built.rows["_split"], "holdout")
    labels = pc.if_else(held, built.rows["readmitted"], 0)
    alike = replace(built, rows=built.rows.set_column(1, "readmitted", labels))
    with pytest.raises(DeclarationError, match=r"the 400 labels of clinic\.readmission to learn from are of one class"):
        fit(model, alike, seed=0, params=model.params)
    assert fit(replace(model, metrics=("rmse",)), alike, seed=0, params=model.params).features == built.features


class Alone:
    """As a classifier of scikit-learn is that saw one class."""

    def __init__(self, seen: object) -> None:
        self.classes_ = np.array([seen])

    def predict_proba(self, x: Any) -> Any:
        return np.ones((len(x), 1))


@pytest.mark.parametrize(("seen", "probability"), [(0, 0.0), (False, 0.0), (1, 1.0), (True, 1.0)])
def test_one_that_saw_no_class_but_0_gives_no_row_the_probability_of_1(seen: object, probability: float) -> None:
    predictor = Predictor(made=Alone(seen), features=("age",), given="matrix")
    assert predictor.predict(pa.table({"age": [1.0, 2.0]}), what="m").tolist() == [probability] * 2
