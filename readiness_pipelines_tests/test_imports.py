"""What imports what, and that one name is one thing."""

import ast
import inspect
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import readiness_pipelines
from readiness_pipelines.cli.main import COMMANDS
from readiness_pipelines.cli.on_demand import imported

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


STATISTICS = {"scipy"}
TABLES = {"pyiceberg", "sqlalchemy", "requests"}
OTHERS = {
    "dagster", "dagster_shared", "alembic", "grpc", "altair", "vl_convert", "apprise", "polars", "pyspark",
    "hypothesis", "psycopg2", "sqlalchemy.dialects.postgresql",
}  # fmt: skip
DECLARING = {"pandera", "pyarrow", "duckdb", "numpy", "narwhals", "pydantic", "pydantic_settings"}

NAME = "import readiness_pipelines; readiness_pipelines.__all__"
HELP = """
import sys
from readiness_pipelines.cli.main import main
sys.argv = ["readiness", {arguments}]
main()
"""
PAGE = """
from readiness_pipelines.domains import load_domains
from readiness_pipelines.settings import Settings
assert load_domains(Settings(domains=("readiness_pipelines.examples.readmissions:readmissions",)))
"""


@pytest.mark.parametrize(
    ("code", "left_out"),
    [
        pytest.param(NAME, STATISTICS | TABLES | OTHERS | DECLARING, id="import readiness_pipelines"),
        pytest.param(HELP.format(arguments="'--help'"), STATISTICS | TABLES | OTHERS | DECLARING, id="--help"),
        pytest.param(HELP.format(arguments="'--version'"), STATISTICS | TABLES | OTHERS | DECLARING, id="--version"),
        # Where pandas is installed, Pandera loads it.
        pytest.param(PAGE, STATISTICS | TABLES | OTHERS | {"pyarrow.parquet", "pyarrow.dataset"}, id="declarations"),
        pytest.param(HELP.format(arguments="'status'"), STATISTICS | OTHERS, id="status"),
    ],
)
def test_what_is_not_needed_is_not_imported(code: str, left_out: set[str], tmp_path: Path) -> None:
    environment = {**os.environ, "READINESS_WAREHOUSE": str(tmp_path / "warehouse"), "PYTHONPATH": str(PACKAGE.parent)}
    # Commands end the process, but not without what is registered for its end.
    asked = f"import atexit, sys; atexit.register(lambda: print(sorted({left_out!r} & set(sys.modules))))\n{code}"
    command = [sys.executable, "-c", asked]
    (tmp_path / "readiness.toml").write_text(
        '[settings]\ndomains = ["readiness_pipelines.examples.readmissions:readmissions"]\n'
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_each_name_of_a_package_is_found_when_it_is_asked_for() -> None:
    """Those that are imported under TYPE_CHECKING are those that are given, and are what is called so."""
    found = 0
    for file in sorted(PACKAGE.rglob("__init__.py")):
        if "import_on_demand(" not in file.read_text():
            continue
        package = import_module(".".join((PACKAGE.name, *file.parent.relative_to(PACKAGE).parts)))
        assert sorted(vars(package)["_on_demand"]) == sorted(package.__all__)
        for name in package.__all__:
            assert not inspect.ismodule(getattr(package, name)), f"{package.__name__}.{name}"
            found += 1
        with pytest.raises(AttributeError, match="no attribute 'nobody'"):
            _ = package.nobody
    assert found > 100


def test_a_command_is_listed_with_the_help_that_it_has_itself() -> None:
    for name, command in COMMANDS.items():
        assert command.help == inspect.cleandoc(imported(name, command.home).help).split("\n\n")[0].replace("\n", " ")


def test_everything_below_orchestration_imports_without_dagster() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("imported")


def test_the_block_blocks() -> None:
    code = BLOCKED + "\nimport readiness_pipelines.orchestration.definitions"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "dagster is blocked" in done.stderr


def test_the_public_names_are_these() -> None:
    assert sorted(readiness_pipelines.__all__) == [
        "Availability",
        "BatchHeldError",
        "BatchNotLandedError",
        "BatchUnsettledError",
        "Bucket",
        "Case",
        "Categories",
        "ChangeColumns",
        "Changes",
        "Classification",
        "Classified",
        "CommitConflictError",
        "CommitUnknownError",
        "DailyBatches",
        "Dates",
        "DeclarationError",
        "Deduplicate",
        "Domain",
        "DriftResponse",
        "EngineError",
        "ExistsIn",
        "FileDrop",
        "FileUnreadableError",
        "FillMissing",
        "FlagMissing",
        "FormatPreserving",
        "Freshness",
        "Function",
        "Gate",
        "GateBuildError",
        "Holdout",
        "HourlyBatches",
        "KAnonymity",
        "KeepFirst",
        "KeepLast",
        "LDiversity",
        "LabelStudio",
        "LakehouseBusyError",
        "LakehouseError",
        "LandedChangedError",
        "LandedTable",
        "LandingError",
        "Late",
        "LatestValues",
        "LedgerBusyError",
        "LedgerError",
        "MaskingVerified",
        "Mean",
        "MonthlyBatches",
        "NoisyCount",
        "NoisyRatio",
        "NotInOtherBatches",
        "NotWorse",
        "NullTokens",
        "Numbers",
        "OnCallCalendar",
        "PostgresChanges",
        "Pseudonym",
        "QuarterHourlyBatches",
        "Ratio",
        "ReadinessError",
        "RegistryError",
        "RejectMissing",
        "RemovePrefix",
        "RiskTier",
        "Route",
        "SchemaChange",
        "SetNull",
        "Sla",
        "SlotLostError",
        "Source",
        "SqlQuery",
        "StaticBatches",
        "Steward",
        "StreamError",
        "StreamFencedError",
        "StreamGapError",
        "Sum",
        "Token",
        "Tolerance",
        "Topic",
        "TopicReplacedError",
        "Trim",
        "UnknownNameError",
        "UpstreamNotPublishedError",
        "Value",
        "Versions",
        "WeeklyBatches",
        "Withhold",
        "WithinUsualRange",
        "YearOnly",
        "ZeroPad",
        "__version__",
        "classified",
        "cleanse",
        "compute_features",
        "latest_values",
        "null_share",
        "protect",
        "row_count",
    ]


def test_one_class_name_is_one_thing() -> None:
    found: dict[str, list[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(str(file.relative_to(PACKAGE)))
    assert {name: files for name, files in found.items() if len(files) > 1} == {}
