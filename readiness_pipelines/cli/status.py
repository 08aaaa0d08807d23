"""`readiness status`: where every batch stands."""

from typing import Annotated

import typer

from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json
from readiness_pipelines.cli.paths import find_path
from readiness_pipelines.cli.tables import status_table
from readiness_pipelines.cli.values import status_value
from readiness_pipelines.delivery import Installation, status
from readiness_pipelines.settings import Settings


def show_status(
    path: Annotated[str | None, typer.Argument(help="The path's name; not needed where there is only one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show where every batch of a path stands: rows, what is held and why, the KPI."""
    with errors_for_people():
        settings = Settings()
        found = find_path(path, settings)
        now = status(found, installation=Installation.open(settings))
        if as_json:
            print_json(status_value(now))
            return
        OUT.print(status_table(now))
        for batch in now.batches:
            for name, record in batch.tables.items():
                if record is not None and record.reason:
                    OUT.print(f"  {batch.batch} {name}: [bold]{record.state.replace('_', ' ')}[/] {record.reason}")
        waiting = [batch.batch for batch in now.batches if not any(batch.tables.values())]
        if waiting:
            OUT.print(f"next: [bold]readiness run {now.path}[/] ({len(waiting)} batches have not run)")
