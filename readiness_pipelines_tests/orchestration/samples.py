"""A project on disk with the order path, as a user would have it, and a real Dagster instance."""

import shutil
import sys
from pathlib import Path

from readiness_pipelines_tests.conftest import ROOT
from readiness_pipelines_tests.samples import GOOD, MOSTLY_BAD, ONE_BAD, land

DEFINITIONS = """
from pathlib import Path
from readiness_pipelines.orchestration import build_definitions
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import order_path

path = order_path()
defs = build_definitions(path, settings=settings_in(Path(__file__).parent))
"""


def make_project(folder: Path) -> Path:
    """A project folder with three landed batches: one in part, one good, one held. Its module has a name of its own."""
    module = f"order_project_{abs(hash(str(folder)))}"
    (folder / f"{module}.py").write_text(DEFINITIONS)
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
