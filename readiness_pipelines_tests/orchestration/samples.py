"""A project on disk with the order path, as a user would have it, and a real Dagster instance."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.orchestration import launching
from readiness_pipelines_tests.conftest import ROOT, settings_in
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, WEEKS, land, land_week, order_path

DEFINITIONS = """
from pathlib import Path
from readiness_pipelines.orchestration import build_definitions
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines import Freshness
from readiness_pipelines_tests.samples import WEEKS, order_path

path = {path}
defs = build_definitions(path, settings=settings_in(Path(__file__).parent))
"""
ORDERS = "order_path()"


def make_project(folder: Path, path: str = ORDERS) -> Path:
    """A project folder with three landed batches: one in part, one good, one held. Its module has a name of its own.

    Args:
        folder: Where.
        path: Python that makes the path.
    """
    module = f"order_project_{abs(hash(str(folder)))}"
    (folder / f"{module}.py").write_text(DEFINITIONS.format(path=path))
    (folder / "workspace.yaml").write_text(
        f"load_from:\n  - python_module:\n      module_name: {module}\n"
        f"      working_directory: {folder}\n      location_name: orders\n"
    )
    shutil.copy(ROOT / "dagster.yaml", folder / "dagster.yaml")
    for batch, rows in zip(("day_1", "day_2", "day_3"), (ONE_BAD, GOOD, MOSTLY_BAD), strict=True):
        land(folder / "landing", batch, *rows)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return folder


def run_unusual_week(folder: Path) -> tuple[Path, str, str]:
    """Deliver ten usual weeks, and run one through Dagster whose amounts are twice as high.

    Returns:
        The project, the run, and the Dagster home it is in.
    """
    project = make_project(folder, "order_path(batches=WEEKS, freshness=Freshness(warn_after='3d', fail_after='6d'))")
    path, installation = order_path(batches=WEEKS), Installation.open(settings_in(project))
    orders: Any = path.table("orders")
    for week in range(1, 12):
        land_week(project / "landing", week, amount=40 if week == 11 else 20)
    for batch in WEEKS[:10]:
        ingest(path, orders, batch=batch, installation=installation, run=Run())
        deliver(path, orders, batch=batch, installation=installation, run=Run())
    before = os.environ.pop("DAGSTER_HOME", None)
    try:
        with launching.open_instance(project) as instance:
            job = launching.find_job("refund_rate", project=project)
            ran = launching.run_batch(job, WEEKS[10], instance=instance, tags={})
            return project, ran.run_id, os.environ["DAGSTER_HOME"]
    finally:
        os.environ.pop("DAGSTER_HOME", None)
        if before is not None:
            os.environ["DAGSTER_HOME"] = before
