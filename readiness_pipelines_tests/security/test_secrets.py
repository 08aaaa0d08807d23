"""No secret is in logs, metadata, errors, the ledger, the catalog or Dagster's storage: all of it is searched."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from readiness_pipelines.storage import Place
from readiness_pipelines_tests.conftest import ROOT
from readiness_pipelines_tests.databases import new_postgres_database
from readiness_pipelines_tests.orchestration.samples import make_project
from readiness_pipelines_tests.rest_catalog import serve_rest_catalog
from readiness_pipelines_tests.stores import new_bucket
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

pytestmark = pytest.mark.slow

MARKS = {
    "database": "marked-database-5e1f",
    "key": "MARKEDKEY5E1FMARKEDKEY",
    "secret": "marked-secret-5e1f",
    "token": "marked-token-5e1f",
    "channel": "marked-channel-5e1f",
}
ALERTS = """
[[alerts.channels]]
name = "oncall"
url_variable = "ONCALL_URL"

[[alerts.rules]]
channels = ["oncall"]
"""


@pytest.fixture
def told(tmp_path: Path) -> tuple[Path, Place, str, dict[str, str]]:
    """A project on Postgres and S3 whose secrets are marked, and the environment that carries them."""
    project = make_project(tmp_path)
    bucket = new_bucket()
    database = new_postgres_database().replace("postgres:@", f"postgres:{MARKS['database']}@")
    assert MARKS["database"] in database
    home = project / "home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home / "dagster.yaml")
    (project / "readiness.toml").write_text(ALERTS)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("READINESS_", "AWS_"))},
        "DAGSTER_HOME": str(home),
        "READINESS_CATALOG_URL": database,
        "READINESS_LANDING": str(project / "landing"),
        "READINESS_WAREHOUSE": f"{bucket.uri}/warehouse",
        "READINESS_S3_ENDPOINT": bucket.store.endpoint,
        "READINESS_S3_REGION": bucket.store.region,
        "READINESS_DOMAINS": "readiness_pipelines_tests.security.orders:shop",
        "AWS_ACCESS_KEY_ID": MARKS["key"],
        "AWS_SECRET_ACCESS_KEY": MARKS["secret"],
        "AWS_SESSION_TOKEN": MARKS["token"],
        "ONCALL_URL": f"json://me:{MARKS['channel']}@127.0.0.1:1/",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
    }
    (project / "workspace.yaml").write_text(
        "load_from:\n  - python_module:\n      module_name: readiness_pipelines_tests.security.orders\n"
    )
    return project, bucket, database, environment


def command(project: Path, environment: dict[str, str], *arguments: str) -> str:
    """All that a command says, whatever its exit code."""
    code = "from readiness_pipelines.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS,
    )  # fmt: skip
    return done.stdout + done.stderr


def marked(content: bytes) -> list[str]:
    return [name for name, mark in MARKS.items() if mark.encode() in content]


def rows_of(database: str) -> bytes:
    """Every row of every table of a database, as text."""
    engine = create_engine(database)
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        assert {"iceberg_tables", "ledger_trail"} <= set(tables), tables
        found = [repr(connection.execute(text(f'SELECT * FROM "{name}"')).fetchall()) for name in tables]
    engine.dispose()
    return "\n".join(found).encode()


def test_none_is_left_anywhere_after_runs_errors_and_alerts(told: Any) -> None:
    project, bucket, database, environment = told
    said = command(project, environment, "run")
    assert "day_3" in said, said
    said += command(project, environment, "doctor", "--instance")
    said += command(project, environment, "watch")
    assert "127.0.0.1" in said or "oncall" in said, "the channel was tried"
    broken = {**environment, "READINESS_S3_ENDPOINT": "http://127.0.0.1:1"}
    said += command(project, broken, "run", "--batch", "day_1")
    gone = {**environment, "READINESS_CATALOG_URL": f"postgresql://me:{MARKS['database']}@127.0.0.1:1/none"}
    answer = command(project, gone, "status")
    assert "127.0.0.1" in answer, answer
    said += answer
    wrong = {**environment, "READINESS_ENGINE_MEMORY_MB": MARKS["secret"], "READINESS_ENGINE": MARKS["token"]}
    said += command(project, wrong, "status")
    assert marked(said.encode()) == []
    assert marked(rows_of(database)) == []
    for file in bucket.files():
        with bucket.read_anywhere(file.name) as content:
            assert marked(content.read()) == [], file.name
    searched = [file for file in project.rglob("*") if file.is_file()]
    assert any("runs" in str(file) for file in searched), "Dagster's storage is searched, too"
    assert [(file, marked(file.read_bytes())) for file in searched if marked(file.read_bytes())] == []


def test_a_rest_catalog_s_token_is_used_and_not_told(told: Any, tmp_path: Path) -> None:
    project, bucket, _, environment = told
    address = serve_rest_catalog(tmp_path, token=MARKS["token"])
    environment |= {
        "READINESS_CATALOG_URL": address,
        "READINESS_LEDGER_URL": f"sqlite:///{project / 'ledger.db'}",
        "PYICEBERG_CATALOG__READINESS__TOKEN": MARKS["token"],
    }
    environment.pop("AWS_SESSION_TOKEN")
    said = command(project, environment, "run")
    assert "day_3" in said, said
    wrong = {**environment, "PYICEBERG_CATALOG__READINESS__TOKEN": MARKS["channel"]}
    refused = command(project, wrong, "status")
    assert "READINESS_CATALOG_URL" in refused, refused
    assert marked((said + refused).encode()) == []
    for file in bucket.files():
        with bucket.read_anywhere(file.name) as content:
            assert marked(content.read()) == [], file.name
    assert [file for file in project.rglob("*") if file.is_file() and marked(file.read_bytes())] == []
