"""Types that drift: every month is ingested, and the gate decides what its rows are worth."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from readiness_pipelines.batches import BatchState
from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.installation import Installation
from readiness_pipelines.overview import quarantine_rows
from readiness_pipelines_tests.gallery.running import record, rows, run
from readiness_pipelines_tests.gallery.taxi import taxi, tolls, trips


def land(installation: Installation, month: str, values: list[Any], kind: pa.DataType) -> None:
    file = installation.landing.path / "trips" / f"{month}.parquet"
    file.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"trip": pa.array(range(len(values)), pa.int64()), "toll": pa.array(values, kind)}), file)


def test_every_month_is_ingested_whatever_its_types(installation: Installation) -> None:
    land(installation, "2026-01", [1, 2], pa.int64())
    land(installation, "2026-02", [3.0, 4.5], pa.float64())
    land(installation, "2026-03", [None, None], pa.null())
    land(installation, "2026-04", ["7", "free"], pa.large_string())
    run(taxi, installation=installation)
    assert len(rows(installation, trips.id.raw)) == 8
    states = [record(installation, trips, f"2026-0{month}").state for month in (1, 2, 3, 4)]
    assert states == [
        BatchState.PUBLISHED,
        BatchState.HELD,
        BatchState.PUBLISHED,
        BatchState.PARTLY_PUBLISHED,
    ]
    assert rows(installation, trips.id, "_batch", "toll") == [
        ("2026-01", 1),
        ("2026-01", 2),
        ("2026-03", None),
        ("2026-03", None),
        ("2026-04", 7),
    ]
    waiting = [
        quarantine_rows(trips, batch=batch, rule=None, limit=None, installation=installation).column("toll").to_pylist()
        for batch in ("2026-02", "2026-04")
    ]
    assert waiting == [[3.0, 4.5], ["free"]]

    land(installation, "2026-02", [3, 4], pa.int64())
    assert run(taxi, installation=installation) == {"trips": ["2026-02"], "tolls": ["2026-02"]}
    assert [value.value for value in kpi_values(tolls, installation=installation)] == [3, 7, None, 7]
