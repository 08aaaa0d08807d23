"""Models in Dagster: a run trains a candidate that a person can read, and a request to train anew becomes a run."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import BatchFinding, FindingKind, RetrainingState
from readiness_pipelines.models import promote_model, request_retraining
from readiness_pipelines.orchestration import build_definitions, models
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.models.clinic import clinic, deliver_stays, land, model_of, set_of_stays

BATCHES = ("b1", "b2", "b3", "b4", "b5")


def check_a_failed_one_is_tried_again(
    request: dg.RunRequest,
    job: dg.JobDefinition,
    tick: Callable[[], dg.SensorResult | dg.SkipReason],
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not at once, and not while Dagster tries it again by itself."""
    failed = instance.create_run_for_job(job, tags=request.tags, status=dg.DagsterRunStatus.FAILURE)
    assert not tick().run_requests  # type: ignore[union-attr]
    monkeypatch.setattr(models, "AGAIN_AFTER", timedelta(0))
    retry = instance.create_run_for_job(
        job,
        tags=request.tags,
        status=dg.DagsterRunStatus.STARTED,
        parent_run_id=failed.run_id,
        root_run_id=failed.run_id,
    )
    assert not tick().run_requests  # type: ignore[union-attr]
    instance.delete_run(retry.run_id)
    (again,) = tick().run_requests  # type: ignore[union-attr,misc]
    assert again.run_key == f"{request.run_key}-after-{failed.run_id}"


def test_a_request_becomes_a_run_that_trains_a_candidate_with_its_numbers_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path).model_copy(update={"mlflow_uri": "off"})
    domain = clinic(training=set_of_stays, batches=BATCHES, cool_down="0s")
    model, installation = model_of(domain), replace(Installation.open(settings), mlflow_uri="off")
    land(installation.landing.path, "b1")
    deliver_stays(domain, installation, "b1")
    definitions = build_definitions(domain, settings=settings)
    repository = definitions.get_repository_def()
    sensor = repository.get_sensor_def("clinic_models")
    with dg.DagsterInstance.ephemeral() as instance:

        def tick() -> dg.SensorResult | dg.SkipReason:
            context = dg.build_sensor_context(
                instance=instance, repository_def=repository, resources={"installation": installation}
            )
            with context:
                return sensor.evaluate_tick(context)  # type: ignore[return-value]

        assert not tick().run_requests  # type: ignore[union-attr]
        asked = request_retraining(
            model,
            key="age",
            why="age drifts",
            evidence={"column": "age"},
            installation=installation,
            run=Run(who="drift"),
        )
        (request,) = tick().run_requests  # type: ignore[union-attr,misc]
        job = repository.get_job(str(request.job_name))
        check_a_failed_one_is_tried_again(request, job, tick, instance, monkeypatch)
        done = job.execute_in_process(instance=instance, tags=request.tags)
        assert done.success
        (event,) = done.get_asset_materialization_events()
        metadata: dict[str, Any] = {name: value.value for name, value in event.materialization.metadata.items()}
        assert metadata["version"] == 1
        assert metadata["auc"] > 0.8
        assert "| ward | A |" in metadata["by slice"]
        assert metadata["next"] == 'readiness model promote clinic.readmission 1 --reason "…"'
        (ended,) = installation.ledger.models.retrainings(model.id)
        assert (ended.id, ended.state, ended.version) == (asked.id, RetrainingState.DONE, 1)
        assert installation.ledger.models.get(model.id, 1).who == "drift"
        promote_model(model, 1, why="first", installation=installation, run=Run(who="ann"))
        assert not tick().run_requests  # type: ignore[union-attr]

        # A world that changed: what is in three batches after each other is no more as it was. One of them is held.
        for batch in BATCHES[1:]:
            land(installation.landing.path, batch)
        bad = "".join(f"{number},500,1,A\n" for number in range(40))
        (installation.landing.path / "stays" / "b3.csv").write_text(f"stay,age,visits,ward\n{bad}")
        run_domains(domain, installation=installation)
        assert installation.ledger.get(BatchRef(domain.table("stays").id, "b3")).state is BatchState.HELD  # type: ignore[union-attr]
        for number, batch in enumerate(("b2", "b4", "b5")):
            assert not tick().run_requests, f"{number} batches are no change"  # type: ignore[union-attr]
            older = BatchFinding(
                kind=FindingKind.DISTRIBUTION,
                measured="values",
                column="age",
                promised="median 50",
                seen="median 90",
            )
            ref = BatchRef(domain.table("stays").id, batch)
            installation.ledger.findings.replace(ref, {FindingKind.DISTRIBUTION: [older]}, at=Run().clock())
        (request,) = tick().run_requests  # type: ignore[union-attr,misc]
        assert (request.job_name, request.tags["readiness/who"]) == ("clinic_readmission_train", "drift")
        assert (
            repository.get_job(str(request.job_name)).execute_in_process(instance=instance, tags=request.tags).success
        )
        (_, drifted) = installation.ledger.models.retrainings(model.id)
        assert (drifted.state, drifted.evidence["batches"]) == (RetrainingState.DONE, ["b2", "b4", "b5"])
        assert installation.ledger.models.serving(model.id).champion == 1  # nobody serves because of drift alone
        assert not tick().run_requests  # type: ignore[union-attr]
