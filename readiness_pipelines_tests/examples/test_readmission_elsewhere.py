"""The readmissions domain, unchanged, where a company would run it: the same values as on a laptop, byte for byte."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.delivery import deliver, ingest, reconcile
from readiness_pipelines.errors import UpstreamNotPublishedError
from readiness_pipelines.examples.readmissions import encounters, readmissions
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.conftest import LANDING, settings_in
from readiness_pipelines_tests.databases import use_database
from readiness_pipelines_tests.engines import spark
from readiness_pipelines_tests.shown import shown
from readiness_pipelines_tests.stores import new_bucket, use_bucket

pytestmark = pytest.mark.slow

TABLES = (
    "readmissions_raw.encounters",
    "readmissions.encounters",
    "readmissions_quarantine.encounters",
    "readmissions.discharges",
    "readmissions.readmission_rate_30d",
)
RUN = Run(run_id="r1", who="me")


def ran(installation: Installation, batches: Sequence[str]) -> dict[str, Any]:
    """Run batches from landing to KPI: what the tables show."""
    for batch in batches:
        for table in readmissions.tables:
            if table.name == "encounters":
                ingest(encounters, batch=batch, installation=installation, run=RUN)
            try:
                deliver(table, batch=batch, installation=installation, run=RUN)
            except UpstreamNotPublishedError:
                break
    assert reconcile([readmissions], installation=installation).problems == ()
    return shown(installation, *TABLES)


def embedded(folder: Path, batches: Sequence[str]) -> dict[str, Any]:
    folder.mkdir()
    return ran(Installation.open(settings_in(folder, landing=LANDING)), batches)


def test_on_postgres_and_s3(tmp_path: Path) -> None:
    batches = [f"extract_{number:02d}" for number in (1, 5, 6)]
    here = embedded(tmp_path / "here", batches)
    there = tmp_path / "there"
    there.mkdir()
    use_database("postgres", there)
    use_bucket(there)
    landing = new_bucket() / "landing"
    for batch in batches:
        for file in (LANDING / "readmissions" / "encounters" / batch).iterdir():
            landing.write(file.relative_to(LANDING).as_posix(), file.read_bytes())
    settings = settings_in(there).model_copy(update={"landing": landing.uri})
    installation = Installation.open(settings)
    assert not installation.landing.is_local
    assert not installation.lakehouse.warehouse.is_local
    assert ran(installation, batches) == here
    assert len(here["readmissions_quarantine.encounters"]) > 10_000, "one is held"
    assert not list(there.rglob("*.parquet")), "nothing is left on this machine"


def test_on_spark(tmp_path: Path) -> None:
    batches = ["extract_05"]
    here = embedded(tmp_path / "here", batches)
    there = tmp_path / "there"
    there.mkdir()
    spark()
    settings = settings_in(there, landing=LANDING).model_copy(update={"engine": "spark", "spark_url": "local[2]"})
    assert ran(Installation.open(settings), batches) == here
