"""`readiness status`: where every batch stands."""

from typing import Annotated

import typer

from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json_of
from readiness_pipelines.cli.paths import find_paths
from readiness_pipelines.cli.tables import status_table
from readiness_pipelines.cli.values import status_value
from readiness_pipelines.installation import Installation
from readiness_pipelines.overview import PathStatus, status
from readiness_pipelines.settings import Settings


def show_status(
    path: Annotated[str | None, typer.Argument(help="The path's name; not needed where there is only one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show where every batch of a path (of all, where none is named) stands: rows, what is held and why, the KPI."""
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        found = [status(one, installation=installation) for one in find_paths(path, settings)]
        if as_json:
            print_json_of([status_value(one) for one in found])
            return
        for one in found:
            _show(one)


def _show(now: PathStatus) -> None:
    OUT.print(status_table(now))
    for batch in now.batches:
        for name, record in batch.tables.items():
            if record is not None and record.reason:
                OUT.print(f"  {batch.batch} {name}: [bold]{record.state.replace('_', ' ')}[/] {record.reason}")
    waiting = [batch.batch for batch in now.batches if not any(batch.tables.values())]
    if waiting:
        OUT.print(f"next: [bold]readiness run {now.path}[/] ({len(waiting)} batches have not run)")
