"""A sensor that runs what is due in a domain: what arrived, and what is computed from it. Once, not at each tick."""

from collections.abc import Mapping
from itertools import islice

import dagster as dg

from readiness_pipelines.contracts import Domain, GatedTable, Lane
from readiness_pipelines.delivery import Unsettled, Work, due_work
from readiness_pipelines.errors import LandingError
from readiness_pipelines.installation import Run
from readiness_pipelines.orchestration.keys import WHO_TAG, asset_keys
from readiness_pipelines.orchestration.partitions import partitions_of
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of

TICK_SECONDS = 15

MOST_RUNS = 50
"""So many runs a tick: a backfill of a thousand files must not time a sensor out. The next tick goes on."""

PARTITION_TAG = "dagster/partition"

SHOWN_BATCHES = 3
"""So many of the batches that are not due yet are named."""

WORK_TAG = "readiness/work"
"""Run tag that tells the work from any other: lane, batch and what it is made of."""

FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
UNDER_WAY = [status for status in dg.DagsterRunStatus if status not in FINISHED]
ASKED = [status for status in dg.DagsterRunStatus if status is not dg.DagsterRunStatus.CANCELED]
"""Runs that count as the run of their work; one that somebody canceled does not."""


def work_tags(work: Work, *, who: str) -> Mapping[str, str]:
    """Tags of a run that does some work, so that the sensor does not ask for it again."""
    return {WHO_TAG: who, WORK_TAG: work_key(work)}


def work_key(work: Work) -> str:
    """What tells some work from any other."""
    return f"{work.lane.name}-{work.batch}-{work.fingerprint}"


def work_sensor(domain: Domain, jobs: Mapping[str, dg.JobDefinition], *, automatic: bool) -> dg.SensorDefinition:
    """Runs the lanes of a domain for each batch that is due.

    Args:
        domain: The domain.
        jobs: The lanes' jobs, by name.
        automatic: Whether it runs unless somebody switches it off; else it waits until somebody switches it on.
    """

    @dg.sensor(
        name=f"{domain.name}_work",
        jobs=[jobs[lane.name] for lane in domain.lanes],
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if automatic else dg.DefaultSensorStatus.STOPPED,
        description="Runs what is due: a batch that arrived whole, and what is computed from batches that changed.",
        required_resource_keys={INSTALLATION},
    )
    def work(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        unreachable: list[str] = []
        arriving: list[str] = []

        def note(table: GatedTable, error: LandingError) -> None:
            unreachable.append(f"{table.id} cannot be reached: {error.what}")

        def note_unsettled(table: GatedTable, found: Unsettled) -> None:
            arriving.append(f"{found.batch} of {table.id} ({found.why})")

        found = due_work(
            [domain],
            installation=installation_of(context.resources),
            now=Run().clock(),
            unsettled=note_unsettled,
            unreachable=note,
        )
        for problem in unreachable:
            context.log.warning(problem)
        due = [one for one in found if _is_due(one.lane, one.batch)]
        busy = batches_under_way(context.instance, domain)
        free = (one for one in due if (one.lane.name, one.batch) not in busy)
        waiting = list(islice((one for one in free if not has_run(context.instance, one)), MOST_RUNS))
        if not waiting:
            early = [f"{one.lane.name} {one.batch}" for one in found if one not in due]
            return dg.SensorResult(skip_reason=_skip_text(early, arriving, unreachable))
        return dg.SensorResult(
            run_requests=[_run_request(one) for one in waiting], dynamic_partitions_requests=_new_partitions(waiting)
        )

    return work


def batches_under_way(instance: dg.DagsterInstance, domain: Domain) -> frozenset[tuple[str, str]]:
    """Lanes and batches of which a run is queued or under way: what is left to do is asked for when it has ended."""
    lanes = {lane.name for lane in domain.lanes}
    runs = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
    return frozenset((run.job_name, run.tags.get(PARTITION_TAG, "")) for run in runs if run.job_name in lanes)


def has_run(instance: dg.DagsterInstance, work: Work) -> bool:
    """Whether this very work had its run: what broke is reported, and not tried again by itself."""
    filters = dg.RunsFilter(tags={WORK_TAG: work_key(work)}, statuses=ASKED)
    return bool(instance.get_runs(filters, limit=1))


def _is_due(lane: Lane, batch: str) -> bool:
    """Whether Dagster has the partition: one of the calendar only after it ended."""
    partitions = partitions_of(lane.tables[0])
    return isinstance(partitions, dg.DynamicPartitionsDefinition) or partitions.has_partition_key(batch)


def _run_request(work: Work) -> dg.RunRequest:
    return dg.RunRequest(
        job_name=work.lane.name,
        run_key=work_key(work),
        partition_key=work.batch,
        asset_selection=asset_keys(work.tables),
        asset_check_keys=[],
        tags=work_tags(work, who="sensor"),
    )


def _new_partitions(works: list[Work]) -> list[dg.AddDynamicPartitionsRequest]:
    requests = []
    for one in works:
        partitions = partitions_of(one.lane.tables[0])
        if isinstance(partitions, dg.DynamicPartitionsDefinition):
            requests.append(partitions.build_add_request([one.batch]))
    return requests


def _skip_text(early: list[str], arriving: list[str], unreachable: list[str]) -> str:
    parts = ["nothing is due"]
    for what, batches in (("arrived before their batch ended", early), ("still arriving", arriving)):
        if batches:
            more = len(batches) - SHOWN_BATCHES
            names = ", ".join(batches[:SHOWN_BATCHES]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"{what}: {names}")
    return "; ".join([*parts, *unreachable])
