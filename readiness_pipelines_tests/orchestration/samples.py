"""A project on disk with the order domain, as a user would have it, and a real Dagster instance."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.orchestration import launching
from readiness_pipelines_tests.conftest import ROOT, settings_in
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, WEEKS, gated, land, land_week, order_domain

DEFINITIONS = """
from pathlib import Path
from readiness_pipelines.orchestration import build_definitions
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines import Freshness
from readiness_pipelines_tests.samples import WEEKS, order_domain

domain = {domain}
defs = build_definitions(domain, settings=settings_in(Path(__file__).parent))
"""
SHOP = "order_domain()"


def make_project(folder: Path, domain: str = SHOP) -> Path:
    """A project folder with three landed batches: one in part, one good, one held. Its module has a name of its own.

    Args:
        folder: Where.
        domain: Python that makes the domain.
    """
    module = f"order_project_{abs(hash(str(folder)))}"
    (folder / f"{module}.py").write_text(DEFINITIONS.format(domain=domain))
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
    project = make_project(folder, "order_domain(batches=WEEKS, freshness=Freshness(warn_after='3d', fail_after='6d'))")
    orders, installation = gated(order_domain(batches=WEEKS)), Installation.open(settings_in(project))
    for week in range(1, 12):
        land_week(project / "landing", week, amount=40 if week == 11 else 20)
    for batch in WEEKS[:10]:
        ingest(orders, batch=batch, installation=installation, run=Run())
        deliver(orders, batch=batch, installation=installation, run=Run())
    with own_home() as home, launching.open_instance(project) as instance:
        job = launching.find_job("shop", project=project)
        ran = launching.run_batch(job, WEEKS[10], instance=instance, tags={})
        return project, ran.run_id, home()


@contextmanager
def own_home() -> Iterator[Callable[[], str]]:
    """Let the instances that are opened choose their home; the callable tells which."""
    before = os.environ.pop("DAGSTER_HOME", None)
    try:
        yield lambda: os.environ["DAGSTER_HOME"]
    finally:
        os.environ.pop("DAGSTER_HOME", None)
        if before is not None:
            os.environ["DAGSTER_HOME"] = before
