"""`readiness labels`: what people are to label, as tasks of Label Studio."""

from pathlib import Path
from typing import Annotated

import typer

from readiness_pipelines.cli.output import errors_for_people, say
from readiness_pipelines.cli.words import BatchKey, find_table
from readiness_pipelines.domains import load_domains
from readiness_pipelines.installation import Installation
from readiness_pipelines.json_values.text import json_text
from readiness_pipelines.models import label_tasks
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What people are to label, as tasks of Label Studio.")


@app.callback()
def _labels() -> None:
    """What people are to label, as tasks of Label Studio."""


@app.command("export")
def export(
    table: Annotated[str, typer.Argument(help="The table, as domain.name.", metavar="TABLE")],
    batch: BatchKey,
    show: Annotated[list[str], typer.Option("--show", help="A column that people see; none that is classified.")],
    to: Annotated[Path, typer.Option("--to", help="The file to write.")],
    most: Annotated[int | None, typer.Option("--most", help="So many rows at most, the same ones each time.")] = None,
) -> None:
    """Write published rows as tasks; what people say comes back by a table with the reader LabelStudio."""
    with errors_for_people():
        settings = Settings()
        found = find_table(table, load_domains(settings))
        tasks = label_tasks(found, batch, show=show, most=most, installation=Installation.open(settings))
        to.write_text(json_text(tasks, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        say(f"{to}: {len(tasks):,} tasks")
