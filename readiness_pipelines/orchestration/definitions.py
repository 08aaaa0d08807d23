"""Paths as one Dagster code location."""

import dagster as dg

from readiness_pipelines.contracts import DataPath
from readiness_pipelines.orchestration.assets import path_assets
from readiness_pipelines.orchestration.breaking import failure_sensor
from readiness_pipelines.orchestration.freshness import batch_selection, freshness_checks
from readiness_pipelines.orchestration.landing import landing_sensor
from readiness_pipelines.orchestration.replays import decide_job, replay_job, replay_sensor
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_resource
from readiness_pipelines.orchestration.upkeep import maintain_job, maintain_schedule
from readiness_pipelines.orchestration.watching import watch_sensor
from readiness_pipelines.settings import Settings


def build_definitions(*paths: DataPath, settings: Settings | None = None) -> dg.Definitions:
    """The assets, checks, jobs and resources of some paths.

    Every path has a job of its own name that takes one batch from landing to KPI, in one process; ``<path>_replay``,
    which judges a batch again; ``<path>_decide``, which keeps a decision and asks for the replay; a sensor that
    runs it, and another that runs what lands. One sensor watches all of them, another notes what broke.

    Args:
        paths: The paths.
        settings: Where things are; ``None`` reads the environment when a run begins.

    Raises:
        GateBuildError: A table's schema cannot become a gate.
    """
    assets = [asset for path in paths for asset in path_assets(path)]
    checks = [check for path in paths if (check := freshness_checks(path)) is not None]
    jobs = [
        dg.define_asset_job(
            name=path.name,
            selection=batch_selection(path),
            description=f"{path.kpi.question} One batch, from landing to KPI.",
            executor_def=dg.in_process_executor,
        )
        for path in paths
    ]
    return dg.Definitions(
        assets=assets,
        jobs=[*jobs, *map(replay_job, paths), *map(decide_job, paths), maintain_job],
        schedules=[maintain_schedule],
        asset_checks=checks,
        sensors=[
            *map(landing_sensor, paths),
            *map(replay_sensor, paths),
            failure_sensor(paths, settings),
            watch_sensor(paths, settings),
        ],
        resources={INSTALLATION: installation_resource(settings)},
        executor=dg.in_process_executor,
    )
