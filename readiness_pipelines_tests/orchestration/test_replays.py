"""Replays from Dagster: asked for, run once, closed; and decided in the launchpad."""

from pathlib import Path

import dagster as dg
import pytest

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import RequestState
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration import build_definitions, launching
from readiness_pipelines.orchestration.deciding import decide_job
from readiness_pipelines.orchestration.replays import REQUEST_TAG, replay_tags
from readiness_pipelines.orchestration.resources import INSTALLATION
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.samples import order_domain
from readiness_pipelines_tests.security.ward import ward

DAY_3 = BatchRef(TableId("shop", "orders"), "day_3")


@pytest.fixture
def installation(project: Path, instance: dg.DagsterInstance) -> Installation:
    """The held batch ran."""
    job = launching.find_job("shop", project=project)
    launching.run_batch(job, "day_3", instance=instance, tags={})
    return Installation.open(settings_in(project))


def tick(instance: dg.DagsterInstance, installation: Installation) -> list[dg.RunRequest]:
    repository = build_definitions(order_domain()).get_repository_def()
    sensor = repository.get_sensor_def("shop_replay_requests")
    context = dg.build_sensor_context(
        instance=instance, repository_def=repository, resources={INSTALLATION: installation}
    )
    return list(sensor.evaluate_tick(context).run_requests or ())


def carry_out(project: Path, instance: dg.DagsterInstance, request: dg.RunRequest) -> dg.DagsterRun:
    job = launching.find_job("shop_replay", project=project)
    assert request.partition_key is not None
    tables = [TableId(*key.path) for key in request.asset_selection or ()]
    return launching.run_batch(job, request.partition_key, instance=instance, tags=dict(request.tags), tables=tables)


def decide(project: Path, *decisions: dict[str, object], **more: object) -> dg.ExecuteInProcessResult:
    job = launching.find_job("shop_decide", project=project).definition
    given = {"batch": "day_3", "who": "ann", "why": "known export", "decisions": list(decisions), **more}
    ops = {"shop_decision": {"config": given}}
    return job.execute_in_process(run_config={"ops": ops}, raise_on_error=False)


def test_a_request_becomes_one_run_of_the_job_for_its_batch_and_is_closed(
    project: Path, instance: dg.DagsterInstance, installation: Installation
) -> None:
    assert tick(instance, installation) == []
    asked = installation.ledger.request_replay(DAY_3, who="ann", why="mended", at=installation.ledger.trail()[-1].at)
    (request,) = tick(instance, installation)
    assert (request.run_key, request.partition_key) == (f"replay-{asked.id}", "day_3")
    assert request.tags.items() >= replay_tags(asked.id, who="ann", why="mended").items()
    ran = carry_out(project, instance, request)
    assert REQUEST_TAG in ran.tags
    assert tick(instance, installation) == []
    (closed,) = installation.ledger.replay_requests()
    assert (closed.state, closed.run_id, closed.outcome) == (RequestState.DONE, ran.run_id, "held")


def test_a_decision_in_the_launchpad_turns_the_partition_green(
    project: Path, instance: dg.DagsterInstance, installation: Installation
) -> None:
    assert decide(project, {"action": "waive", "rule": "tolerance", "until": "2099-01-01"}).success
    (request,) = tick(instance, installation)
    ran = carry_out(project, instance, request)
    assert ran.status is dg.DagsterRunStatus.SUCCESS
    record = installation.ledger.get(DAY_3)
    assert record is not None
    assert record.state is BatchState.PARTLY_PUBLISHED
    for table in ("orders", "paid", "refund_rate"):
        assert set(instance.get_materialized_partitions(dg.AssetKey(["shop", table]))) == {"day_3"}
    events = instance.all_logs(ran.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    checks = [event.dagster_event.asset_check_evaluation_data for event in events if event.dagster_event]
    (gate,) = (check for check in checks if check.check_name == "gate" and check.asset_key.path == ["shop", "orders"])
    assert gate.passed
    (decision,) = installation.ledger.decisions(DAY_3)
    assert (decision.who, decision.why) == ("ann (unproved)", "known export")


def test_a_decision_that_cannot_be_fails_with_the_way_out_and_asks_for_nothing(
    project: Path, instance: dg.DagsterInstance, installation: Installation
) -> None:
    ran = decide(project, {"action": "discard"}, {"action": "waive", "rule": "tolerence"})
    assert not ran.success
    failure = ran.filter_events(lambda event: event.is_step_failure)[0].step_failure_data
    assert "unknown rule 'tolerence'" in str(failure.user_failure_data or failure.error)
    assert installation.ledger.decisions(DAY_3) == ()
    assert tick(instance, installation) == []


def test_three_corrections_are_looked_at_together_kept_together_and_replayed_once(
    project: Path, instance: dg.DagsterInstance, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    (project / "fix.csv").write_text("_row,amount\n0,10.5\n")
    three: list[dict[str, object]] = [
        {"action": "correct", "column": "amount", "expression": "'20'", "where": "amount = '-20'"},
        {"action": "correct", "file": "fix.csv"},
        {"action": "correct", "column": "status", "expression": "'paid'", "where": "status = 'lost'"},
    ]
    seen = decide(project, *three, dry_run=True)
    assert seen.success
    (output,) = (event for event in seen.all_events if event.is_successful_output)
    metadata = output.step_output_data.metadata
    assert metadata["would_be"].value == "held → published"
    changed = metadata["changed_rows"]
    assert isinstance(changed, dg.TableMetadataValue)
    rows = [record.data for record in changed.records]
    assert [(row["row"], row["would_be"], row["cells"]) for row in rows] == [
        (0, "published", "amount: x → 10.5"),
        (1, "published", "amount: -20 → 20"),
        (2, "published", "status: lost → paid"),
        (3, "published", ""),
    ]
    assert (installation.ledger.decisions(DAY_3), tick(instance, installation)) == ((), [])
    assert decide(project, *three).success
    assert len(installation.ledger.decisions(DAY_3)) == 3
    (request,) = tick(instance, installation)
    assert carry_out(project, instance, request).status is dg.DagsterRunStatus.SUCCESS
    outside = decide(project, {"action": "correct", "file": "../fix.csv"})
    assert "not in the project's folder" in str(outside.all_events)


def test_the_launchpad_is_filled_in_and_what_it_says_runs_as_a_dry_run_once_a_batch_and_a_name_are_given(
    project: Path, instance: dg.DagsterInstance, installation: Installation
) -> None:
    job = launching.find_job("shop_decide", project=project).definition
    filled = job.run_config
    assert filled is not None
    assert dg.validate_run_config(job, filled)
    given = filled["ops"]["shop_decision"]["config"]
    assert (given["table"], given["dry_run"]) == ("orders", True)
    assert not decide(project, **given).success
    assert decide(project, **{**given, "batch": "day_3", "who": "ann"}).success
    assert installation.ledger.decisions(DAY_3) == ()


def test_a_discarded_batch_fails_no_run_and_says_why(
    project: Path, instance: dg.DagsterInstance, installation: Installation
) -> None:
    assert decide(project, {"action": "discard"}).success
    (request,) = tick(instance, installation)
    ran = carry_out(project, instance, request)
    assert ran.status is dg.DagsterRunStatus.SUCCESS
    record = installation.ledger.get(DAY_3)
    assert record is not None
    assert record.state is BatchState.DISCARDED
    assert instance.get_materialized_partitions(dg.AssetKey(["shop", "orders"])) == set()


def test_the_launchpad_takes_values_only_where_no_column_is_classified() -> None:
    decisions = [{"action": "discard", "where": "name = 'Ann'"}]
    given = {"batch": "day_1", "why": "x", "who": "ann", "decisions": decisions}
    for domain, takes in ((order_domain(), True), (ward, False)):
        job, config = decide_job(domain), {"ops": {f"{domain.name}_decision": {"config": given}}}
        if takes:
            assert dg.validate_run_config(job, config)
        else:
            with pytest.raises(dg.DagsterInvalidConfigError, match="where"):
                dg.validate_run_config(job, config)
