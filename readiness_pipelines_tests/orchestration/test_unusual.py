"""What Dagster is told of a batch that is not like the others, of a late table, and of what broke."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from readiness_pipelines import Freshness
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration import build_definitions, launching
from readiness_pipelines.orchestration.breaking import failure_sensor
from readiness_pipelines.orchestration.resources import INSTALLATION
from readiness_pipelines.orchestration.watching import watch_sensor
from readiness_pipelines.orchestration.work import WORK_TAG
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.orchestration.samples import run_unusual_week
from readiness_pipelines_tests.samples import GOOD, WEEKS, gated, land, order_domain

ORDERS = dg.AssetKey(["shop", "orders"])
TABLES = [TableId("shop_raw", "orders"), TableId("shop", "orders")]
PROMISE = Freshness(warn_after="3d", fail_after="6d")


def test_a_moved_column_fails_its_check_with_numbers_and_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, run_id, home = run_unusual_week(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", home)
    with launching.open_instance(project) as instance:
        records = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        run = instance.get_run_by_id(run_id)
    found = [record.dagster_event.asset_check_evaluation_data for record in records if record.dagster_event]
    checks = {check.check_name: check for check in found if check.asset_key == ORDERS}
    assert run is not None
    assert run.status is dg.DagsterRunStatus.SUCCESS
    moved, volume = checks["distribution"], checks["volume"]
    assert (moved.passed, moved.severity, moved.partition) == (False, dg.AssetCheckSeverity.WARN, WEEKS[10])
    assert str(moved.description).startswith("amount: median 40")
    assert moved.metadata["unusual_columns"].value == 1
    assert moved.metadata["compared_columns"].value == 4
    assert isinstance(moved.metadata["largest_psi"].value, float)
    assert "](data:image/png;base64,iVBOR" in str(moved.metadata["histograms"].value)
    assert volume.passed
    assert volume.description == "as in 10 batches before"
    least, rows, most = (volume.metadata[n].value for n in ("expected_least", "published_rows", "expected_most"))
    assert isinstance(least, float)
    assert isinstance(rows, int)
    assert isinstance(most, float)
    assert least < rows < most
    assert "freshness" not in checks, "a run of one batch says nothing about the whole table"


def test_with_too_few_batches_the_checks_say_how_many_are_needed(project: Path, instance: dg.DagsterInstance) -> None:
    ran = launching.run_batch(launching.find_job("shop", project=project), "day_2", instance=instance, tags={})
    records = instance.all_logs(ran.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [record.dagster_event.asset_check_evaluation_data for record in records if record.dagster_event]
    (volume,) = [check for check in found if (check.asset_key, check.check_name) == (ORDERS, "volume")]
    assert (volume.passed, volume.description) == (
        True,
        "silent: 0 earlier batches, 8 are needed to tell what is usual",
    )


def deliver_good(project: Path, at: datetime) -> None:
    orders, installation = gated(order_domain()), Installation.open(settings_in(project))
    land(project / "landing", "day_1", *GOOD)
    run = Run(clock=lambda: at)
    ingest(orders, batch="day_1", installation=installation, run=run)
    deliver(orders, batch="day_1", installation=installation, run=run)


@pytest.mark.parametrize(("days", "state", "passed"), [(1, "fresh", True), (4, "late", False), (9, "failed", False)])
def test_freshness_is_a_check_that_anybody_can_run(project: Path, days: int, state: str, passed: bool) -> None:
    deliver_good(project, datetime.now(UTC) - timedelta(days=days))
    definitions = build_definitions(order_domain(freshness=PROMISE), settings=settings_in(project))
    checks: Any = list(definitions.asset_checks or ())
    ran = dg.materialize(
        checks,
        selection=dg.AssetSelection.all_asset_checks(),
        instance=dg.DagsterInstance.ephemeral(),
        resources={INSTALLATION: Installation.open(settings_in(project))},
    )
    (found,) = ran.get_asset_check_evaluations()
    assert (found.check_name, found.passed, found.metadata["state"].value) == ("freshness", passed, state)


def test_the_sensor_evaluates_the_check_of_a_table_that_changed_its_state_once(
    project: Path, instance: dg.DagsterInstance
) -> None:
    deliver_good(project, datetime.now(UTC) - timedelta(days=4))
    domain = order_domain(freshness=PROMISE)

    def tick() -> list[Any]:
        context = dg.build_sensor_context(
            instance=instance,
            repository_def=build_definitions(domain).get_repository_def(),
            resources={INSTALLATION: Installation.open(settings_in(project))},
        )
        return list(watch_sensor([domain], settings_in(project)).evaluate_tick(context).asset_events)

    (late,) = tick()
    assert (late.asset_key, late.check_name, late.passed) == (ORDERS, "freshness", False)
    assert tick() == []
    deliver_good(project, datetime.now(UTC))
    assert tick() == [], "replaying the same batch makes nothing fresh"


SENSED = {WORK_TAG: "its key"}
"""What the work sensor asks for is said to be there."""


def failed(project: Path, instance: dg.DagsterInstance, batch: str, **tags: str) -> tuple[dg.DagsterRun, str]:
    """Run a batch that fails, and let the sensor look at it: the run, and what the sensor says."""
    job = launching.find_job("shop", project=project)
    ran = launching.run_batch(job, batch, instance=instance, tags={"readiness/who": "me", **tags})
    (event,) = instance.all_logs(ran.run_id, of_type=dg.DagsterEventType.PIPELINE_FAILURE)
    assert event.dagster_event is not None
    context = dg.build_run_status_sensor_context(
        sensor_name="readiness_failures", dagster_event=event.dagster_event, dagster_instance=instance, dagster_run=ran
    ).for_run_failure()
    told = failure_sensor([order_domain()], settings_in(project))(context)
    assert isinstance(told, dg.SkipReason)
    return ran, str(told.skip_message)


def test_a_held_batch_is_told_from_a_broken_one(project: Path, instance: dg.DagsterInstance) -> None:
    ledger = Installation.open(settings_in(project)).ledger
    assert failed(project, instance, "day_3")[1].startswith("held: the gate's verdict on day_3")
    assert ledger.last_failures(tables=TABLES) == ()
    (project / "landing" / "orders" / "day_2.csv").unlink()
    assert failed(project, instance, "day_2")[1].startswith("nothing landed of day_2")
    assert ledger.last_failures(tables=TABLES) == ()
    ran, told = failed(project, instance, "day_2", **SENSED)
    assert told.startswith("broken: day_2: no file landed")
    (entry,) = ledger.last_failures(tables=TABLES)
    assert (entry.ref.batch, entry.run_id, entry.who) == ("day_2", ran.run_id, "me")
    assert "no file landed for batch 'day_2'" in str(entry.why)


def test_what_broke_outside_a_delivery_is_in_the_ledger_once_and_over_with_the_next(
    project: Path, instance: dg.DagsterInstance
) -> None:
    ledger = Installation.open(settings_in(project)).ledger
    (project / "landing" / "orders" / "day_1.csv").unlink()
    ran, _ = failed(project, instance, "day_1", **SENSED)
    (entry,) = ledger.last_failures(tables=TABLES)
    again = ledger.note_broken(entry.ref, run_id=ran.run_id, who="me", error="again", at=datetime.now(UTC))
    assert not again
    assert len(ledger.last_failures(tables=TABLES)) == 1
    land(project / "landing", "day_1", *GOOD)
    launching.run_batch(launching.find_job("shop", project=project), "day_1", instance=instance, tags={})
    assert ledger.last_failures(tables=TABLES) == ()


def test_a_delivery_that_was_killed_ends_as_broken(project: Path) -> None:
    ledger = Installation.open(settings_in(project)).ledger
    deliver_good(project, datetime.now(UTC))
    (record, *_) = ledger.batches(tables=[TableId("shop", "orders")])
    ledger.begin(record.ref, attempt="killed", run_id="r1", who="me", at=datetime.now(UTC))
    assert ledger.note_broken(record.ref, run_id="r1", who="me", error="killed", at=datetime.now(UTC))
    assert ledger.open_attempts() == ()
    (entry,) = ledger.last_failures(tables=TABLES)
    assert (entry.ref, entry.why, entry.attempt) == (record.ref, "killed", "killed")
