"""A sensor that runs the replays that were asked for, once each."""

from collections.abc import Mapping, Sequence

import dagster as dg

from readiness_pipelines.batches import BatchRef, in_order
from readiness_pipelines.contracts import Computed, Domain, Lane, Table, downstream
from readiness_pipelines.ledger import Ledger, ReplayRequest, RequestState
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration.keys import WHO_TAG, asset_keys, replay_job_name
from readiness_pipelines.orchestration.partitions import partitions_of
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of

REQUEST_TAG = "readiness/replay_request"
WHY_TAG = "readiness/why"
TICK_SECONDS = 15
MOST_TAG_CHARACTERS = 200


def replay_tags(request: int, *, who: str, why: str) -> Mapping[str, str]:
    """Tags of a run that carries out a replay request: which, who asked, and why."""
    return {REQUEST_TAG: str(request), WHO_TAG: who, WHY_TAG: why[:MOST_TAG_CHARACTERS]}


def replay_sensor(domain: Domain, jobs: Mapping[str, dg.JobDefinition]) -> dg.SensorDefinition:
    """Runs the replays that were asked for, once each, and closes their requests.

    Args:
        domain: The domain.
        jobs: The lanes' replay jobs, by name.
    """
    lanes = {table.id: lane for lane in domain.lanes for table in lane.tables}

    @dg.sensor(
        name=f"{domain.name}_replay_requests",
        jobs=[jobs[replay_job_name(lane)] for lane in domain.lanes],
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Runs the replays that were asked for on the command line or by a decision, once each.",
        required_resource_keys={INSTALLATION},
    )
    def replay_requests(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        ledger = installation_of(context.resources).ledger
        tables = tuple(lanes)
        _note_progress(context.instance, ledger, tables)
        waiting = ledger.replay_requests(tables=tables, state=RequestState.OPEN)
        if not waiting:
            return dg.SensorResult(skip_reason="no replay is asked for")
        growing = [_new_partition(domain, request.ref) for request in waiting]
        return dg.SensorResult(
            run_requests=[_run_request(domain, lanes[request.ref.table], request, ledger) for request in waiting],
            dynamic_partitions_requests=[one for one in growing if one is not None],
        )

    return replay_requests


def replayed_tables(table: Table, lane: Lane, batch: str, ledger: Ledger) -> tuple[Table, ...]:
    """A table, and what is computed from its batch in the same run: the rest becomes due by itself.

    Left out is what cannot be computed, because another of its inputs is not there.
    """
    own = {one.id for one in lane.tables}
    chosen: dict[TableId, Table] = {table.id: table}
    for reader in downstream(table):
        if reader.id in own and _has_inputs(reader, batch, chosen, ledger):
            chosen[reader.id] = reader
    return tuple(chosen.values())


def _has_inputs(reader: Computed, batch: str, chosen: Mapping[TableId, Table], ledger: Ledger) -> bool:
    for read in reader.reads.values():
        there = {*ledger.visible_batches(read.table.id), *([batch] if read.table.id in chosen else [])}
        keys = read.keys(batch, reader.batches, in_order(read.table.batches, there))
        if not keys and not read.mapping.optional:
            return False
    return True


def _run_request(domain: Domain, lane: Lane, request: ReplayRequest, ledger: Ledger) -> dg.RunRequest:
    batch = request.ref.batch
    tables = replayed_tables(domain.table(request.ref.table.name), lane, batch, ledger)
    return dg.RunRequest(
        job_name=replay_job_name(lane),
        run_key=f"replay-{request.id}",
        partition_key=batch,
        asset_selection=asset_keys(tables, with_raw=False),
        asset_check_keys=[],
        tags=replay_tags(request.id, who=request.who, why=request.why),
    )


def _new_partition(domain: Domain, ref: BatchRef) -> dg.AddDynamicPartitionsRequest | None:
    """What makes a batch known to an instance that has lost it; nothing where its batches do not grow."""
    partitions = partitions_of(domain.table(ref.table.name))
    return partitions.build_add_request([ref.batch]) if isinstance(partitions, dg.DynamicPartitionsDefinition) else None


def _note_progress(instance: dg.DagsterInstance, ledger: Ledger, tables: Sequence[TableId]) -> None:
    """Note how far the runs of replay requests are."""
    for state in (RequestState.OPEN, RequestState.STARTED):
        for request in ledger.replay_requests(tables=tables, state=state):
            runs = instance.get_runs(dg.RunsFilter(tags={REQUEST_TAG: str(request.id)}), limit=1)
            if not runs:
                continue
            (run,) = runs
            if run.is_finished:
                record = ledger.get(request.ref)
                judged = record is not None and record.run_id == run.run_id
                ended = RequestState.DONE if judged else RequestState.FAILED
                outcome = record.state.value if record is not None and judged else str(run.status.value).lower()
                ledger.move_request(request.id, state=ended, run_id=run.run_id, outcome=outcome)
            elif request.state is RequestState.OPEN:
                ledger.move_request(request.id, state=RequestState.STARTED, run_id=run.run_id)
