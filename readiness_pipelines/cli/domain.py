"""`readiness domain`: what is declared."""

from dataclasses import asdict
from typing import Annotated

import typer

from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json, print_json_of, say
from readiness_pipelines.cli.steps import changes_table, map_table, rules_table
from readiness_pipelines.cli.tables import target_text
from readiness_pipelines.cli.words import What, find
from readiness_pipelines.domains import load_domains
from readiness_pipelines.installation import Installation
from readiness_pipelines.json_values.domain import domain_value, map_value
from readiness_pipelines.overview import domain_map, gate_changes
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What is declared: the domains, their tables and products.")


@app.command("list")
def list_domains(as_json: AsJson = False) -> None:
    """List the domains, with their tables and the questions that their KPIs answer."""
    with errors_for_people():
        domains = load_domains(Settings())
        if as_json:
            print_json(list(map(domain_value, domains)))
            return
        for domain in domains:
            say((domain.name, "bold"), f" {domain.owner}")
            for lane in domain.lanes:
                say(f"  {lane.batches.name}: {', '.join(table.name for table in lane.tables)}")
            for kpi in domain.kpis:
                say(f"  {kpi.id}: {kpi.question} ({kpi.unit}, target {target_text(kpi.target, kpi.unit)})")


@app.command("show")
def show_domain(
    what: What = None,
    rules: Annotated[bool, typer.Option("--rules", help="Also list every rule of every gate.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a domain's map: for each step the source, who answers, the rules and the latency it may take."""
    with errors_for_people():
        chosen = find(what, Settings())
        wanted = {ident for table in chosen.tables for ident in (table.id, table.id.raw)}
        maps = {domain.name: [step for step in domain_map(domain) if step.table in wanted] for domain in chosen.domains}
        if as_json:
            print_json_of([map_value(name, steps) for name, steps in maps.items()])
            return
        for name, steps in maps.items():
            OUT.print(map_table(name, steps))
            for step in steps:
                if rules and step.rules:
                    OUT.print(rules_table(step))


@app.command("diff")
def show_changes(
    what: What = None,
    since: Annotated[str | None, typer.Option(help="The gate version to compare with, as `history` shows it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed in the gates since they last judged a batch: breaking, tightened, loosened, cosmetic."""
    with errors_for_people():
        settings = Settings()
        chosen = find(what, settings)
        compared = gate_changes(chosen.tables, installation=Installation.open(settings), since=since)
        if as_json:
            print_json([{**asdict(one), "table": str(one.table)} for one in compared])
            return
        for one in compared:
            if one.before is None:
                say((str(one.table), "bold"), " has judged no batch yet")
            elif one.changes:
                OUT.print(changes_table(one))
            else:
                say((str(one.table), "bold"), f" has the gate that it had before ({one.after})")
