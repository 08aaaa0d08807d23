"""A sensor that looks at every failed run and tells a gate's verdict from something broken.

A held batch is in the ledger already, with its reason. What broke before a delivery could note it, or was killed in the
middle of one, is noted here: without it, an alert would have to wait until the delivery counts as cut off.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Domain, GatedTable
from readiness_pipelines.errors import BatchNotLandedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration.keys import WHO_TAG, asset_key, replay_job_name
from readiness_pipelines.orchestration.launching import failure_code, failure_of, is_verdict
from readiness_pipelines.orchestration.work import WORK_TAG
from readiness_pipelines.settings import Settings

NAME = "readiness_failures"
TICK_SECONDS = 15


def failure_sensor(domains: Sequence[Domain], settings: Settings | None) -> dg.SensorDefinition:
    """Notes in the ledger what broke in the runs of some domains; it launches nothing.

    Args:
        domains: The domains of the code location.
        settings: Where the ledger is; ``None`` reads the environment at each failure.
    """
    steps = _tables_by_step(domains)
    jobs = {
        job: lane.tables[0].id
        for domain in domains
        for lane in domain.lanes
        for job in (lane.name, replay_job_name(lane))
    }

    @dg.run_failure_sensor(
        name=NAME,
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells held from broken: what broke is noted in the ledger, and alerted on from there.",
    )
    def readiness_failures(context: dg.RunFailureSensorContext) -> dg.SkipReason:
        run = context.dagster_run
        batch = run.tags.get("dagster/partition")
        failed = [str(event.step_key) for event in context.get_step_failure_events()]
        # A run that never came to a step, or broke in a check, is noted at the first table of its lane.
        table = next((steps[step] for step in failed if step in steps), jobs.get(run.job_name))
        if table is None or batch is None:
            return dg.SkipReason(f"{run.job_name} is not a run of a batch of these domains")
        failure = failure_of(run, instance=context.instance)
        if is_verdict(run, instance=context.instance):
            return dg.SkipReason(f"held: the gate's verdict on {batch}, which the ledger has")
        # A backfill over days without a file, say: nothing is owed. What the work sensor ran was said to be there.
        nothing_landed = failure_code(run, instance=context.instance) == BatchNotLandedError.code
        if nothing_landed and WORK_TAG not in run.tags:
            return dg.SkipReason(f"nothing landed of {batch}, and nothing said that it would")
        error = (
            failure.splitlines()[0]
            if failure
            else context.failure_event.message or "the run ended without a message: it was killed, or its machine lost"
        )
        noted = Installation.open(settings or Settings()).ledger.note_broken(
            BatchRef(table, batch),
            run_id=run.run_id,
            who=run.tags.get(WHO_TAG) or "dagster",
            error=error,
            at=Run().clock(),
        )
        return dg.SkipReason(f"broken: {batch}: {error}" + ("" if noted else " (the ledger has it)"))

    return readiness_failures


def _tables_by_step(domains: Sequence[Domain]) -> Mapping[str, TableId]:
    tables = {}
    for domain in domains:
        for table in domain.tables:
            for name in (table.id.raw, table.id) if isinstance(table, GatedTable) else (table.id,):
                tables[asset_key(name).to_python_identifier()] = name
    return tables
