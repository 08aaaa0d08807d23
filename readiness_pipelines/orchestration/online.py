"""Offline is online: a nightly job that compares latest values with what is published."""

from collections.abc import Sequence

import dagster as dg

from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery.online.checking import check_online
from readiness_pipelines.delivery.online.columns import online_views
from readiness_pipelines.delivery.online.keeping import keep_online
from readiness_pipelines.errors import UpstreamNotPublishedError
from readiness_pipelines.installation import Run
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of

ONLINE_JOB = "compare_latest_values"
ONLINE_NIGHTLY = "47 4 * * *"


def online_job(domains: Sequence[Domain]) -> dg.JobDefinition:
    """A job that keeps what a crash left stale, then compares sampled keys of each view with what is published.

    A difference becomes an incident of the view; the run fails, so that it is seen here, too.
    """

    @dg.op(
        name="comparison",
        required_resource_keys={INSTALLATION},
        description="Compares sampled keys of each feature view with what is published.",
    )
    def comparison(context: dg.OpExecutionContext) -> None:
        installation, run = installation_of(context.resources), Run(run_id=context.run_id)
        metadata: dict[str, str | int] = {}
        wrong = []
        for view in online_views(domains):
            late = keep_online(view, installation=installation, run=run)
            try:
                found = check_online(view, installation=installation, run=run)
            except UpstreamNotPublishedError:
                continue
            metadata |= {f"{view.id}: keys": found.keys, f"{view.id}: differ": found.wrong}
            if late.batches:
                metadata[f"{view.id}: batches kept late"] = len(late.batches)
            if not found.equal:
                wrong.append(
                    f"{view.id}: {found.wrong} of {found.keys} keys differ: readiness features refresh {view.id}"
                )
        context.add_output_metadata(metadata)
        if wrong:
            raise dg.Failure("\n".join(wrong), metadata=metadata, allow_retries=False)

    @dg.job(
        name=ONLINE_JOB,
        description="Compares latest values with what is published.",
        executor_def=dg.in_process_executor,
    )
    def compare_latest_values() -> None:
        comparison()

    return compare_latest_values


def online_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Every night."""
    return dg.ScheduleDefinition(
        name=f"{ONLINE_JOB}_nightly",
        job=job,
        cron_schedule=ONLINE_NIGHTLY,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night some thousand keys of each view.",
    )
