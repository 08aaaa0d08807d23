"""Sensors that need nobody: what lands is run once, and what is not as promised becomes an incident."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from readiness_pipelines.installation import Installation
from readiness_pipelines.orchestration import build_definitions, launching
from readiness_pipelines.orchestration.landing import landing_sensor
from readiness_pipelines.orchestration.resources import INSTALLATION
from readiness_pipelines.orchestration.watching import watch_sensor
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import GOOD, land, order_path


@pytest.fixture
def project(project: Path) -> Path:
    """The files landed long ago: none is still being written."""
    for file in (project / "landing" / "orders").iterdir():
        os.utime(file, (1_000_000_000, 1_000_000_000))
    return project


def tick(sensor: dg.SensorDefinition, instance: dg.DagsterInstance, project: Path) -> Any:
    context = dg.build_sensor_context(
        instance=instance,
        repository_def=build_definitions(order_path()).get_repository_def(),
        resources={INSTALLATION: Installation.open(settings_in(project))},
    )
    return sensor.evaluate_tick(context)


def test_each_set_of_files_is_run_once(project: Path, instance: dg.DagsterInstance) -> None:
    sensor = landing_sensor(order_path())
    asked = tick(sensor, instance, project).run_requests or []
    assert [request.partition_key for request in asked] == ["day_1", "day_2", "day_3"]
    assert [r.run_key for r in asked] == [r.run_key for r in tick(sensor, instance, project).run_requests or []]
    job = launching.find_job("refund_rate", project=project)
    for request in asked:
        launching.run_batch(job, str(request.partition_key), instance=instance, tags=dict(request.tags))
    told = tick(sensor, instance, project)
    assert (told.run_requests or [], told.skip_message) == ([], "nothing new landed")
    land(project / "landing", "day_2", *GOOD, "9,1,paid,x")
    os.utime(project / "landing" / "orders" / "day_2.csv", (1_000_000_001, 1_000_000_001))
    (again,) = tick(sensor, instance, project).run_requests or []
    assert again.partition_key == "day_2"
    assert again.run_key not in {request.run_key for request in asked}


def test_a_file_that_broke_is_not_run_again_by_itself(project: Path, instance: dg.DagsterInstance) -> None:
    sensor = landing_sensor(order_path())
    file = project / "landing" / "orders" / "day_1.csv"
    file.write_bytes(b"order_id,amount\xff\xfe\x00")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    first = (tick(sensor, instance, project).run_requests or [])[0]
    job = launching.find_job("refund_rate", project=project)
    ran = launching.run_batch(job, "day_1", instance=instance, tags=dict(first.tags))
    assert ran.status is dg.DagsterRunStatus.FAILURE
    assert "day_1" not in [request.partition_key for request in tick(sensor, instance, project).run_requests or []]


def test_a_held_batch_becomes_an_incident_at_the_next_look(project: Path, instance: dg.DagsterInstance) -> None:
    job = launching.find_job("refund_rate", project=project)
    launching.run_batch(job, "day_3", instance=instance, tags={})
    sensor = watch_sensor([order_path()], settings_in(project))
    assert tick(sensor, instance, project).skip_message == "no freshness promise; 1 changes, 0 messages sent"
    assert tick(sensor, instance, project).skip_message == "no freshness promise; 0 changes, 0 messages sent"
    (incident,) = Installation.open(settings_in(project)).ledger.incidents.incidents(active=True)
    assert (incident.finding.kind, incident.finding.batch) == ("held", "day_3")
