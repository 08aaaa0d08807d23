"""`readiness path`: what is declared."""

from dataclasses import asdict
from typing import Annotated

import typer

from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json
from readiness_pipelines.cli.paths import find_path, load_paths
from readiness_pipelines.cli.tables import changes_table, path_table, rules_table
from readiness_pipelines.cli.values import step_value
from readiness_pipelines.installation import Installation
from readiness_pipelines.overview import gate_changes, path_map
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What is declared: the paths and their maps.")


@app.command("list")
def list_paths(as_json: AsJson = False) -> None:
    """List the paths, with the question each answers."""
    with errors_for_people():
        paths = load_paths(Settings())
        if as_json:
            print_json([{"name": name, "question": path.kpi.question} for name, path in paths.items()])
            return
        for name, path in paths.items():
            OUT.print(f"[bold]{name}[/] {path.kpi.question}")


@app.command("show")
def show_path(
    path: Annotated[str | None, typer.Argument(help="The path's name; not needed where there is only one.")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="Also list every rule of every gate.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a path's map: for each step the source, who answers, the rules and the latency it may take."""
    with errors_for_people():
        found = find_path(path, Settings())
        steps = path_map(found)
        if as_json:
            kpi = found.kpi.model_dump(mode="json")
            print_json({"path": found.name, "kpi": kpi, "steps": [step_value(step) for step in steps]})
            return
        OUT.print(f"[bold]{found.kpi.question}[/] ({found.kpi.unit}, target {found.kpi.target or 'none'})")
        OUT.print(path_table(found.name, steps))
        for step in steps:
            if rules and step.rules:
                OUT.print(rules_table(step))


@app.command("diff")
def show_changes(
    path: Annotated[str | None, typer.Argument(help="The path's name; not needed where there is only one.")] = None,
    table: Annotated[str | None, typer.Option(help="Only this table of the path.")] = None,
    since: Annotated[str | None, typer.Option(help="The gate version to compare with, as `history` shows it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed in the gates since they last judged a batch: breaking, tightened, loosened, cosmetic."""
    with errors_for_people():
        settings = Settings()
        found = find_path(path, settings)
        compared = gate_changes(found, installation=Installation.open(settings), table=table, since=since)
        if as_json:
            print_json([asdict(one) for one in compared])
            return
        for one in compared:
            if one.before is None:
                OUT.print(f"[bold]{one.table}[/] has judged no batch yet")
            elif one.changes:
                OUT.print(changes_table(one))
            else:
                OUT.print(f"[bold]{one.table}[/] asks what it asked before ({one.after})")
