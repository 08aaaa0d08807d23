"""`readiness replay`: batches judged again after a decision or with a new gate; first the plan, then the run."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from readiness_pipelines.cli.output import BROKEN_EXIT, ERR, OUT, AsJson, errors_for_people, print_json
from readiness_pipelines.cli.paths import find_path
from readiness_pipelines.cli.values import counts_value
from readiness_pipelines.contracts import DataPath
from readiness_pipelines.delivery import (
    ReplayPlan,
    ReplayStep,
    Selection,
    batch_ref,
    moved_rows,
    plan_replay,
    published_table,
)
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import RequestState
from readiness_pipelines.settings import Settings

DEFAULT_REASON = "replayed from the command line"


def replay(
    path: Annotated[str | None, typer.Argument(help="The path's name; not needed where there is only one.")] = None,
    batch: Annotated[list[str] | None, typer.Option(help="A batch; may be given more than once.")] = None,
    table: Annotated[str | None, typer.Option(help="Only this table of the path.")] = None,
    held: Annotated[bool, typer.Option("--held", help="All held batches.")] = False,
    older_gate: Annotated[bool, typer.Option("--older-gate", help="All that an older gate version judged.")] = False,
    since: Annotated[datetime | None, typer.Option(help="Judged at this time (UTC) or later.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Judged before this time (UTC).")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge the batches and show the plan; write nothing.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the trail.")] = DEFAULT_REASON,
    request: Annotated[bool, typer.Option("--request", help="Leave it to Dagster's daemon.")] = False,
    as_json: AsJson = False,
) -> None:
    """Judge batches again: their corrections applied, waived rules waived, by the gate in the code.

    Goes through the path's Dagster job, so that its checks turn green. The exit code is 1 where a batch broke.
    """
    with errors_for_people():
        settings = Settings()
        found = find_path(path, settings, batches=batch or ())
        installation = Installation.open(settings)
        if not (batch or held or older_gate or since or until):
            raise DeclarationError("which batches?", way_out="give --batch, --held, --older-gate, --since or --until")
        run = Run(who=getpass.getuser())
        selection = Selection(
            table=table,
            batches=tuple(batch or ()),
            held=held,
            older_gate=older_gate,
            since=since.replace(tzinfo=UTC) if since else None,
            until=until.replace(tzinfo=UTC) if until else None,
        )
        plan = plan_replay(found, selection, installation=installation, run=run, evaluate=dry_run)
        if dry_run:
            _show_plan(plan, as_json=as_json)
            return
        outcomes = _request(found, plan, reason, installation, run) if request else {}
        broken = {} if request else _run(found, plan, reason, installation, run, quiet=as_json)
        _report(found, plan, outcomes, broken, installation, as_json=as_json)
    if broken:
        raise typer.Exit(BROKEN_EXIT)


def _request(path: DataPath, plan: ReplayPlan, reason: str, installation: Installation, run: Run) -> dict[str, int]:
    """File a request for each batch; its number by batch."""
    numbers = {}
    for step in _first_steps(plan):
        ref = batch_ref(path, published_table(path, path.table(step.table)), step.batch)
        asked = installation.ledger.request_replay(ref, who=run.who, why=reason, at=run.clock())
        numbers[step.batch] = asked.id
    return numbers


def _run(
    path: DataPath, plan: ReplayPlan, reason: str, installation: Installation, run: Run, *, quiet: bool
) -> dict[str, str]:
    """Run the replay job for each batch, in this process; the batches that broke, with the reason."""
    broken: dict[str, str] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR, disable=quiet, transient=True) as progress:
        task = progress.add_task("starting Dagster", total=len(plan.batches))
        # Dagster takes a second to import: only the command that needs it pays.
        from readiness_pipelines.orchestration import launching  # noqa: PLC0415
        from readiness_pipelines.orchestration.replays import replay_job_name, replay_tags  # noqa: PLC0415

        project = Path.cwd()
        job = launching.find_job(replay_job_name(path), project=project)
        asked = _request(path, plan, reason, installation, run)
        with launching.open_instance(project) as instance:
            for batch, number in asked.items():
                progress.update(task, description=f"{path.name} {batch}")
                tags = replay_tags(number, who=run.who, why=reason)
                ran = launching.run_batch(job, batch, instance=instance, tags=tags)
                failure = launching.failure_of(ran, instance=instance)
                if failure and not launching.is_verdict(failure):
                    broken[batch] = failure
                state = RequestState.FAILED if batch in broken else RequestState.DONE
                installation.ledger.move_request(number, state=state, run_id=ran.run_id, outcome=failure or None)
                progress.advance(task)
    return broken


def _report(
    path: DataPath,
    plan: ReplayPlan,
    requests: dict[str, int],
    broken: dict[str, str],
    installation: Installation,
    *,
    as_json: bool,
) -> None:
    after = {}
    for step in plan.steps:
        ref = batch_ref(path, published_table(path, path.table(step.table)), step.batch)
        after[step.table, step.batch] = installation.ledger.get(ref)
    if as_json:
        steps = [
            {**_step_value(step), "now": record.state.value, "now_rows": counts_value(record.counts)}
            for step in plan.steps
            if (record := after[step.table, step.batch]) is not None
        ]
        print_json({"path": plan.path, "steps": steps, "requests": requests, "broken": broken})
        return
    for batch, number in requests.items():
        OUT.print(f"request {number} asks for {batch}; Dagster's daemon runs it")
    if not requests:
        for step in plan.steps:
            record = after[step.table, step.batch]
            if record is not None and step.batch not in broken:
                OUT.print(
                    f"[bold]{step.batch}[/] {step.table}: {step.state} → {record.state}, "
                    f"{step.counts.published:,} → {record.counts.published:,} rows published, "
                    f"{record.counts.quarantined:,} wait"
                )
    for batch, why in broken.items():
        OUT.print(Text(f"broken {batch}: {why}", style="red"))
    OUT.print(f"next: [bold]readiness history {plan.batches[0]}[/]")


def _show_plan(plan: ReplayPlan, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "path": plan.path,
                "steps": [_step_value(step) for step in plan.steps],
                "downstream": list(plan.downstream),
                "moved_rows": moved_rows(plan.steps),
            }
        )
        return
    table = Table(title=f"{plan.path}: what a replay would do", title_justify="left")
    for column in ("batch", "table", "is", "would be", "published", "waits", "gate"):
        table.add_column(column, overflow="fold")
    for step in plan.steps:
        would = step.would_count
        gate = step.gate_after if step.gate_before == step.gate_after else f"{step.gate_before} → {step.gate_after}"
        table.add_row(
            step.batch,
            step.table,
            step.state.replace("_", " "),
            Text((step.would_be or "").replace("_", " ")),
            f"{step.counts.published:,} → {would.published:,}" if would else "–",
            f"{step.counts.quarantined:,} → {would.quarantined:,}" if would else "–",
            gate,
        )
    OUT.print(table)
    for step in plan.steps:
        for decision in step.decisions:
            OUT.print(Text(f"{step.batch}: decision {decision}"))
    OUT.print(f"then: {', '.join(plan.downstream) or 'nothing'}")
    OUT.print(f"{moved_rows(plan.steps):,} rows would move from quarantine to published; nothing was written")


def _first_steps(plan: ReplayPlan) -> list[ReplayStep]:
    return list({step.batch: step for step in reversed(plan.steps)}.values())[::-1]


def _step_value(step: ReplayStep) -> dict[str, Any]:
    return {
        "table": step.table,
        "batch": step.batch,
        "state": step.state.value,
        "rows": counts_value(step.counts),
        "gate_before": step.gate_before,
        "gate_after": step.gate_after,
        "decisions": list(step.decisions),
        "would_be": step.would_be.value if step.would_be else None,
        "would_be_rows": counts_value(step.would_count) if step.would_count else None,
        "reason": step.reason,
    }
