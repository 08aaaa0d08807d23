"""What is refused before anything is learned from it."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from readiness_pipelines import NotWorse
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.models.fitting import holdout_of
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
