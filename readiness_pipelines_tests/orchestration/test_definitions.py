"""Domains as a code location: several in one, one that reads another's tables, and what is refused with a message."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain
from readiness_pipelines.batches import DailyBatches, MonthlyBatches
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.orchestration import build_definitions, launching
from readiness_pipelines.orchestration.metadata import owners_of
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.orchestration.samples import make_project
from readiness_pipelines_tests.samples import GOOD, gated, land, order_domain
from readiness_pipelines_tests.waiting import LONGEST_SECONDS


class Sales(pa.DataFrameModel):
    """Sales of a month."""

    amount: arrow.float64()


def domains() -> tuple[Domain, Domain]:
    """Orders by day, and another domain that adds them up by month."""
    shop = order_domain(batches=DailyBatches(start=date(2026, 1, 1), end=date(2026, 2, 1)))
    finance = Domain("finance", owner="finance@shop.example")
    months = MonthlyBatches(start=date(2026, 1, 1), end=date(2026, 2, 1))

    @finance.derived(schema=Sales, reads={"orders": shop.table("orders")}, batches=months)
    def sales(orders: Any) -> Any:
        return orders.aggregate("sum(amount) AS amount")

    return shop, finance


def test_several_domains_are_one_code_location() -> None:
    repository = build_definitions(*domains()).get_repository_def()
    names = {job.name for job in repository.get_all_jobs()} - {"__ASSET_JOB"}
    assert names == {
        "shop", "shop_replay", "shop_decide", "finance", "finance_replay", "finance_decide",
        "maintain_tables", "prove_tables",
    }  # fmt: skip
    assert {sensor.name for sensor in repository.sensor_defs} == {
        "shop_work", "shop_replay_requests", "finance_work", "finance_replay_requests",
        "readiness_failures", "readiness_watch",
    }  # fmt: skip
    graph = repository.asset_graph
    sales = graph.get(dg.AssetKey(["finance", "sales"]))
    assert (sales.group_name, sales.owners) == ("finance", ["finance@shop.example"])
    assert sales.parent_keys == {dg.AssetKey(["shop", "orders"])}


def test_an_owner_in_any_script_is_shown_as_it_is_written() -> None:
    owners = owners_of("購買チーム", "Équipe <achats>", "हिन्दी टीम", "???")
    assert owners == ["team:購買チーム", "team:Équipe-achats", "team:हिन्दी-टीम", "team:nobody"]
    dg.AssetSpec("orders", owners=owners)  # Dagster takes them


def test_nothing_that_is_due_runs_by_itself_where_the_settings_say_so(tmp_path: Path) -> None:
    for automatic, status in ((True, dg.DefaultSensorStatus.RUNNING), (False, dg.DefaultSensorStatus.STOPPED)):
        settings = settings_in(tmp_path).model_copy(update={"automatic": automatic})
        shop, _ = domains()
        repository = build_definitions(shop, settings=settings).get_repository_def()
        assert repository.get_sensor_def("shop_work").default_status is status


def test_a_home_without_a_file_gets_the_project_s_and_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with launching.open_instance(tmp_path) as instance:
        assert not instance.telemetry_enabled
    assert not (home / "dagster.yaml").is_symlink()


def test_a_domain_alone_names_the_tables_of_another_that_it_reads() -> None:
    _, finance = domains()
    graph = build_definitions(finance).get_repository_def().asset_graph
    assert not graph.get(dg.AssetKey(["shop", "orders"])).is_executable
    assert graph.get(dg.AssetKey(["finance", "sales"])).is_executable


def test_a_month_is_computed_from_the_days_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    for day in ("2026-01-05", "2026-01-06"):
        land(tmp_path / "landing", day, *GOOD)
    shop, finance = domains()
    installation = Installation.open(settings_in(tmp_path))
    orders = gated(shop)
    for day in ("2026-01-05", "2026-01-06"):
        ingest(orders, batch=day, installation=installation, run=Run())
        deliver(orders, batch=day, installation=installation, run=Run())
    with dg.instance_for_test() as instance:
        for given in ((finance,), (shop, finance)):
            job = build_definitions(*given, settings=settings_in(tmp_path)).resolve_job_def("finance")
            ran = job.execute_in_process(instance=instance, partition_key="2026-01")
            (event,) = ran.asset_materializations_for_node("finance__sales")
            assert event.metadata["readiness/input_batches"].value == 2
            assert event.metadata["dagster/row_count"].value == 1


def test_what_is_declared_wrong_is_refused_with_a_message() -> None:
    shop = order_domain()
    assert len(list(build_definitions(shop, shop).resolve_all_job_defs())) == 6
    with pytest.raises(DeclarationError, match="two domains are called 'shop'"):
        build_definitions(shop, order_domain())
    with pytest.raises(DeclarationError, match="two jobs would be called 'shop_replay'"):
        build_definitions(shop, order_domain("shop_replay"))
    with pytest.raises(DeclarationError, match="the domain empty has no table"):
        build_definitions(Domain("empty", owner="x@shop.example"))


def test_dagster_shows_what_was_declared_wrong_first_and_short(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "from readiness_pipelines.orchestration import build_definitions\n"
        "from readiness_pipelines.settings import Settings\n"
        'defs = build_definitions(settings=Settings(domains=("no.such:shop",)))\n'
    )
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "wrong", "-d", str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    assert ran.returncode != 0
    shown = ran.stdout + ran.stderr
    assert "DeclarationError: the settings name the domain 'no.such:shop', which cannot be imported" in shown
    assert "write it as module:attribute" in shown
    assert shown.count('File "') == 2, "the user's line, and the one that raises"
    assert "During handling" not in shown


def test_a_name_that_another_code_location_has_fails_the_step_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    project = make_project(tmp_path)
    installation = Installation.open(settings_in(project))
    orders = gated(order_domain())
    monkeypatch.setattr(orders.domain, "module", "elsewhere.shop")
    run = Run(clock=lambda: datetime.now(UTC))
    ingest(orders, batch="day_1", installation=installation, run=run)
    with launching.open_instance(project) as instance:
        ran = launching.run_batch(launching.find_job("shop", project=project), "day_1", instance=instance, tags={})
        failure = launching.failure_of(ran, instance=instance)
        verdict = launching.is_verdict(ran, instance=instance)
    assert ran.status is dg.DagsterRunStatus.FAILURE
    assert "elsewhere.shop" in failure
    assert not verdict
