"""Runs that wait while none ends: what a dead run, or a slot that nobody frees, looks like from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import dagster as dg

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Domain
from readiness_pipelines.durations import format_duration
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchFinding, FindingKind
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration.keys import replay_job_name

PATIENCE = timedelta(minutes=15)
"""A run may wait so long before somebody should look, if no other run ends meanwhile."""

PROMISED = f"a run that waits begins, or another one ends, within {format_duration(PATIENCE)}"
WAY_OUT = "look at the run under way in Dagster; where its process is gone, terminate it there"

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def note_stuck_queue(
    instance: dg.DagsterInstance, domains: Sequence[Domain], *, installation: Installation, now: datetime
) -> None:
    """Keep a finding about the batch whose run has waited longest, where runs wait and none ends; else none.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    tables = {table.id for domain in domains for table in domain.tables}
    known = installation.ledger.findings.of(tables=tables)
    found = _stuck(instance, _first_tables(domains), now)
    for ref in {one.ref for one in known if one.finding.kind is FindingKind.QUEUE} - set(found):
        installation.ledger.findings.replace(ref, {FindingKind.QUEUE: ()}, at=now)
    for ref, finding in found.items():
        if not any(one.ref == ref and one.finding == finding for one in known):
            installation.ledger.findings.replace(ref, {FindingKind.QUEUE: (finding,)}, at=now)


def _first_tables(domains: Sequence[Domain]) -> Mapping[str, TableId]:
    """The first table of the lane that a job runs."""
    return {
        job: lane.tables[0].id
        for domain in domains
        for lane in domain.lanes
        for job in (lane.name, replay_job_name(lane))
    }


def _stuck(instance: dg.DagsterInstance, jobs: Mapping[str, TableId], now: datetime) -> Mapping[BatchRef, BatchFinding]:
    waiting = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]), ascending=True)
    ours = [one for one in waiting if one.dagster_run.job_name in jobs and _batch(one)]
    if not ours or now - ours[0].create_timestamp < PATIENCE:
        return {}
    ended = instance.get_run_records(dg.RunsFilter(statuses=_ENDED, updated_after=now - PATIENCE), limit=1)
    if ended:
        return {}
    under_way = instance.get_run_records(dg.RunsFilter(statuses=_UNDER_WAY), ascending=True, limit=1)
    holder = f"; run {under_way[0].dagster_run.run_id[:8]} is under way" if under_way else ""
    ref = BatchRef(jobs[ours[0].dagster_run.job_name], _batch(ours[0]))
    since = f"{ours[0].create_timestamp:%Y-%m-%d %H:%M} UTC"
    seen = f"its run has waited since {since} and none has ended meanwhile{holder}"
    return {
        ref: BatchFinding(
            kind=FindingKind.QUEUE,
            measured="waiting",
            column=None,
            promised=PROMISED,
            seen=seen,
            details={"way_out": WAY_OUT},
        )
    }


def _batch(record: dg.RunRecord) -> str:
    return record.dagster_run.tags.get("dagster/partition", "")
