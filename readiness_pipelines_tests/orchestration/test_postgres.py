"""The same batches on Postgres: Dagster's storage, the catalog and the ledger, with the same rows as on SQLite."""

import os
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from readiness_pipelines.delivery import reconcile
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration import launching
from readiness_pipelines_tests.cli.calling import as_json
from readiness_pipelines_tests.conftest import ROOT, settings_in
from readiness_pipelines_tests.databases import new_postgres_database, use_database
from readiness_pipelines_tests.orchestration.samples import make_project
from readiness_pipelines_tests.samples import order_domain

TABLES = ("shop.orders", "shop_quarantine.orders", "shop.paid", "shop.refund_rate")

pytestmark = pytest.mark.slow


def ran(project: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Run all batches of a project through its Dagster instance: what every table shows, without times."""
    with launching.open_instance(project) as instance:
        job = launching.find_job("shop", project=project)
        for batch in ("day_1", "day_2", "day_3"):
            launching.run_batch(job, batch, instance=instance, tags={})
        assert instance.get_runs_count() == 3
    installation = Installation.open(settings_in(project))
    assert reconcile([order_domain()], installation=installation).problems == ()
    shown = {}
    with installation.engine() as engine:
        for name in TABLES:
            rows = installation.lakehouse.relation(engine, TableId.parse(name)).to_arrow_table().to_pylist()
            hidden = {"_quarantined_at"}
            shown[name] = sorted(tuple(str(v) for k, v in row.items() if k not in hidden) for row in rows)
    return shown


@pytest.fixture
def on_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[Any, ...]]]:
    monkeypatch.setenv("DAGSTER_HOME", "")
    (tmp_path / "sqlite").mkdir()
    return ran(make_project(tmp_path / "sqlite"))


def test_all_three_on_postgres_give_the_same_rows(
    on_sqlite: dict[str, list[tuple[Any, ...]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    project = make_project(folder)
    use_database("postgres", project)
    home = project / "home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.postgres.yaml", home / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", new_postgres_database())
    assert ran(project) == on_sqlite
    assert not list(project.rglob("*.db")), "nothing is left on SQLite"
    with dg.DagsterInstance.get() as instance:
        assert type(instance.run_storage).__name__ != "SqliteRunStorage"
    monkeypatch.setenv("READINESS_CATALOG_URL", (project / "database.url").read_text())
    monkeypatch.setenv("READINESS_LANDING", str(project / "landing"))
    monkeypatch.setenv("READINESS_WAREHOUSE", str(project / "warehouse"))
    monkeypatch.setenv("READINESS_KEYS", '{"patients": "env:PATIENTS_KEY", "cards": "env:PATIENTS_KEY"}')
    monkeypatch.setenv("PATIENTS_KEY", "a key of tests, of more than 32 bytes")
    monkeypatch.chdir(os.fspath(ROOT))
    found = {one["what"]: one for one in as_json("doctor", "--instance")}
    assert found["catalog"]["detail"].startswith("Postgres answers; ")
    assert found["Dagster's storage"]["detail"] == "3 runs"
