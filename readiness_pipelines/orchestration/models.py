"""Models in Dagster: each an asset that a run trains, and a sensor that carries out what was decided about them."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any

import dagster as dg

from readiness_pipelines.contracts import Domain, Model, TrainingSet
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.installation import Installation, Run, utc_now
from readiness_pipelines.ledger import ModelVersion, RetrainingRequest, ServingState
from readiness_pipelines.models import (
    DriftStep,
    act_on_drift,
    built_for,
    end_retrainings,
    open_retrainings,
    serve_decided,
    train_model,
)
from readiness_pipelines.orchestration.failures import as_failures
from readiness_pipelines.orchestration.jobs import Assets, asset_job
from readiness_pipelines.orchestration.keys import WHO_TAG, asset_key, plain_name
from readiness_pipelines.orchestration.metadata import owners_of
from readiness_pipelines.orchestration.replays import MOST_TAG_CHARACTERS, WHY_TAG
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of
from readiness_pipelines.orchestration.work import UNDER_WAY

CANDIDATE = "candidate"
"""Ends the key of the asset that a training materializes: the model's own key is the table of what serves."""

RETRAINING_TAG = "readiness/retraining"
TICK_SECONDS = 60
AGAIN_AFTER = timedelta(hours=1)
"""A training that failed or was canceled is tried again so long after; twice as long each time, up to a day."""
_MOST_LOOKED_AT = 30


class TrainingConfig(dg.Config):
    """What a training run may be told.

    Attributes:
        seed: What random numbers begin with; the model's own where none is given.
    """

    seed: int | None = None


def candidate_key(model: Model) -> dg.AssetKey:
    """The key of the asset that a training materializes."""
    return dg.AssetKey([model.id.domain, model.id.name, CANDIDATE])


def train_job_name(model: Model) -> str:
    """Name of the job that trains a model."""
    return f"{model.id.domain}_{model.id.name}_train"


def model_asset(model: Model) -> dg.AssetsDefinition:
    """Trains a candidate, registers it, and compares it with the champion. It serves nobody before it is promoted."""
    tables = model.training.tables if isinstance(model.training, TrainingSet) else ()

    @dg.asset(
        key=candidate_key(model),
        deps=[asset_key(table.id) for table in tables],
        group_name=model.domain.name,
        description=model.description or f"The newest candidate of {model.id}.",
        owners=owners_of(model.owner),
        tags={"readiness/step": "model", "readiness/risk": model.risk.value},
        kinds={"python", "mlflow"},
        metadata={
            "readiness/promotion_rule": str(model.promote),
            "readiness/approver": model.approver or "none is needed",
            "readiness/training_set": str(model.training.id) if isinstance(model.training, TrainingSet) else "",
        },
        required_resource_keys={INSTALLATION},
        pool=plain_name(model.id),
    )
    def candidate(context: dg.AssetExecutionContext, config: TrainingConfig) -> dg.MaterializeResult[None]:
        installation = installation_of(context.resources)
        tags = context.run.tags
        run = Run(run_id=context.run.run_id, who=tags.get(WHO_TAG) or tags.get("user") or "dagster")
        with as_failures(model.serving):
            built = built_for(model, installation=installation, run=run)
            version = train_model(model, built, installation=installation, run=run, seed=config.seed)
            end_retrainings(model, version, installation=installation, run=run)
        state = installation.ledger.models.serving(model.id)
        return dg.MaterializeResult(metadata=version_metadata(model, version, state))

    return candidate


def version_metadata(model: Model, version: ModelVersion, state: ServingState) -> Mapping[str, Any]:
    """What the asset's page shows of a version: the metrics as numbers that Dagster plots, the rest to read."""
    measured, validation = version.measured, version.validation
    metadata: dict[str, Any] = {
        "version": version.version,
        "serves as": state.role(version.version) or "nothing yet",
        "compared": str(validation.get("why", "not compared")),
        "passed": bool(validation.get("passed")),
    }
    if validation.get("passed") and state.champion != version.version:
        metadata["next"] = f'readiness model promote {model.id} {version.version} --reason "…"'
    metadata |= {
        name: dg.MetadataValue.float(value) for name, value in measured.get("metrics", {}).items() if value is not None
    }
    if slices := measured.get("slices"):
        metadata["by slice"] = dg.MetadataValue.md(_slices_text(slices, model.metrics))
    return {
        **metadata,
        "training set": version.training_set,
        "rows to learn from": measured.get("trained_rows", 0),
        "rows held out": measured.get("rows", 0),
        "code": str(version.facts.get("commit") or "no commit"),
        "seed": int(version.facts.get("seed", 0)),
        "artefact": version.checksum,
        "MLflow": str(version.registry.get("run", "not registered")),
    }


def _slices_text(slices: Mapping[str, Any], metrics: tuple[str, ...]) -> str:
    lines = [f"| attribute | slice | rows | {' | '.join(metrics)} |", f"|{' --- |' * (3 + len(metrics))}"]
    for column, found in slices.items():
        for one in found:
            values = (one["metrics"].get(name) for name in metrics)
            shown = " | ".join("–" if value is None else f"{value:.4f}" for value in values)
            lines.append(f"| {column} | {one['slice']} | {one['rows']:,} | {shown} |")
    return "\n".join(lines)


def train_job(model: Model, assets: Assets, resources: Mapping[str, dg.ResourceDefinition]) -> dg.JobDefinition:
    """A job that trains a model."""
    description = f"Trains a candidate of {model.id} and compares it with the champion."
    return asset_job(train_job_name(model), [candidate_key(model)], description, assets, resources)


def look(model: Model, installation: Installation, context: dg.SensorEvaluationContext) -> None:
    """Look whether a model drifts, where something has happened since the last look; what is wanted is kept."""
    try:
        found = act_on_drift(model, installation=installation, run=Run(who="drift"))
    except ReadinessError as error:  # what only watches stops no training
        context.log.warning(f"the drift of {model.id} is not known: {error.what}")
        return
    if found is not None and found.decision.step is not DriftStep.NOTHING:
        context.log.info(f"{model.id}: {found.decision.tier} drift, {found.decision.step}: {found.decision.why}")


def models_sensor(domain: Domain, jobs: Mapping[str, dg.JobDefinition]) -> dg.SensorDefinition:
    """Carries out what was decided about a domain's models: trains them anew, and delivers who serves.

    Args:
        domain: The domain; it has models.
        jobs: The training jobs, by name.
    """

    @dg.sensor(
        name=f"{domain.name}_models",
        jobs=[jobs[train_job_name(model)] for model in domain.models],
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Looks whether models drift; trains them anew where that is wanted and nobody has to allow it;"
        " delivers who serves, where a crash kept that from happening.",
        required_resource_keys={INSTALLATION},
    )
    def models(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        installation = installation_of(context.resources)
        requests = []
        if (pulse := str(installation.ledger.pulse())) != context.cursor:
            for model in domain.models:
                look(model, installation, context)
            context.update_cursor(pulse)
        for model in domain.models:
            try:
                serve_decided(model, installation=installation, run=Run(who="sensor"))
            except ReadinessError as error:
                context.log.warning(f"what serves of {model.id} is not delivered: {error.what}")
            if waiting := open_retrainings(model, installation=installation):
                first = waiting[0]
                tags = {RETRAINING_TAG: str(first.id), WHO_TAG: first.who, WHY_TAG: first.why[:MOST_TAG_CHARACTERS]}
                if key := _run_key(context.instance, first):
                    requests.append(dg.RunRequest(job_name=train_job_name(model), run_key=key, tags=tags))
        if not requests:
            return dg.SkipReason("no model is to be trained anew")
        return dg.SensorResult(run_requests=requests)

    return models


def _run_key(instance: dg.DagsterInstance, request: RetrainingRequest) -> str:
    """A key that no run of a request has, for Dagster starts no second one with it; "" before its time."""
    tags = {RETRAINING_TAG: str(request.id)}
    if instance.get_runs(dg.RunsFilter(tags=tags, statuses=UNDER_WAY), limit=1):
        return ""  # Dagster tries a lost run again by itself, or somebody does
    over = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    ended = instance.get_run_records(dg.RunsFilter(tags=tags, statuses=over), limit=_MOST_LOOKED_AT)
    if not ended:
        return f"retraining-{request.id}"
    newest = ended[0]
    tries = len({one.dagster_run.root_run_id or one.dagster_run.run_id for one in ended})
    wait = min(AGAIN_AFTER * 2 ** (tries - 1), timedelta(days=1))
    if utc_now() < newest.update_timestamp.replace(tzinfo=UTC) + wait:
        return ""
    return f"retraining-{request.id}-after-{newest.dagster_run.run_id}"
