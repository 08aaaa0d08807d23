"""What imports what, and that one name is one thing."""

import ast
import subprocess
import sys
from pathlib import Path

import readiness_pipelines

PACKAGE = Path(readiness_pipelines.__file__).parent
BLOCKED = """
import importlib, pkgutil, sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"dagster", "dagster_shared", "dagster_webserver"}:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Block())
import readiness_pipelines
FOLDERS = "contracts sources gates engines lakehouse ledger decisions products delivery overview examples cli"
for folder in FOLDERS.split():
    package = importlib.import_module(f"readiness_pipelines.{folder}")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"readiness_pipelines.{folder}.{module.name}")
print("imported", len([name for name in sys.modules if name.startswith("readiness_pipelines")]))
"""


def test_everything_below_orchestration_imports_without_dagster() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("imported")


def test_the_block_blocks() -> None:
    code = BLOCKED + "\nimport readiness_pipelines.orchestration"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "dagster is blocked" in done.stderr


def test_the_public_names_are_these() -> None:
    assert sorted(readiness_pipelines.__all__) == [
        "BatchHeldError",
        "BatchNotLandedError",
        "BatchUnsettledError",
        "Case",
        "Categories",
        "Classification",
        "CommitConflictError",
        "CommitUnknownError",
        "DailyBatches",
        "Dates",
        "DeclarationError",
        "Deduplicate",
        "Domain",
        "EngineError",
        "ExistsIn",
        "FileDrop",
        "FileUnreadableError",
        "FillMissing",
        "FlagMissing",
        "Freshness",
        "Function",
        "Gate",
        "GateBuildError",
        "HourlyBatches",
        "LakehouseBusyError",
        "LakehouseError",
        "LandingError",
        "LedgerBusyError",
        "LedgerError",
        "Mean",
        "MonthlyBatches",
        "NotInOtherBatches",
        "NullTokens",
        "Numbers",
        "Ratio",
        "ReadinessError",
        "RejectMissing",
        "Route",
        "SchemaChange",
        "Source",
        "SqlQuery",
        "StaticBatches",
        "Steward",
        "Sum",
        "Tolerance",
        "Trim",
        "UnknownNameError",
        "UpstreamNotPublishedError",
        "Value",
        "Versions",
        "WeeklyBatches",
        "WithinUsualRange",
        "ZeroPad",
        "__version__",
        "cleanse",
        "null_share",
        "row_count",
    ]


def test_one_class_name_is_one_thing() -> None:
    found: dict[str, list[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(str(file.relative_to(PACKAGE)))
    assert {name: files for name, files in found.items() if len(files) > 1} == {}
