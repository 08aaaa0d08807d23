"""What MLflow is told, and what is done where it cannot be."""

import pytest

from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.models.registry import OFF, check_registry


def test_nothing_is_trained_for_a_registry_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(LakehouseError, match=r"MLflow at 127\.0\.0\.1:1 cannot be used") as refused:
        check_registry("http://somebody:secret@127.0.0.1:1")
    assert "secret" not in str(refused.value)
    assert "READINESS_MLFLOW_URI" in refused.value.way_out
    check_registry(OFF)
