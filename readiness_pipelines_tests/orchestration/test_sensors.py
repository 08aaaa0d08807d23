"""Sensors that need nobody: what is due is run once, and what is not as promised becomes an incident."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import RUN_KEY_TAG

from readiness_pipelines.batches import DailyBatches, Versions
from readiness_pipelines.contracts import Domain
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import FindingKind
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration import build_definitions, launching
from readiness_pipelines.orchestration.queues import note_stuck_queue
from readiness_pipelines.orchestration.resources import INSTALLATION
from readiness_pipelines.overview import observe
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import GOOD, land, order_domain
from readiness_pipelines_tests.waiting import wait_for_room


@pytest.fixture
def project(project: Path) -> Path:
    """The files landed long ago: none is still being written."""
    for file in (project / "landing" / "orders").iterdir():
        os.utime(file, (1_000_000_000, 1_000_000_000))
    return project


def tick(sensor: str, instance: dg.DagsterInstance, project: Path, domain: Domain | None = None) -> Any:
    repository = build_definitions(domain or order_domain(), settings=settings_in(project)).get_repository_def()
    context = dg.build_sensor_context(
        instance=instance,
        instance_ref=instance.get_ref(),
        repository_def=repository,
        resources={INSTALLATION: Installation.open(settings_in(project))},
    )
    return repository.get_sensor_def(sensor).evaluate_tick(context)


def carry_out(project: Path, instance: dg.DagsterInstance, request: dg.RunRequest) -> dg.DagsterRun:
    job = launching.find_job(str(request.job_name), project=project)
    tables = [TableId(*key.path) for key in request.asset_selection or ()]
    chosen = [table for table in tables if not table.domain.endswith("_raw")]
    return launching.run_batch(
        job, str(request.partition_key), instance=instance, tags=dict(request.tags), tables=chosen
    )


def test_what_arrived_is_run_once(project: Path, instance: dg.DagsterInstance) -> None:
    asked = tick("shop_work", instance, project).run_requests or []
    assert [(request.job_name, request.partition_key) for request in asked] == [
        ("shop", "day_1"),
        ("shop", "day_2"),
        ("shop", "day_3"),
    ]
    assert {key.to_user_string() for key in asked[0].asset_selection} == {
        "shop_raw/orders",
        "shop/orders",
        "shop/paid",
        "shop/refund_rate",
    }
    again = tick("shop_work", instance, project).run_requests or []
    assert [request.run_key for request in asked] == [request.run_key for request in again]
    for request in asked:
        carry_out(project, instance, request)
    done = tick("shop_work", instance, project)
    assert (done.run_requests or [], done.skip_message) == ([], "nothing is due")
    land(project / "landing", "day_2", *GOOD, "9,1,paid,x")
    os.utime(project / "landing" / "orders" / "day_2.csv", (1_000_000_001, 1_000_000_001))
    (again,) = tick("shop_work", instance, project).run_requests or []
    assert again.partition_key == "day_2"
    assert again.run_key not in {request.run_key for request in asked}


def test_a_file_that_is_still_being_written_waits(
    project: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READINESS_SETTLES", "1h")
    orders = project / "landing" / "orders"
    os.utime(orders / "day_2.csv")
    asked = tick("shop_work", instance, project).run_requests or []
    assert [request.partition_key for request in asked] == ["day_1", "day_3"]
    for file in orders.iterdir():
        os.utime(file)
    assert "still arriving: day_1 of shop.orders (orders/day_1.csv" in tick("shop_work", instance, project).skip_message


def test_what_broke_is_not_run_again_by_itself(project: Path, instance: dg.DagsterInstance) -> None:
    file = project / "landing" / "orders" / "day_1.csv"
    file.write_bytes(b"order_id,amount\xff\xfe\x00")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    first = (tick("shop_work", instance, project).run_requests or [])[0]
    assert carry_out(project, instance, first).status is dg.DagsterRunStatus.FAILURE
    asked = tick("shop_work", instance, project).run_requests or []
    assert "day_1" not in [request.partition_key for request in asked]


def test_a_batch_under_way_is_not_asked_for_again(project: Path, instance: dg.DagsterInstance) -> None:
    job = launching.find_job("shop", project=project).definition
    tags = {"dagster/partition": "day_1"}
    instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    asked = tick("shop_work", instance, project).run_requests or []
    assert [request.partition_key for request in asked] == ["day_2", "day_3"]


def test_a_run_that_somebody_canceled_is_asked_for_again_with_a_key_that_no_run_has(
    project: Path, instance: dg.DagsterInstance
) -> None:
    job = launching.find_job("shop", project=project).definition
    for _ in range(2):
        asked = tick("shop_work", instance, project).run_requests[0]
        assert asked.partition_key == "day_1"
        assert instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: asked.run_key})) == []  # the daemon would skip it
        tags = {**asked.tags, "dagster/partition": "day_1", RUN_KEY_TAG: asked.run_key}
        instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.CANCELED)


def test_files_that_go_back_to_what_they_were_are_run_again(project: Path, instance: dg.DagsterInstance) -> None:
    file = project / "landing" / "orders" / "day_1.csv"
    first, keys = file.read_bytes(), []
    for content in (first, first + b"9,1,paid,x\n", first):
        file.write_bytes(content)
        os.utime(file, (1_000_000_000, 1_000_000_000))
        (asked,) = [one for one in tick("shop_work", instance, project).run_requests if one.partition_key == "day_1"]
        assert carry_out(project, instance, asked).status is dg.DagsterRunStatus.SUCCESS
        keys.append(asked.run_key)
    assert len(set(keys)) == 3


def test_what_is_computed_from_a_changed_batch_becomes_due_without_its_source(
    project: Path, instance: dg.DagsterInstance
) -> None:
    job = launching.find_job("shop", project=project)
    launching.run_batch(job, "day_2", instance=instance, tags={}, tables=[TableId("shop", "orders")])
    (asked,) = [one for one in tick("shop_work", instance, project).run_requests if one.partition_key == "day_2"]
    assert {key.to_user_string() for key in asked.asset_selection} == {"shop/paid", "shop/refund_rate"}
    assert carry_out(project, instance, asked).status is dg.DagsterRunStatus.SUCCESS


def test_a_day_under_way_is_run_when_its_file_comes_and_tomorrow_is_not(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    today = wait_for_room("day", seconds=120).date()
    days = DailyBatches(start=today - timedelta(days=2))
    for age in (-1, 0, 1):
        key = (today - timedelta(days=age)).isoformat()
        os.utime(land(tmp_path / "landing", key, *GOOD), (1_000_000_000, 1_000_000_000))
    asked = tick("shop_work", instance, tmp_path, order_domain(batches=days)).run_requests
    assert [request.partition_key for request in asked] == [(today - timedelta(days=1)).isoformat(), today.isoformat()]


def test_a_new_version_becomes_a_partition_with_its_run(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    shutil.rmtree(tmp_path / "landing")
    os.utime(land(tmp_path / "landing", "2026-11-01", *GOOD), (1_000_000_000, 1_000_000_000))
    asked = tick("shop_work", instance, tmp_path, order_domain(batches=Versions()))
    (request,) = asked.run_requests
    (added,) = asked.dynamic_partitions_requests
    assert (request.job_name, request.partition_key) == ("shop_versions_orders", "2026-11-01")
    assert (added.partitions_def_name, added.partition_keys) == ("shop__orders", ["2026-11-01"])


def test_a_held_batch_becomes_an_incident_at_the_next_look(project: Path, instance: dg.DagsterInstance) -> None:
    job = launching.find_job("shop", project=project)
    launching.run_batch(job, "day_3", instance=instance, tags={})
    for changes in (1, 0):
        seen = tick("readiness_watch", instance, project)
        assert seen.skip_message == f"no freshness promise; {changes} changes, 0 messages sent"
    (incident,) = Installation.open(settings_in(project)).ledger.incidents.incidents(active=True)
    assert (incident.finding.kind, incident.finding.batch) == ("held", "day_3")


def test_a_run_that_waits_while_none_ends_is_found_until_it_waits_no_more(
    project: Path, instance: dg.DagsterInstance
) -> None:
    shop, installation = order_domain(), Installation.open(settings_in(project))
    tags = {"dagster/partition": "day_1"}
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("orders"), "__repository__"), "shop")
    queued = dg.DagsterRunStatus.QUEUED
    waiting = dg.DagsterRun(job_name="shop", run_id=str(uuid4()), status=queued, tags=tags, remote_job_origin=origin)
    instance.add_run(waiting)

    def found(minutes: int) -> list[tuple[FindingKind, str, str | None]]:
        now = datetime.now(UTC) + timedelta(minutes=minutes)
        note_stuck_queue(instance, [shop], installation=installation, now=now)
        seen = observe(shop.tables, installation=installation, now=now).findings
        return [(one.kind, str(one.table), one.batch) for one in seen]

    assert found(5) == []
    assert found(20) == found(30) == [(FindingKind.QUEUE, "shop.orders", "day_1")]
    tick("readiness_watch", instance, project)
    assert installation.ledger.findings.of() == (), "the sensor looks, too: by its clock it has not waited so long"
    assert found(40)
    instance.delete_run(waiting.run_id)
    assert found(45) == []
