"""`readiness run`: batches from landing to KPI, through the path's Dagster job."""

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from readiness_pipelines.batches import StaticBatches
from readiness_pipelines.cli.output import BROKEN_EXIT, ERR, OUT, AsJson, errors_for_people, print_json_of
from readiness_pipelines.cli.paths import find_path, find_paths
from readiness_pipelines.cli.tables import status_table
from readiness_pipelines.cli.values import status_value
from readiness_pipelines.contracts import DataPath, GatedTable
from readiness_pipelines.errors import BatchNotLandedError, DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.overview import PathStatus, status
from readiness_pipelines.settings import Settings
from readiness_pipelines.sources import known_batches


def run(
    path: Annotated[str | None, typer.Argument(help="The path's name; not needed where there is only one.")] = None,
    batch: Annotated[list[str] | None, typer.Option(help="A batch to run; may be given more than once.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Run every batch that landed, also those that ran before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run batches from landing to KPI. Without --batch or --all: those that landed and have no verdict yet.

    A held batch is no error: it is what the gate is for. The exit code is 1 only where a batch could not be judged.
    """
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        found = (find_path(path, settings, batches=batch),) if batch else find_paths(path, settings)
        chosen = [(one, _chosen(one, batch or [], every=every, installation=installation)) for one in found]
        ran = [(_run_all(one, batches, quiet=as_json) if batches else {}) for one, batches in chosen]
        values = []
        for (one, batches), broken in zip(chosen, ran, strict=True):
            after = status(one, installation=installation)
            values.append({**status_value(after), "ran": batches, "broken": broken, "next": _next(after, broken)})
            if not as_json:
                _report(after, batches, broken)
        if as_json:
            print_json_of(values)
    if any(ran):
        raise typer.Exit(BROKEN_EXIT)


def _chosen(path: DataPath, named: Sequence[str], *, every: bool, installation: Installation) -> list[str]:
    declared = path.batches.keys if isinstance(path.batches, StaticBatches) else None
    landed = {
        key
        for table in path.tables
        if isinstance(table, GatedTable)
        for key in known_batches(table.source.reader, landing=installation.landing)
    }
    if named and every:
        raise DeclarationError("--batch and --all exclude each other", way_out="give one of them")
    if named:
        for key in named:
            if declared is not None and key not in declared:
                raise UnknownNameError(f"batch of {path.name}", key, declared)
        return list(dict.fromkeys(named))
    if not landed:
        raise BatchNotLandedError(
            f"nothing landed for {path.name} under {installation.landing}",
            way_out="put files there, or point READINESS_LANDING at them",
        )
    keys = [key for key in declared or sorted(landed) if key in landed]
    if every:
        return keys
    judged = {entry.batch for entry in status(path, installation=installation).batches if any(entry.tables.values())}
    return [key for key in keys if key not in judged]


def _run_all(path: DataPath, batches: Sequence[str], *, quiet: bool) -> dict[str, str]:
    """Run the batches one after the other; the batches that could not be judged, with the reason."""
    broken: dict[str, str] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR, disable=quiet, transient=True) as progress:
        task = progress.add_task("starting Dagster", total=len(batches))
        # Dagster takes a second to import: only the command that needs it pays.
        from readiness_pipelines.orchestration import launching  # noqa: PLC0415

        project = Path.cwd()
        job = launching.find_job(path.name, project=project)
        with launching.open_instance(project) as instance:
            for batch in batches:
                progress.update(task, description=f"{path.name} {batch}")
                ran = launching.run_batch(job, batch, instance=instance, tags={"readiness/who": getpass.getuser()})
                failure = launching.failure_of(ran, instance=instance)
                if failure and not launching.is_verdict(failure):
                    broken[batch] = failure
                progress.advance(task)
    return broken


def _report(after: PathStatus, batches: Sequence[str], broken: dict[str, str]) -> None:
    if not batches:
        OUT.print("nothing new landed: every batch has a verdict ([bold]--all[/] runs them again)")
    OUT.print(status_table(after))
    for batch in after.batches:
        if batch.held:
            reasons = {record.reason for record in batch.tables.values() if record and record.reason}
            OUT.print(f"[bold red]held[/] {batch.batch}: {'; '.join(sorted(reasons))}")
    for key, reason in broken.items():
        OUT.print(f"[bold red]broken[/] {key}: {reason}", markup=True)
    OUT.print(f"next: [bold]{_next(after, broken)}[/]")


def _next(after: PathStatus, broken: dict[str, Any]) -> str:
    if broken:
        return f"readiness run {after.path} --batch {next(iter(broken))}"
    return f"readiness status {after.path}"
