"""Domains as one Dagster code location."""

from collections import Counter

import dagster as dg

from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery.online.columns import online_views
from readiness_pipelines.domains import checked_domains, load_domains
from readiness_pipelines.errors import DeclarationError, ReadinessError
from readiness_pipelines.orchestration.assets import domain_assets
from readiness_pipelines.orchestration.breaking import failure_sensor
from readiness_pipelines.orchestration.deciding import decide_job
from readiness_pipelines.orchestration.freshness import freshness_checks
from readiness_pipelines.orchestration.jobs import lane_job, replay_job
from readiness_pipelines.orchestration.keys import decide_job_name, replay_job_name
from readiness_pipelines.orchestration.models import (
    candidate_key,
    model_asset,
    models_sensor,
    train_job,
    train_job_name,
)
from readiness_pipelines.orchestration.online import online_job, online_schedule
from readiness_pipelines.orchestration.replays import replay_sensor
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_resource
from readiness_pipelines.orchestration.upkeep import maintain_job, maintain_schedule, prove_job, prove_schedule
from readiness_pipelines.orchestration.watching import watch_sensor
from readiness_pipelines.orchestration.work import work_sensor
from readiness_pipelines.settings import Settings


def build_definitions(*domains: Domain, settings: Settings | None = None) -> dg.Definitions:
    """The assets, checks, jobs, sensors and resources of some domains.

    Every lane of a domain has a job of its name that takes one batch from raw to product, in one process, and
    ``<lane>_replay``, which judges a batch again. Every domain has ``<domain>_decide``, which keeps a decision and asks
    for the replay; a sensor that runs what is due, and another that runs the replays. Every model has an asset, and a
    job ``<domain>_<model>_train``; a sensor trains it anew where that was requested. Where latest values are kept, a
    job compares them every night. One sensor watches all of them, another notes what broke.

    Args:
        domains: The domains; those that the settings name where none is given.
        settings: Where things are; ``None`` reads the environment when a run begins (and `Settings.automatic` now).

    Raises:
        DeclarationError: No domain is named, one cannot be imported, or two have one name.
        GateBuildError: A table's schema cannot become a gate.
    """
    try:
        chosen = checked_domains(domains) if domains else load_domains(settings or Settings())
        return _definitions(chosen, settings)
    except ReadinessError as error:
        # Dagster shows what is raised while a code location loads: the message, without the way it took through here.
        raise error.with_traceback(None) from None


def _definitions(domains: tuple[Domain, ...], settings: Settings | None) -> dg.Definitions:
    _check_job_names(domains)
    lanes = [lane for domain in domains for lane in domain.lanes]
    assets = {asset.key: asset for domain in domains for asset in domain_assets(domain)}
    resources = {INSTALLATION: installation_resource(settings)}
    jobs = {lane.name: lane_job(lane, assets, resources) for lane in lanes}
    proof = prove_job(domains)
    comparison = [online_job(domains)] if online_views(domains) else []
    automatic = (settings or Settings()).automatic
    replays = {replay_job_name(lane): replay_job(lane, assets, resources) for lane in lanes}
    models = [model for domain in domains for model in domain.models]
    assets |= {candidate_key(model): model_asset(model) for model in models}
    trainings = {train_job_name(model): train_job(model, assets, resources) for model in models}
    return dg.Definitions(
        assets=list(assets.values()),
        jobs=[
            *jobs.values(),
            *replays.values(),
            *trainings.values(),
            *map(decide_job, domains),
            maintain_job,
            proof,
            *comparison,
        ],
        schedules=[maintain_schedule, prove_schedule(proof), *map(online_schedule, comparison)],
        asset_checks=[checks for domain in domains if (checks := freshness_checks(domain)) is not None],
        sensors=[
            *(work_sensor(domain, jobs, automatic=automatic) for domain in domains),
            *(replay_sensor(domain, replays) for domain in domains),
            *(models_sensor(domain, trainings) for domain in domains if domain.models),
            failure_sensor(domains, settings),
            watch_sensor(domains, settings),
        ],
        resources=resources,
        executor=dg.in_process_executor,
    )


def _check_job_names(domains: tuple[Domain, ...]) -> None:
    """Refuse names that give two jobs one name: the domains ``shop`` and ``shop_replay``."""
    names = Counter(decide_job_name(domain.name) for domain in domains)
    for domain in domains:
        if not domain.tables:
            raise DeclarationError(f"the domain {domain.name} has no table", way_out="declare one: domain.gated(…)")
        for lane in domain.lanes:
            names.update((lane.name, replay_job_name(lane)))
        names.update(train_job_name(model) for model in domain.models)
    for name, count in names.items():
        if count > 1:
            raise DeclarationError(
                f"two jobs would be called {name!r}", way_out="rename one of the domains or tables it comes from"
            )
