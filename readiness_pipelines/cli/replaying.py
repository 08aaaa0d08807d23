"""Batches replayed one after the other, each through its lane's Dagster job, in this process."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.markup import escape

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.planning import work_after
from readiness_pipelines.cli.running import Broken, RunReport, batch_progress, run_works, split_failure
from readiness_pipelines.cli.stopping import Stop
from readiness_pipelines.commands import replay_command
from readiness_pipelines.contracts import Domain, GatedTable, Lane, Table
from readiness_pipelines.delivery import Work
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ReplayRequest, RequestState
from readiness_pipelines.names import TableId


@dataclass(slots=True)
class ReplayReport:
    """What became of a plan: the requests by batch, what ran, what was left, and what broke."""

    requests: dict[BatchRef, int] = field(default_factory=dict)
    done: list[BatchRef] = field(default_factory=list)
    left: list[BatchRef] = field(default_factory=list)
    after: list[Work] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


def run_replays(
    refs: Sequence[BatchRef],
    domains: Sequence[Domain],
    *,
    reason: str,
    installation: Installation,
    run: Run,
    report: ReplayReport,
    stop: Stop,
    quiet: bool,
    only: Collection[BatchRef] | None = None,
    request: ReplayRequest | None = None,
) -> None:
    """Run the replay job for each of some batches, with what is computed from it in the same run.

    Args:
        refs: The batches, in order; none is run again that ran with one before it.
        domains: The domains that they are of.
        reason: Why, for the trail.
        installation: Where the ledger is.
        run: Who, and when.
        report: Where it is noted what ran.
        stop: Whether to begin no other batch.
        quiet: Whether to show no progress.
        only: The batches of a plan: no other one is computed in the same run, and one of which an input is not there
            any more, because of those before it, is left. ``None`` for all.
        request: The request that this carries out, where it is filed already, and is for the only batch.

    Raises:
        ReadinessError: No Dagster job for a lane.
    """
    if stop.asked or not refs:
        return
    tables, lanes = tables_and_lanes(domains)
    with batch_progress(quiet=quiet) as progress:
        task = progress.add_task("starting Dagster", total=len(refs))
        # Dagster takes a second to import: only the command that needs it pays.
        from readiness_pipelines.orchestration import launching  # noqa: PLC0415
        from readiness_pipelines.orchestration.keys import replay_job_name  # noqa: PLC0415
        from readiness_pipelines.orchestration.replays import replay_tags, replayed_tables  # noqa: PLC0415

        project, jobs = Path.cwd(), {}
        with launching.open_instance(project) as instance:
            for ref in refs:
                if stop.asked:
                    return
                progress.update(task, description=escape(str(ref)))
                progress.advance(task)
                if ref in report.done:
                    continue  # it was computed again with what it reads
                table, lane = tables[ref.table], lanes[ref.table]
                if only is not None and not _can_be_judged(table, ref, installation):
                    report.left.append(ref)
                    continue
                name = replay_job_name(lane)
                if name not in jobs:
                    jobs[name] = launching.find_job(name, project=project)
                again = [one.id for one in replayed_tables(table, lane, ref.batch, installation.ledger)]
                if only is not None:
                    again = [one for one in again if BatchRef(one, ref.batch) in only]
                asked = request or installation.ledger.request_replay(ref, who=run.who, why=reason, at=run.clock())
                report.requests[ref] = asked.id
                tags = replay_tags(asked.id, who=run.who, why=reason)
                ran = launching.run_batch(jobs[name], ref.batch, instance=instance, tags=tags, tables=again)
                failure = launching.failure_of(ran, instance=instance)
                broken = bool(failure) and not launching.is_verdict(ran, instance=instance)
                if broken:
                    what, way_out = split_failure(failure)
                    command = replay_command(ref, dry_run=False)
                    report.broken.append(
                        Broken(
                            name=str(ref.table),
                            batch=ref.batch,
                            what=what,
                            way_out=way_out,
                            command=command,
                            code=launching.failure_code(ran, instance=instance),
                        )
                    )
                report.done += [BatchRef(one, ref.batch) for one in again]
                state = RequestState.FAILED if broken else RequestState.DONE
                installation.ledger.move_request(asked.id, state=state, run_id=ran.run_id, outcome=failure or None)


def run_what_follows(
    tables: Sequence[Table],
    ran: Collection[BatchRef],
    *,
    installation: Installation,
    report: ReplayReport,
    stop: Stop,
    quiet: bool,
    only: Collection[BatchRef] | None = None,
) -> None:
    """Compute what is due because of batches that were replayed, in whichever lane it is.

    Args:
        tables: The tables of the batches.
        ran: The batches.
        installation: Where the ledger is.
        report: Where it is noted what ran.
        stop: Whether to begin no other batch.
        quiet: Whether to show no progress.
        only: The batches that may be computed; ``None`` for all.

    Raises:
        ReadinessError: No Dagster job for a lane.
    """
    if not ran or stop.asked:
        return
    works = RunReport()

    def more() -> list[Work]:
        refs = {*((ref.table, ref.batch) for ref in ran), *works.refs}
        due = work_after(tables, refs, installation=installation)
        return due if only is None else [one for work in due if (one := _narrowed(work, only)).tables]

    run_works([], more, works, stop, quiet=quiet)
    report.after += works.ran
    report.broken += works.broken


def tables_and_lanes(domains: Sequence[Domain]) -> tuple[dict[TableId, Table], dict[TableId, Lane]]:
    """The tables of some domains, and their lanes."""
    tables = {table.id: table for domain in domains for table in domain.tables}
    lanes = {table.id: lane for domain in domains for lane in domain.lanes for table in lane.tables}
    return tables, lanes


def _can_be_judged(table: Table, ref: BatchRef, installation: Installation) -> bool:
    """Whether what a computed batch is made of is there."""
    return isinstance(table, GatedTable) or Published(installation.ledger).inputs(table, ref.batch) is not None


def _narrowed(work: Work, only: Collection[BatchRef]) -> Work:
    return replace(work, tables=tuple(table for table in work.tables if BatchRef(table.id, work.batch) in only))
