"""What fails below DuckDB is an error of ours that says what failed."""

import pytest

from readiness_pipelines.errors import LakehouseError
from readiness_pipelines.lakehouse import engine_errors
from readiness_pipelines.masking import PLAIN, handling
from readiness_pipelines.workspaces import workspace
from readiness_pipelines_tests.faults.store import failing_store
from readiness_pipelines_tests.stores import new_bucket


def test_what_a_store_answers_is_named_and_not_the_traceback_of_its_driver() -> None:
    bucket = new_bucket()
    step = workspace(memory_mb=100, reaches=(bucket.uri,), driver=bucket.for_duckdb())
    with (
        failing_store("missing", 1, lasts=True),
        step as connection,
        pytest.raises(LakehouseError, match=r"that batch 'x' needs .* NO_SUCH_KEY") as refused,
        handling(PLAIN),
        engine_errors("batch 'x'"),
    ):
        connection.read_parquet([f"{bucket.uri}/w/a.parquet"]).fetchall()
    assert refused.value.way_out
    assert "Traceback" not in str(refused.value)
