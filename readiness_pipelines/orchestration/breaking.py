"""A sensor that looks at every failed run and tells a gate's verdict from something broken.

A held batch is in the ledger already, with its reason. What broke before a delivery could note it, or was killed in the
middle of one, is noted here: without it, an alert would have to wait until the delivery counts as cut off.
"""

from collections.abc import Sequence

import dagster as dg

from readiness_pipelines.contracts import DataPath
from readiness_pipelines.delivery import batch_ref, path_tables
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration.keys import WHO_TAG, asset_key
from readiness_pipelines.orchestration.launching import failure_of, is_verdict
from readiness_pipelines.orchestration.replays import replay_job_name
from readiness_pipelines.settings import Settings

NAME = "readiness_failures"
TICK_SECONDS = 15


def failure_sensor(paths: Sequence[DataPath], settings: Settings | None) -> dg.SensorDefinition:
    """Notes in the ledger what broke in the runs of some paths; it launches nothing.

    Args:
        paths: The paths of the code location.
        settings: Where the ledger is; ``None`` reads the environment at each failure.
    """
    jobs = {job: path for path in paths for job in (path.name, replay_job_name(path))}

    @dg.run_failure_sensor(
        name=NAME,
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells held from broken: what broke is noted in the ledger, and alerted on from there.",
    )
    def readiness_failures(context: dg.RunFailureSensorContext) -> dg.SkipReason:
        run = context.dagster_run
        batch = run.tags.get("dagster/partition")
        if run.job_name not in jobs or batch is None:
            return dg.SkipReason(f"{run.job_name} is no run of a batch of ours")
        failure = failure_of(run, instance=context.instance)
        if is_verdict(failure):
            return dg.SkipReason(f"held: the gate's verdict on {batch}, which the ledger has")
        path = jobs[run.job_name]
        installation = Installation.open(settings or Settings())
        noted = installation.ledger.note_broken(
            batch_ref(path, _table(path, context), batch),
            run_id=run.run_id,
            who=run.tags.get(WHO_TAG) or "dagster",
            error=failure
            or context.failure_event.message
            or "the run ended without a word: killed, or its machine lost",
            at=Run().clock(),
        )
        return dg.SkipReason(f"broken: {batch}: {failure}" + ("" if noted else " (the ledger has it)"))

    return readiness_failures


def _table(path: DataPath, context: dg.RunFailureSensorContext) -> TableId:
    """The table whose step failed; the first of the path where the run never came to a step."""
    tables = {asset_key(table).to_python_identifier(): table for table in path_tables(path)}
    steps = [str(event.step_key) for event in context.get_step_failure_events()]
    return next((tables[step] for step in steps if step in tables), path_tables(path)[0])
