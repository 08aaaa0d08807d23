"""Replays from Dagster: a job that judges batches again, a sensor that runs what was asked for, a job that decides."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import dagster as dg
from pydantic import Field

from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.delivery import batch_ref, decide, published_table
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import Correction, Discarding, RequestState, Undoing, Waiver, What
from readiness_pipelines.orchestration.failures import as_failures
from readiness_pipelines.orchestration.freshness import batch_selection
from readiness_pipelines.orchestration.keys import WHO_TAG, raw_keys
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of

REQUEST_TAG = "readiness/replay_request"
WHY_TAG = "readiness/why"
TICK_SECONDS = 15
MOST_TAG_CHARACTERS = 200


def replay_job_name(path: DataPath) -> str:
    """Name of the job that judges a batch of a path again."""
    return f"{path.name}_replay"


def replay_tags(request: int, *, who: str, why: str) -> Mapping[str, str]:
    """Tags of a run that carries out a replay request: which, who asked, and why."""
    return {REQUEST_TAG: str(request), WHO_TAG: who, WHY_TAG: why[:MOST_TAG_CHARACTERS]}


def replay_job(path: DataPath) -> Any:  # Dagster does not export the type
    """One batch from raw to KPI, without ingesting it again."""
    return dg.define_asset_job(
        name=replay_job_name(path),
        selection=batch_selection(path) - dg.AssetSelection.assets(*raw_keys(path)),
        description="One batch judged again, with its corrections and waivers, by the gate in the code.",
        executor_def=dg.in_process_executor,
    )


def replay_sensor(path: DataPath) -> dg.SensorDefinition:
    """Runs the replays that were asked for, once each, and closes their requests."""

    @dg.sensor(
        name=f"{path.name}_replay_requests",
        job_name=replay_job_name(path),
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Runs the replays that were asked for on the command line or by a decision, once each.",
        required_resource_keys={INSTALLATION},
    )
    def replay_requests(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        ledger = installation_of(context.resources).ledger
        _close(context.instance, ledger_installation=installation_of(context.resources), path=path)
        waiting = ledger.replay_requests(path=path.name, state=RequestState.OPEN)
        for request in waiting:
            yield dg.RunRequest(
                run_key=f"replay-{request.id}",
                partition_key=request.ref.batch,
                tags=replay_tags(request.id, who=request.who, why=request.why),
            )
        if not waiting:
            yield dg.SkipReason("no replay is asked for")

    return replay_requests


def _close(instance: dg.DagsterInstance, *, ledger_installation: Installation, path: DataPath) -> None:
    """Note how far the runs of replay requests are."""
    ledger = ledger_installation.ledger
    for state in (RequestState.OPEN, RequestState.STARTED):
        for request in ledger.replay_requests(path=path.name, state=state):
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


class DecisionConfig(dg.Config):
    """A decision about a batch, as an operator writes it in the launchpad."""

    batch: str = Field(description="The batch.")
    action: Literal["correct", "waive", "discard", "undo", "replay"] = Field(description="What is decided.")
    why: str = Field(description="The reason, kept for ever.")
    who: str = Field(description="Who decides.")
    table: str = Field(default="", description="The table; not needed where the path has one source.")
    column: str = Field(default="", description="correct: the column to set.")
    expression: str = Field(default="", description="correct: a DuckDB expression over the row's columns.")
    rule: str = Field(default="", description="waive: the rule, or 'tolerance'.")
    where: str = Field(default="", description="Which rows: a DuckDB condition; empty for the whole batch.")
    decision: int = Field(default=0, description="undo: the decision's number.")


def decide_job(path: DataPath) -> dg.JobDefinition:
    """Keeps a decision that is given as configuration, and asks for the batch to be replayed."""

    @dg.op(name=f"{path.name}_decision", required_resource_keys={INSTALLATION})
    def decision(context: dg.OpExecutionContext, config: DecisionConfig) -> None:
        with as_failures():
            installation = installation_of(context.resources)
            table = _table(path, config.table)
            run = Run(run_id=context.run.run_id, who=config.who)
            if config.action != "replay":
                kept = decide(
                    path, table, _what(config), batch=config.batch, why=config.why, installation=installation, run=run
                )
                context.log.info(f"decision {kept.decision.id} touches {kept.rows or 'all'} rows")
            ref = batch_ref(path, published_table(path, table), config.batch)
            asked = installation.ledger.request_replay(ref, who=config.who, why=config.why, at=run.clock())
            context.log.info(f"request {asked.id} asks for the replay of {ref}")

    @dg.job(
        name=f"{path.name}_decide",
        description="Correct, waive, discard or undo, with a reason; the batch is replayed afterwards.",
        executor_def=dg.in_process_executor,
    )
    def decide_about() -> None:
        decision()

    return decide_about


def _table(path: DataPath, name: str) -> GatedTable:
    gated = [table for table in path.tables if isinstance(table, GatedTable) and name in ("", table.name)]
    if len(gated) != 1:
        names = ", ".join(table.name for table in path.tables if isinstance(table, GatedTable))
        raise DeclarationError(f"which table of {path.name}?", way_out=f"give one of: {names}")
    return gated[0]


def _what(config: DecisionConfig) -> What:
    where = config.where or None
    match config.action:
        case "correct":
            return Correction(column=config.column, expression=config.expression, where=where)
        case "waive":
            return Waiver(rule=config.rule, where=where)
        case "discard":
            return Discarding(where=where)
        case _:
            return Undoing(decision=config.decision)
